"""How the private CA signs, and how its files reach the disk whole or not at all."""

import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_VALIDITY = timedelta(days=3650)
#: What the CA/Browser Forum long allowed; renewed by ``ensure_certificates`` well before.
LEAF_VALIDITY = timedelta(days=397)
#: A certificate made a moment ago must also hold where the clock is slow, or is set back by a day.
BACKDATED = timedelta(days=2)
#: id-kp-jwt, RFC 9509 section 3. It keeps TLS from taking a token certificate for a leaf.
TOKEN_KEY_USAGE = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.37")
TLS_KEY_USAGES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Wanted:
    """One certificate as it ought to be."""

    name: str
    subject: str
    names: tuple[x509.GeneralName, ...]
    usages: tuple[x509.ObjectIdentifier, ...]

    def new_key(self) -> PrivateKey:
        """A fresh key of the kind that its use asks for."""
        if TOKEN_KEY_USAGE in self.usages:
            return ed25519.Ed25519PrivateKey.generate()
        return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Authority:
    """The CA with what it signs with."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def new_ca(now: datetime) -> Authority:
    """A CA with a key of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    # A name of its own tells this CA from the one of another data folder in a browser's list.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Private CA {secrets.token_hex(4)}")])
    builder = _builder(
        subject=name,
        issuer=name,
        subject_key=key.public_key(),
        issuer_key=key.public_key(),
        now=now,
        end=now + CA_VALIDITY,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def sign(wanted: Wanted, key: PrivateKey, ca: Authority, now: datetime) -> x509.Certificate:
    """``wanted`` for the holder of ``key``; it does not outlive the CA."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted.subject)])
    end = min(now + LEAF_VALIDITY, ca.certificate.not_valid_after_utc)
    builder = _builder(
        subject=subject,
        issuer=ca.certificate.subject,
        subject_key=key.public_key(),
        issuer_key=ca.key.public_key(),
        now=now,
        end=end,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(wanted.usages), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(wanted.names), critical=False)
    return builder.sign(ca.key, hashes.SHA256())


def _builder(
    *,
    subject: x509.Name,
    issuer: x509.Name,
    subject_key: PublicKey,
    issuer_key: PublicKey,
    now: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(subject_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def write_pair(directory: Path, name: str, key: PrivateKey, certificate: x509.Certificate) -> None:
    """PEM files ``<name>.key`` (mode 0600) and ``<name>.pem``.

    Key first: a crash in between leaves a pair that does not match and is made again.
    """
    pkcs8 = key.private_bytes(  # the one form that rustls reads for every kind of key
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(directory / f"{name}.key", pkcs8, 0o600)
    _write(directory / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
