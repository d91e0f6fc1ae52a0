"""How often one address may try, and one account be guessed at."""

from datetime import datetime, timedelta
from typing import Protocol

import argon2
import pytest
import sqlalchemy as sa

from bazar.chassis.database import Database
from bazar.frontend.domain.accounts import SignInKind, TooBusy, TooManyTries, WrongCredentials
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.storage.schema import tries
from bazar.frontend.use_cases.accounts import Accounts, Limits
from bazar.frontend.use_cases.password_hasher import PasswordHasher

TOKEN = SignInKind.TOKEN
EMAIL, PASSWORD, WRONG = "ann@example.org", "violet tables dance", "violet tables sing"
HOME, AWAY = "192.0.2.7", "198.51.100.9"


class MovableClock(Protocol):
    """The clock of the fixture."""

    now: datetime

    def __call__(self) -> datetime: ...


@pytest.fixture
def accounts(accounts: Accounts, work: list[str]) -> Accounts:
    """The shop without limits, and Ann in it."""
    accounts.register(EMAIL, PASSWORD, "Ann Lee", HOME)
    work.clear()
    return accounts


def limited(accounts: Accounts, limits: Limits) -> Accounts:
    return Accounts(accounts._store, accounts._hasher, accounts._clock, limits)


def test_one_address_signs_in_so_often_a_minute_whatever_the_account(
    accounts: Accounts, clock: MovableClock, work: list[str]
) -> None:
    shop = limited(accounts, Limits(3, 0, 0))
    clock.now += timedelta(seconds=18.5)
    shop.sign_in(EMAIL, PASSWORD, TOKEN, "2001:db8::1")
    for email in ("ben@example.org", "cyd@example.org"):
        with pytest.raises(WrongCredentials):
            shop.sign_in(email, WRONG, TOKEN, "2001:db8::2")
    with pytest.raises(TooManyTries) as refused:
        shop.sign_in(EMAIL, PASSWORD, TOKEN, "2001:db8::3")
    assert refused.value.retry_after_seconds == 42
    assert len(work) == 3
    shop.sign_in(EMAIL, PASSWORD, TOKEN, AWAY)
    clock.now += timedelta(seconds=42)
    shop.sign_in(EMAIL, PASSWORD, TOKEN, "2001:db8::1")


def test_one_address_registers_so_often_a_minute(accounts: Accounts, clock: MovableClock, work: list[str]) -> None:
    shop = limited(accounts, Limits(0, 2, 0))
    for email in (EMAIL, "ben@example.org"):
        shop.register(email, PASSWORD, "", "2001:db8::1")
    with pytest.raises(TooManyTries):
        shop.register("cyd@example.org", PASSWORD, "", "2001:db8::2")
    assert len(work) == 2
    shop.register("cyd@example.org", PASSWORD, "", AWAY)
    clock.now += timedelta(minutes=1)
    shop.register("dan@example.org", PASSWORD, "", "2001:db8::1")


@pytest.mark.parametrize("email", [EMAIL, "unknown@example.org"])
def test_an_account_is_guessed_at_so_often_a_minute_from_wherever(
    accounts: Accounts, clock: MovableClock, work: list[str], email: str
) -> None:
    shop = limited(accounts, Limits(0, 0, 3))
    for number in range(3):
        with pytest.raises(WrongCredentials):
            shop.sign_in(email, WRONG, TOKEN, f"192.0.2.{number}")
    with pytest.raises(TooManyTries):
        shop.sign_in(email.upper(), PASSWORD, TOKEN, AWAY)
    assert len(work) == 3
    clock.now += timedelta(minutes=1)
    with pytest.raises(WrongCredentials):
        shop.sign_in(email, WRONG, TOKEN, HOME)


def test_right_passwords_do_not_count_as_failures(accounts: Accounts) -> None:
    shop = limited(accounts, Limits(0, 0, 2))
    for _ in range(5):
        shop.sign_in(EMAIL, PASSWORD, TOKEN, HOME)
    with pytest.raises(WrongCredentials):
        shop.sign_in(EMAIL, WRONG, TOKEN, HOME)
    shop.sign_in(EMAIL, PASSWORD, TOKEN, HOME)


def test_being_too_busy_does_not_count_as_a_failure(
    accounts: Accounts, store: SqlAccountStore, clock: MovableClock
) -> None:
    accounts.register("ben@example.org", PASSWORD, "", HOME)
    one_at_a_time = PasswordHasher(
        slots=1, waiting=0, argon2id=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    shop = Accounts(store, one_at_a_time, clock, Limits(0, 0, 1))
    with one_at_a_time._slot():
        for _ in range(3):
            with pytest.raises(TooBusy):
                shop.sign_in("ben@example.org", WRONG, TOKEN, HOME)
    shop.sign_in("ben@example.org", PASSWORD, TOKEN, HOME)


def test_a_refusal_for_the_account_still_counts_for_the_address(accounts: Accounts) -> None:
    shop = limited(accounts, Limits(2, 0, 1))
    with pytest.raises(WrongCredentials):
        shop.sign_in(EMAIL, WRONG, TOKEN, HOME)
    with pytest.raises(TooManyTries):
        shop.sign_in(EMAIL, WRONG, TOKEN, HOME)
    with pytest.raises(TooManyTries):
        shop.sign_in("ben@example.org", WRONG, TOKEN, HOME)


def test_old_counts_are_swept(accounts: Accounts, clock: MovableClock, frontend_database: Database) -> None:
    shop = limited(accounts, Limits(0, 0, 5))
    for number in range(3):
        with pytest.raises(WrongCredentials):
            shop.sign_in(f"p{number}@example.org", WRONG, TOKEN, HOME)
    clock.now += timedelta(minutes=2)
    shop.sign_in(EMAIL, PASSWORD, TOKEN, HOME)
    with frontend_database.reading() as connection:
        assert len(connection.execute(sa.select(tries)).all()) == 1


def test_no_address_that_nobody_registered_is_kept(accounts: Accounts, frontend_database: Database) -> None:
    with pytest.raises(WrongCredentials):
        limited(accounts, Limits(5, 5, 5)).sign_in("secret.life@example.org", WRONG, TOKEN, HOME)
    with frontend_database.reading() as connection:
        assert "secret.life" not in str(connection.execute(sa.select(tries)).all())
