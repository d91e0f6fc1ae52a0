"""What wiring opens from the settings: calls to neighbours, the check of who calls, a database."""

from pathlib import Path

from bazar.chassis.certificates import service_files
from bazar.chassis.client import ServiceClient
from bazar.chassis.clock import system_clock
from bazar.chassis.database import Database, UnusableDatabase
from bazar.chassis.lanes import MANY_TIMES
from bazar.chassis.migrations import migrate_outside
from bazar.chassis.service_token import TokenIssuer, TokenVerifier
from bazar.contracts.names import CATALOG, FRONTEND, ORDER
from bazar.deployment import certificate_name, tls_to, url_of
from bazar.settings import Settings

#: Connections beyond those of requests: the loops, readiness.
SPARE_CONNECTIONS = 4


def neighbour(settings: Settings, caller: str, service: str) -> ServiceClient:
    """Calls ``service`` in the name of ``caller``, wherever the settings say that it is."""
    tokens = TokenIssuer(caller, settings.certificates, system_clock)
    return ServiceClient(
        service,
        url_of(settings, service),
        tls_to(settings, caller, service),
        tokens.token,
        most_connections=MANY_TIMES * settings.threads + SPARE_CONNECTIONS,
        certificate_name=certificate_name(settings, service),
    )


def verifier(settings: Settings, service: str) -> TokenVerifier:
    """Checks who calls ``service``."""
    return TokenVerifier(service, service_files(settings.certificates, service).ca, system_clock)


def own_database(settings: Settings, service: str, migrations: Path) -> Database:
    """The database of one service with its tables; raises DatabaseGone, StorageUnavailable."""
    own = database(settings, service)
    marker = marker_of(settings, service)
    marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate_outside(own, migrations, marker)
    return own


def marker_of(settings: Settings, service: str) -> Path:
    """The file that says that a service's database was made."""
    return settings.run_directory / f"{service}.database"


def check_currency(settings: Settings, kept: str) -> None:
    """See that the shop sells in the currency that its data are in; raises UnusableDatabase."""
    if settings.currency != kept:
        raise UnusableDatabase(
            f"its prices are in {kept}, and BAZAR_CURRENCY is {settings.currency}",
            f"start with BAZAR_CURRENCY={kept}; a shop in another currency begins with another data folder",
        )


def database(settings: Settings, service: str) -> Database:
    """The database of one service."""
    url = {
        CATALOG: settings.catalog_database_url,
        ORDER: settings.order_database_url,
        FRONTEND: settings.frontend_database_url,
    }[service]
    return Database(url)
