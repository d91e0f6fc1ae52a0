"""``bazar frontend``, ``bazar catalog``, ``bazar order``: one server each, until it is told to stop."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bazar.cli.problems import settings, told_plainly
from bazar.contracts.calls import CATALOG, FRONTEND, ORDER
from bazar.settings import Settings

if TYPE_CHECKING:
    from bazar.chassis.server import RunningService


def _server(service: str, help_text: str) -> click.Command:
    @click.command(service, help=help_text)
    @click.option("--lifeline", type=int, hidden=True, help="Read end of a pipe: the server ends when it closes.")
    @click.option("--log-file", type=click.Path(path_type=Path), help="Write the log there, not to standard error.")
    def command(lifeline: int | None, log_file: Path | None) -> None:
        _serve(service, lifeline, log_file)

    return command


frontend = _server(FRONTEND, "The front-end: shop window and REST API, the only public door.")
catalog = _server(CATALOG, "The catalog: books, prices, stock, holds, search.")
order = _server(ORDER, "The order server: purchases and the list of orders.")


def _serve(service: str, lifeline: int | None, log_file: Path | None) -> None:
    from bazar.chassis.certificates import MissingCertificates  # noqa: PLC0415 - see bazar.cli
    from bazar.chassis.listener import PortTaken  # noqa: PLC0415
    from bazar.chassis.logging import configure_logging  # noqa: PLC0415
    from bazar.chassis.pidfile import AlreadyRunning  # noqa: PLC0415
    from bazar.chassis.server import serve  # noqa: PLC0415
    from bazar.chassis.tls import UnusableCertificate  # noqa: PLC0415
    from bazar.shop import prepare_folders, server_spec  # noqa: PLC0415

    shop = settings()
    configure_logging(service, shop.log_format, shop.log_level, log_file)
    with told_plainly(PortTaken, AlreadyRunning, MissingCertificates, UnusableCertificate, PermissionError):
        prepare_folders(shop)
        serve(server_spec(shop, service, lifeline), partial(_build, service, shop))


def _build(service: str, shop: Settings) -> "RunningService":
    # In the worker: the master neither needs nor pays for what the server is made of.
    build: Callable[[Settings], RunningService] = import_module(f"bazar.{service}.wiring").build
    return build(shop)
