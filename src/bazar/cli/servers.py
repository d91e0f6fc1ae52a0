"""``bazar frontend``, ``bazar catalog``, ``bazar order``: one server each, until it is told to stop.

What a server is made of is imported in its worker: the master, which only watches, stays small.
"""

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from subprocess import CalledProcessError

import click

from bazar.chassis.certificates import MissingCertificates, service_files
from bazar.chassis.lanes import most_threads
from bazar.chassis.listener import PortTaken
from bazar.chassis.pidfile import AlreadyRunning
from bazar.chassis.server import RunningService, ServerSpec, serve
from bazar.chassis.tls import UnusableCertificate
from bazar.cli.flags import takes_settings
from bazar.cli.problems import settings, told_plainly
from bazar.contracts.names import CATALOG, FRONTEND, ORDER
from bazar.deployment import RestoreUnfinished, port_of, prepare_folders
from bazar.settings import Settings


def _server(service: str, help_text: str) -> click.Command:
    @click.command(service, help=help_text)
    @click.option("--host", help="Address to listen on; the bind address of the settings unless given.")
    @click.option("--log-file", type=click.Path(path_type=Path), help="Write the log there, not to standard error.")
    @click.option("--lifeline", type=int, hidden=True, help="Read end of a pipe: the server ends when it closes.")
    @takes_settings
    def command(host: str | None, log_file: Path | None, lifeline: int | None) -> None:
        shop = settings()
        with told_plainly(PortTaken, AlreadyRunning, MissingCertificates, UnusableCertificate, RestoreUnfinished):
            prepare_folders(shop)
            spec = _spec(shop, service, host or shop.bind_address, lifeline)
            serve(spec, partial(_build, service, shop, log_file))

    return command


frontend = _server(FRONTEND, "The front-end: shop window and REST API, the only public door.")
catalog = _server(CATALOG, "The catalog: books, prices, stock, holds, search.")
order = _server(ORDER, "The order server: purchases and the list of orders.")


def _spec(shop: Settings, service: str, host: str, lifeline: int | None) -> ServerSpec:
    """Neighbours must show a certificate of the shop's CA; people see the shop's public one if there is one."""
    files = service_files(shop.certificates, service)
    certificate, key = files.certificate, files.key
    if service == FRONTEND and shop.tls_certificate and shop.tls_key:
        certificate, key = shop.tls_certificate, shop.tls_key
    port = port_of(shop, service)
    return ServerSpec(
        service=service,
        host=host,
        port=port,
        run_directory=shop.run_directory,
        certificate=certificate,
        key=key,
        client_ca=None if service == FRONTEND else files.ca,
        blocking_threads=most_threads(shop.threads),
        lifeline=lifeline,
        core=port if service == FRONTEND and shop.one_core else None,
    )


def _build(service: str, shop: Settings, log_file: Path | None) -> RunningService:
    from bazar.chassis.database import StorageUnavailable, UnusableDatabase  # noqa: PLC0415 - in the worker, see above
    from bazar.chassis.logging import configure_logging, get_logger  # noqa: PLC0415 - as above
    from bazar.chassis.supervisor import NEEDS_A_PERSON  # noqa: PLC0415 - as above

    configure_logging(service, shop.log_format, shop.log_level, log_file)
    build: Callable[[Settings], RunningService] = import_module(f"bazar.{service}.wiring").build
    try:
        return build(shop)
    except (StorageUnavailable, UnusableDatabase, CalledProcessError) as error:
        get_logger(__name__).error("database_unavailable", detail=str(error))
        click.echo(f"the {service} server cannot open its database: {error}", err=True)
        sys.exit(NEEDS_A_PERSON if isinstance(error, UnusableDatabase) else 1)
