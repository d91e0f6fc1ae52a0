"""Who calls: what is accepted and what is not."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from bazar.chassis.certificates import LeafSpec, ensure_certificates
from bazar.chassis.service_token import MAX_REMEMBERED, TokenIssuer, TokenVerifier, UntrustedCaller

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    ensure_certificates(directory, [LeafSpec("shop"), LeafSpec("stock"), LeafSpec("orders")], lambda: START)
    return directory


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(certs: Path, clock: Clock) -> TokenVerifier:
    return TokenVerifier("stock", certs / "ca.pem", clock)


@pytest.fixture
def token(certs: Path, clock: Clock) -> str:
    return TokenIssuer("shop", certs, clock).token("stock")


def forge(certs: Path, *, key: str = "shop-token", certificate: str = "shop-token", **changes: Any) -> str:
    """A token of shop's for stock, with changes; a claim of value None is left out."""
    signer = serialization.load_pem_private_key((certs / f"{key}.key").read_bytes(), password=None)
    pem = (certs / f"{certificate}.pem").read_bytes()
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    headers = changes.pop("headers", {"x5c": [base64.b64encode(der).decode()]})
    now = int(START.timestamp())
    claims = {"iss": "shop", "aud": "stock", "iat": now, "exp": now + 300} | changes
    payload = json.dumps({name: value for name, value in claims.items() if value is not None})
    algorithm = "ES256" if isinstance(signer, ec.EllipticCurvePrivateKey) else "EdDSA"
    return jwt.PyJWS().encode(payload.encode(), signer, algorithm, headers)  # type: ignore[arg-type]  # forged on purpose


def test_the_caller_is_known_by_the_token(token: str, verifier: TokenVerifier) -> None:
    assert verifier.caller(token) == "shop"
    assert verifier.caller(token) == "shop"


def test_a_token_is_reused_until_it_nears_its_end(certs: Path, clock: Clock) -> None:
    issuer = TokenIssuer("shop", certs, clock, lifetime_seconds=100)
    first = issuer.token("stock")
    assert issuer.token("orders") != first
    clock.advance(74)
    assert issuer.token("stock") == first
    clock.advance(2)
    assert issuer.token("stock") != first


def test_a_clock_set_back_makes_a_new_token(certs: Path, clock: Clock, verifier: TokenVerifier) -> None:
    issuer = TokenIssuer("shop", certs, clock)
    issuer.token("stock")
    clock.advance(-86_400)
    assert verifier.caller(issuer.token("stock")) == "shop"


def test_ends_after_its_lifetime_and_the_leeway_remembered_or_not(
    token: str, certs: Path, clock: Clock, verifier: TokenVerifier
) -> None:
    assert verifier.caller(token) == "shop"
    clock.advance(329)
    assert verifier.caller(token) == "shop"
    assert TokenVerifier("stock", certs / "ca.pem", clock).caller(token) == "shop"
    clock.advance(2)
    for each in (verifier, TokenVerifier("stock", certs / "ca.pem", clock)):
        with pytest.raises(UntrustedCaller):
            each.caller(token)


def test_not_before_its_time(token: str, clock: Clock, verifier: TokenVerifier) -> None:
    clock.advance(-29)
    assert verifier.caller(token) == "shop"
    clock.advance(-2)
    with pytest.raises(UntrustedCaller):
        verifier.caller(token)


def test_refused_for_another_audience(token: str, certs: Path, clock: Clock) -> None:
    with pytest.raises(UntrustedCaller):
        TokenVerifier("orders", certs / "ca.pem", clock).caller(token)


def test_refused_from_another_ca(token: str, tmp_path: Path, clock: Clock) -> None:
    ensure_certificates(tmp_path, [LeafSpec("shop")], lambda: START)
    with pytest.raises(UntrustedCaller):
        TokenVerifier("stock", tmp_path / "ca.pem", clock).caller(token)


def test_refused_when_the_certificate_has_ended(certs: Path, verifier: TokenVerifier, clock: Clock) -> None:
    clock.advance(400 * 86_400)
    now = int(clock().timestamp())
    fresh = forge(certs, iat=now, exp=now + 300)
    with pytest.raises(UntrustedCaller, match="holds from"):
        verifier.caller(fresh)


def test_the_forger_makes_good_tokens_too(certs: Path, verifier: TokenVerifier) -> None:
    """The control: each refusal below is due to its one change."""
    assert verifier.caller(forge(certs)) == "shop"


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "shop", "certificate": "shop"},  # the TLS leaf instead of the token key
        {"certificate": "shop"},
        {"key": "shop"},
        {"iss": "orders"},  # in another's name
        {"iss": "shop/token"},
        {"iss": ["shop"]},
        {"key": "orders-token"},  # another's key
        {"certificate": "orders-token"},  # another's certificate
        {"certificate": "ca"},
        {"iss": None},
        {"aud": None},
        {"iat": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 10**40},
        {"headers": {}},
        {"headers": {"x5c": "text"}},
        {"headers": {"x5c": []}},
        {"headers": {"x5c": ["AAAA"]}},
        {"headers": {"x5c": [1]}},
    ],
    ids=str,
)
def test_refused(certs: Path, verifier: TokenVerifier, changes: dict[str, Any]) -> None:
    forged = forge(certs, **changes)
    with pytest.raises(UntrustedCaller):
        verifier.caller(forged)


def test_refused_without_a_signature(token: str, verifier: TokenVerifier) -> None:
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    _, claims, _ = token.split(".")
    with pytest.raises(UntrustedCaller):
        verifier.caller(f"{header}.{claims}.")


def test_nesting_does_not_break_the_parser(verifier: TokenVerifier) -> None:
    header = base64.urlsafe_b64encode(b'{"x5c":' + b"[" * 3000).rstrip(b"=").decode()
    with pytest.raises(UntrustedCaller):
        verifier.caller(f"{header}.e30.e30")
    with pytest.raises(UntrustedCaller, match="too long"):
        verifier.caller("x" * 5000)


@settings(deadline=None)
@given(text=st.text())
def test_text_is_no_token(certs: Path, text: str) -> None:
    with pytest.raises(UntrustedCaller):
        TokenVerifier("stock", certs / "ca.pem", lambda: START).caller(text)


@settings(deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), character=st.sampled_from("ABCXYZabcxyz0189-_.=+ "))
def test_a_changed_token_names_nobody_else(certs: Path, where: float, character: str) -> None:
    """The last character of a part has bits that base64 ignores, so a change may mean the same token."""
    token = TokenIssuer("shop", certs, lambda: START).token("stock")
    at = int(where * len(token))
    changed = token[:at] + character + token[at + 1 :]
    try:
        assert TokenVerifier("stock", certs / "ca.pem", lambda: START).caller(changed) == "shop"
    except UntrustedCaller:
        assert changed != token


def test_memory_is_bounded(certs: Path, verifier: TokenVerifier) -> None:
    for number in range(MAX_REMEMBERED + 20):
        verifier.caller(forge(certs, jti=str(number)))
    assert len(verifier._verified) == MAX_REMEMBERED
