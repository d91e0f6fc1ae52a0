"""What the wiring of every server shares: from the settings to certificates, neighbours and databases."""

from urllib.parse import urlsplit

from bazar.chassis.certificates import LeafSpec, ensure_certificates, service_files
from bazar.chassis.client import ServiceClient
from bazar.chassis.clock import system_clock
from bazar.chassis.database import Database
from bazar.chassis.server import ServerSpec
from bazar.chassis.service_token import TokenIssuer, TokenVerifier
from bazar.chassis.tls import client_context
from bazar.contracts.calls import CATALOG, FRONTEND, OPERATOR, ORDER
from bazar.settings import Settings

#: Connections beyond one per request: the loops, readiness, a command beside them.
SPARE_CONNECTIONS = 4


def leaf_specs(settings: Settings) -> tuple[LeafSpec, ...]:
    """Every certificate of the shop. The front-end has the names that people type."""
    public = urlsplit(settings.public_url).hostname or "localhost"
    names = tuple(dict.fromkeys((public, "localhost", "127.0.0.1", "::1")))
    return (LeafSpec(CATALOG), LeafSpec(ORDER), LeafSpec(FRONTEND, names), LeafSpec(OPERATOR))


def prepare_folders(settings: Settings) -> None:
    """The data folder, for nobody else's eyes, and certificates for all; safe where several start together."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    ensure_certificates(settings.certificates, leaf_specs(settings), system_clock)


def server_spec(settings: Settings, service: str, lifeline: int | None) -> ServerSpec:
    """Where a service listens, and with which certificate. Neighbours must show one of the shop's CA."""
    files = service_files(settings.certificates, service)
    internal = service != FRONTEND
    certificate, key = files.certificate, files.key
    if not internal and settings.tls_certificate and settings.tls_key:
        certificate, key = settings.tls_certificate, settings.tls_key
    return ServerSpec(
        service=service,
        host=settings.bind_address,
        port=port_of(settings, service),
        run_directory=settings.run_directory,
        certificate=certificate,
        key=key,
        client_ca=files.ca if internal else None,
        blocking_threads=settings.threads,
        lifeline=lifeline,
    )


def port_of(settings: Settings, service: str) -> int:
    """The port that a service listens on."""
    return {FRONTEND: settings.port, CATALOG: settings.catalog_port, ORDER: settings.order_port}[service]


def neighbour(settings: Settings, caller: str, service: str) -> ServiceClient:
    """Calls ``service`` in the name of ``caller``, wherever the settings say that it is."""
    files = service_files(settings.certificates, caller)
    tls = client_context(files.ca, files.certificate, files.key)
    certificate_name = service
    if service == FRONTEND and settings.tls_certificate:
        tls.load_default_certs()
        tls.load_verify_locations(settings.tls_certificate)
        certificate_name = urlsplit(settings.public_url).hostname or service
    url = {
        CATALOG: settings.catalog_url,
        ORDER: settings.order_url,
        FRONTEND: f"https://127.0.0.1:{settings.port}",
    }[service]
    tokens = TokenIssuer(caller, settings.certificates, system_clock)
    return ServiceClient(
        service,
        url,
        tls,
        tokens.token,
        most_connections=settings.threads + SPARE_CONNECTIONS,
        certificate_name=certificate_name,
    )


def verifier(settings: Settings, service: str) -> TokenVerifier:
    """Checks who calls ``service``."""
    return TokenVerifier(service, service_files(settings.certificates, service).ca, system_clock)


def database(settings: Settings, service: str) -> Database:
    """The database of one service."""
    url = {
        CATALOG: settings.catalog_database_url,
        ORDER: settings.order_database_url,
        FRONTEND: settings.frontend_database_url,
    }[service]
    return Database(url, most_connections=settings.threads + SPARE_CONNECTIONS)
