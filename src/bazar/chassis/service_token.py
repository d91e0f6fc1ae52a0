"""Who calls is proven on every call, since the application does not see the client's TLS certificate.

A JWT (RFC 7519) from caller to callee, signed with Ed25519 (RFC 8037) by the caller's token key. That key's
certificate travels in the header x5c (RFC 7515 section 4.1.6), so the CA is the only root of trust. A token
is made once and reused, verified once and remembered.
"""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from jwt.types import Options

from bazar.chassis.authority import TOKEN_KEY_USAGE
from bazar.chassis.certificates import MissingCertificates, service_files, token_uri
from bazar.chassis.clock import Clock

ALGORITHM = "EdDSA"
#: A longer header is no token of ours, which has about 1,200 characters.
MAX_TOKEN_LENGTH = 4096
MAX_REMEMBERED = 256
#: PyJWT checks the signature, the audience and what must be there; the times are checked by our own clock.
_REQUIRED = ["iss", "aud", "iat", "exp"]
_OPTIONS: Options = {"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
#: All that a forged token can make the libraries raise.
_MALFORMED = (
    *(jwt.PyJWTError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion, x509.ExtensionNotFound),
    *(ValueError, TypeError, OverflowError, RecursionError, OSError),  # the last two: JSON, fromtimestamp()
)
#: A token is replaced when less than this share of its life remains.
REPLACED_AT = 0.25


@dataclass(eq=False)
class UntrustedCaller(Exception):
    """The token proves nothing; ``reason`` is for the log, not for the caller."""

    reason: str


@dataclass(frozen=True)
class _Known:
    """A token that was made or verified, and the time within which it is used without another look."""

    value: str
    not_before: datetime
    ends_at: datetime

    def holds(self, now: datetime) -> bool:
        return self.not_before <= now < self.ends_at


class TokenIssuer:
    """Makes the tokens by which ``service`` shows itself to others; any thread may ask."""

    def __init__(self, service: str, directory: Path, clock: Clock, lifetime_seconds: int = 300) -> None:
        files = service_files(directory, service)
        key = serialization.load_pem_private_key(files.token_key.read_bytes(), password=None)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise MissingCertificates((files.token_key,))
        certificate = x509.load_pem_x509_certificate(files.token_certificate.read_bytes())
        self._service = service
        self._chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]
        self._key = key
        self._clock = clock
        self._lifetime = timedelta(seconds=lifetime_seconds)
        self._made: dict[str, _Known] = {}  # replaced as a whole: threads race only to do the same work twice

    def token(self, audience: str) -> str:
        """A token for ``audience``, the same one until it nears its end."""
        now = self._clock()
        made = self._made.get(audience)
        if made is None or not made.holds(now):
            made = self._make(audience, now)
            self._made = {**self._made, audience: made}
        return made.value

    def _make(self, audience: str, now: datetime) -> _Known:
        claims = {"iss": self._service, "aud": audience, "iat": now, "exp": now + self._lifetime}
        token = jwt.encode(claims, self._key, ALGORITHM, headers={"x5c": self._chain})
        return _Known(token, now, now + self._lifetime * (1 - REPLACED_AT))


class TokenVerifier:
    """Says who calls ``service``; any thread may ask. ``leeway_seconds`` is for clocks that differ."""

    def __init__(self, service: str, ca_path: Path, clock: Clock, leeway_seconds: int = 30) -> None:
        self._service = service
        self._ca = x509.load_pem_x509_certificate(ca_path.read_bytes())
        self._clock = clock
        self._leeway = timedelta(seconds=leeway_seconds)
        self._verified: dict[str, _Known] = {}  # replaced as a whole, as above

    def caller(self, token: str) -> str:
        """The service that made ``token`` for this one; raises UntrustedCaller."""
        now = self._clock()
        known = self._verified.get(token)
        if known is None or not known.holds(now):
            known = self._verify(token, now)
            live = [entry for entry in self._verified.items() if entry[1].holds(now)]
            self._verified = {**dict(live[1 - MAX_REMEMBERED :]), token: known}
        return known.value

    def _verify(self, token: str, now: datetime) -> _Known:
        if len(token) > MAX_TOKEN_LENGTH:
            raise UntrustedCaller("too long")
        try:
            certificate = _certificate(jwt.get_unverified_header(token))
            certificate.verify_directly_issued_by(self._ca)
            key = certificate.public_key()
            if not isinstance(key, ed25519.Ed25519PublicKey):
                raise TypeError("not a token key")
            claims = jwt.decode(token, key, [ALGORITHM], audience=self._service, options=_OPTIONS)
            _check_owner(certificate, claims["iss"])
            issued_at, ends_at = (datetime.fromtimestamp(claims[name], now.tzinfo) for name in ("iat", "exp"))
        except _MALFORMED as error:
            raise UntrustedCaller(f"{type(error).__name__}: {error}") from error
        known = _Known(
            value=claims["iss"],
            not_before=max(issued_at, certificate.not_valid_before_utc) - self._leeway,
            ends_at=min(ends_at, certificate.not_valid_after_utc) + self._leeway,
        )
        if not known.holds(now):
            raise UntrustedCaller(f"holds from {known.not_before} to {known.ends_at}, now is {now}")
        return known


def _certificate(header: dict[str, Any]) -> x509.Certificate:
    match header.get("x5c"):
        case [str(der)]:
            return x509.load_der_x509_certificate(base64.b64decode(der, validate=True))
        case _:
            raise ValueError("x5c is not one certificate")


def _check_owner(certificate: x509.Certificate, service: str) -> None:
    """A TLS leaf has another usage and URI, so whoever has its key cannot make tokens."""
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if list(usages) != [TOKEN_KEY_USAGE] or uris != [token_uri(service)]:
        raise ValueError("not a token certificate of the issuer")
