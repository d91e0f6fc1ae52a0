"""The private CA and what it signs: for each service a TLS leaf and a key that signs its tokens.

All lie as PEM in one folder of mode 0700: ``ca.pem``, ``ca.key``, ``<service>.pem``, ``<service>.key``,
``<service>-token.pem``, ``<service>-token.key``. On several machines a server gets ``ca.pem`` and its own
four files; the CA's key stays with the operator.
"""

import fcntl
import ipaddress
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bazar.chassis.authority import (
    TLS_KEY_USAGES,
    TOKEN_KEY_USAGE,
    Authority,
    Wanted,
    new_ca,
    sign,
    write_pair,
)
from bazar.chassis.clock import Clock

RENEWED_BEFORE_END = timedelta(days=30)


@dataclass(eq=False)
class MissingCertificates(Exception):
    """Files that are needed and that only the holder of the CA's key can make."""

    missing: tuple[Path, ...]

    def __str__(self) -> str:
        return f"no usable {', '.join(map(str, self.missing))}: copy what the CA's holder made for this machine"


@dataclass(frozen=True)
class LeafSpec:
    """A service and the names, DNS or IP, that it is reached by besides its own."""

    service: str
    extra_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceFiles:
    """Where the certificates of one service lie."""

    ca: Path
    certificate: Path
    key: Path
    token_certificate: Path
    token_key: Path


@dataclass(frozen=True)
class CertificateInfo:
    """What an operator wants to know about a certificate; the fingerprint is SHA-256 in hex."""

    file: str
    subject: str
    names: tuple[str, ...]
    not_after: datetime
    days_left: int
    fingerprint: str


def service_uri(service: str) -> str:
    """The URI by which a TLS leaf names its service."""
    return f"service://{service}"


def token_uri(service: str) -> str:
    """The URI by which a token certificate names its service."""
    return f"service://{service}/token"


def service_files(directory: Path, service: str) -> ServiceFiles:
    """The paths of what ``service`` needs."""
    return ServiceFiles(
        ca=directory / "ca.pem",
        certificate=directory / f"{service}.pem",
        key=directory / f"{service}.key",
        token_certificate=directory / f"{service}-token.pem",
        token_key=directory / f"{service}-token.key",
    )


def ensure_certificates(directory: Path, leaves: Sequence[LeafSpec], clock: Clock) -> tuple[str, ...]:
    """Make what is missing, damaged, lacks a name or ends within 30 days; the names of what was made.

    Safe where several processes start together. Where the CA's key is not here, nothing is made, renewals are
    left to its holder, and MissingCertificates is raised if something cannot be used at all.
    """
    return _issue(directory, leaves, clock(), renew_all=False)


def rotate(directory: Path, leaves: Sequence[LeafSpec], clock: Clock) -> tuple[str, ...]:
    """Make new leaves and token keys under the same CA; raises MissingCertificates without the CA's key."""
    if not (directory / "ca.key").exists():
        raise MissingCertificates((directory / "ca.key",))
    return _issue(directory, leaves, clock(), renew_all=True)


def check_certificates(directory: Path, services: Sequence[str]) -> None:
    """See that all files are here, belong together and are of this CA; raises MissingCertificates."""
    ca_path = directory / "ca.pem"
    if not ca_path.exists():
        raise MissingCertificates((ca_path,))
    ca = x509.load_pem_x509_certificate(ca_path.read_bytes())
    wanted = [one for service in services for one in _wanted(LeafSpec(service))]
    if missing := tuple(directory / f"{one.name}.pem" for one in wanted if _usable(directory, one, ca) is None):
        raise MissingCertificates(missing)


def describe(directory: Path, clock: Clock) -> list[CertificateInfo]:
    """All certificates in the folder, the CA first."""
    paths = sorted(directory.glob("*.pem"), key=lambda path: (path.name != "ca.pem", path.name))
    return [_info(path, clock()) for path in paths]


def _info(path: Path, now: datetime) -> CertificateInfo:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return CertificateInfo(
        file=path.name,
        subject=certificate.subject.rfc4514_string(),
        names=tuple(str(name.value) for name in _names(certificate)),
        not_after=certificate.not_valid_after_utc,
        days_left=(certificate.not_valid_after_utc - now).days,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
    )


def _wanted(leaf: LeafSpec) -> tuple[Wanted, Wanted]:
    names = (
        x509.DNSName(leaf.service),
        x509.UniformResourceIdentifier(service_uri(leaf.service)),
        *(_general_name(name) for name in leaf.extra_names),
    )
    token_names = (x509.UniformResourceIdentifier(token_uri(leaf.service)),)
    return (
        Wanted(leaf.service, leaf.service, names, TLS_KEY_USAGES),
        Wanted(f"{leaf.service}-token", f"{leaf.service} token", token_names, (TOKEN_KEY_USAGE,)),
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _names(certificate: x509.Certificate) -> tuple[x509.GeneralName, ...]:
    try:
        return tuple(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return ()


def _issue(directory: Path, leaves: Sequence[LeafSpec], now: datetime, *, renew_all: bool) -> tuple[str, ...]:
    wanted = [one for leaf in leaves for one in _wanted(leaf)]
    if not (directory / "ca.key").exists() and any(directory.glob("*.pem")):
        check_certificates(directory, [leaf.service for leaf in leaves])
        return ()
    with _locked(directory):
        made = []
        if not (directory / "ca.pem").exists():
            first = new_ca(now)
            write_pair(directory, "ca", first.key, first.certificate)
            made.append("ca")
        ca = _load_ca(directory)
        due = [one for one in wanted if renew_all or not _good(directory, one, ca.certificate, now)]
        for one in due:
            key = one.new_key()
            write_pair(directory, one.name, key, sign(one, key, ca, now))
            made.append(one.name)
    return tuple(made)


def _usable(directory: Path, wanted: Wanted, ca: x509.Certificate) -> x509.Certificate | None:
    """The certificate, if it can be read, has its key beside it and was issued by ``ca``."""
    try:
        certificate = x509.load_pem_x509_certificate((directory / f"{wanted.name}.pem").read_bytes())
        key = serialization.load_pem_private_key((directory / f"{wanted.name}.key").read_bytes(), password=None)
        certificate.verify_directly_issued_by(ca)
    except (FileNotFoundError, ValueError, InvalidSignature):
        return None
    return certificate if key.public_key() == certificate.public_key() else None


def _good(directory: Path, wanted: Wanted, ca: x509.Certificate, now: datetime) -> bool:
    certificate = _usable(directory, wanted, ca)
    return (
        certificate is not None
        and set(wanted.names) <= set(_names(certificate))
        and now + RENEWED_BEFORE_END < certificate.not_valid_after_utc
    )


def _load_ca(directory: Path) -> Authority:
    try:
        key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())
    except ValueError as error:
        raise MissingCertificates((directory / "ca.key", directory / "ca.pem")) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise MissingCertificates((directory / "ca.key",))
    return Authority(certificate, key)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One process at a time makes certificates in ``directory``, which is created with mode 0700."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
