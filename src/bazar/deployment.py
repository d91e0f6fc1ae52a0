"""Where the servers of a shop listen and what certificates they have: from the settings, opening nothing."""

import ssl
from urllib.parse import urlsplit

from bazar.chassis.certificates import LeafSpec, ensure_certificates, service_files
from bazar.chassis.clock import system_clock
from bazar.chassis.tls import client_context
from bazar.contracts.names import CATALOG, FRONTEND, OPERATOR, ORDER
from bazar.settings import LOOPBACK, Settings


def leaf_specs(settings: Settings) -> tuple[LeafSpec, ...]:
    """Every certificate of the shop. The front-end has the names that people type."""
    public = urlsplit(settings.public_url).hostname or "localhost"
    names = tuple(dict.fromkeys((public, "localhost", "127.0.0.1", "::1")))
    return (LeafSpec(CATALOG), LeafSpec(ORDER), LeafSpec(FRONTEND, names), LeafSpec(OPERATOR))


class RestoreUnfinished(Exception):
    """Part of the data is that of a backup and part is not."""

    def __init__(self, backup: str) -> None:
        super().__init__(f"a restore was interrupted: run it again (bazar restore {backup})")


def prepare_folders(settings: Settings) -> tuple[str, ...]:
    """The data folder, for nobody else's eyes, and certificates for all; safe where several start together.

    Returns the names of the certificates that were made. Raises RestoreUnfinished.
    """
    if settings.restore_marker.exists():
        raise RestoreUnfinished(settings.restore_marker.read_text().strip())
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ensure_certificates(settings.certificates, leaf_specs(settings), system_clock)


def port_of(settings: Settings, service: str) -> int:
    """The port that a service listens on."""
    return {FRONTEND: settings.port, CATALOG: settings.catalog_port, ORDER: settings.order_port}[service]


def tls_to(settings: Settings, caller: str, service: str) -> ssl.SSLContext:
    """How ``caller`` connects to ``service``."""
    files = service_files(settings.certificates, caller)
    context = client_context(files.ca, files.certificate, files.key)
    if service == FRONTEND and settings.tls_certificate:
        context.load_default_certs()
        context.load_verify_locations(settings.tls_certificate)
    return context


def certificate_name(settings: Settings, service: str) -> str:
    """The name that a server's certificate must have: its own, or the public one that the shop was given."""
    if service == FRONTEND and settings.tls_certificate:
        return urlsplit(settings.public_url).hostname or service
    return service


def reachable(host: str) -> str:
    """The address to call where a server listens on ``host``; in a URL, IPv6 stands in brackets."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return LOOPBACK
    return f"[{host}]" if ":" in host else host


def url_of(settings: Settings, service: str) -> str:
    """Where a service is called; the front-end only by commands on its own machine."""
    return {
        CATALOG: settings.catalog_url,
        ORDER: settings.order_url,
        FRONTEND: f"https://{reachable(settings.bind_address)}:{settings.port}",
    }[service]
