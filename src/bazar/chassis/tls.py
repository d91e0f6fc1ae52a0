"""TLS 1.3 between the servers: what a caller needs, and what a server's files must be.

A caller that dials an address asks for the service's name with ``server_hostname``.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(eq=False)
class UnusableCertificate(Exception):
    """A certificate and key that no server can be started with."""

    certificate: Path
    key: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.certificate} and {self.key} cannot serve TLS: {self.reason}"


def client_context(ca: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """Trusts ``ca`` alone, shows ``certificate``, checks the server's name; one for all connections."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # with it come CERT_REQUIRED and check_hostname
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(ca)
    context.load_cert_chain(certificate, key)
    return context


def check_server_files(certificate: Path, key: Path) -> None:
    """See that the two belong together and the key is PKCS#8; raises UnusableCertificate."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, _no_password)
        pkcs8 = b"-----BEGIN PRIVATE KEY-----" in key.read_bytes()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise UnusableCertificate(certificate, key, str(error)) from error
    if not pkcs8:
        raise UnusableCertificate(certificate, key, "the key is not PKCS#8; openssl pkcs8 -topk8 -nodes converts it")


def _no_password() -> str:
    """Without it OpenSSL asks on the terminal for the password of an encrypted key, and waits."""
    raise ValueError("the key is encrypted")
