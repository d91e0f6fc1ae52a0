"""Codes by the time of day, and how many wrong ones are looked at."""

from base64 import b32encode
from datetime import UTC, datetime, timedelta

import pytest

from bazar.frontend.domain.second_factor import MOST_WRONG_CODES, WRONG_CODES_WINDOW, SecondFactor, SettingUp

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def a_factor(wrong_codes: int = 0, last_step: int = 0) -> SecondFactor:
    """With the secret of RFC 6238 appendix B."""
    secret = b32encode(b"12345678901234567890").decode()
    return SecondFactor(secret, is_on=True, wrong_since=NOW, wrong_codes=wrong_codes, last_step=last_step)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert a_factor().step_of(code, datetime.fromtimestamp(seconds, UTC)) == seconds // 30


def test_a_code_is_right_from_the_step_before_to_the_step_after() -> None:
    at = datetime.fromtimestamp(1111111111, UTC)
    found = [a_factor().step_of("050471", at + timedelta(seconds=30 * steps)) for steps in range(-3, 4)]
    assert [step is not None for step in found] == [False, False, True, True, True, False, False]


def test_a_used_code_and_all_before_it_are_none() -> None:
    at = datetime.fromtimestamp(1111111111, UTC)
    step = a_factor().step_of("050471", at)
    assert step is not None
    assert a_factor(last_step=step - 1).step_of("050471", at) == step
    assert a_factor(last_step=step).step_of("050471", at) is None
    assert a_factor(last_step=step).step_of("081804", at) is None


def test_too_many_wrong_codes_lock_until_the_window_of_the_first_is_over() -> None:
    factor = a_factor()
    for number in range(MOST_WRONG_CODES):
        assert factor.locked_seconds(NOW) == 0
        factor = factor.missed(NOW + timedelta(minutes=number))
    late = NOW + timedelta(minutes=10)
    assert factor.locked_seconds(late) == 50 * 60
    assert factor.locked_seconds(NOW + WRONG_CODES_WINDOW) == 0
    assert factor.missed(NOW + WRONG_CODES_WINDOW).wrong_codes == 1


def test_new_secrets_are_long_and_never_the_same() -> None:
    secrets = {SecondFactor.new(NOW).secret for _ in range(20)}
    assert len(secrets) == 20
    assert {len(secret) for secret in secrets} == {32}
    assert not any(secret in repr(SecondFactor(secret, is_on=False, wrong_since=NOW)) for secret in secrets)


def test_a_colon_in_the_shops_name_does_not_divide_the_label() -> None:
    address = SettingUp("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "ann@example.org").address("Books: new & old")
    assert address.startswith("otpauth://totp/Books%20%20new%20%26%20old:ann%40example.org?")
