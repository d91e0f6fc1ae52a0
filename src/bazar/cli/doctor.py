"""``bazar doctor``: what is wrong with this shop, and how to mend it."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import click
import msgspec

from bazar.chassis.certificates import MissingCertificates, describe
from bazar.chassis.client import NeighbourUnavailable
from bazar.chassis.clock import Deadline, system_clock
from bazar.chassis.database import StorageUnavailable
from bazar.chassis.listener import PortTaken, ensure_port_free
from bazar.chassis.pidfile import live_processes
from bazar.cli.problems import settings, told_plainly
from bazar.contracts.names import OPERATOR, SERVICES
from bazar.deployment import port_of, url_of
from bazar.resources import database, neighbour
from bazar.settings import LOOPBACK, Settings

PROBE_SECONDS = 2.0
SOON_DAYS = 30
READY = 200
#: Service tokens allow for 30 s between two clocks.
LARGEST_CLOCK_DIFFERENCE_SECONDS = 20


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``remedy`` where it is not as it should be."""

    what: str
    detail: str
    remedy: str = ""


@click.command()
@click.option("--probe", type=click.Choice(SERVICES), help="Ask one server only; exit status 0 if it is ready.")
@click.option(
    "--show",
    type=click.Choice(["healthz", "readyz", "metrics"]),
    default="readyz",
    show_default=True,
    help="With --probe: what to ask for.",
)
def doctor(probe: str | None, show: str) -> None:
    """Say what is wrong with the shop, and how to mend it; exit status 1 if anything is."""
    shop = settings()
    if probe is not None:
        _probe(shop, probe, show)
        return
    wrong = 0
    for finding in _findings(shop):
        mark = "wrong" if finding.remedy else "ok"
        click.echo(f"{mark:5}  {finding.what}: {finding.detail}")
        if finding.remedy:
            wrong += 1
            click.echo(f"       → {finding.remedy}")
    sys.exit(1 if wrong else 0)


def _probe(shop: Settings, service: str, show: str) -> None:
    with told_plainly(NeighbourUnavailable, MissingCertificates, FileNotFoundError):
        status, body = neighbour(shop, OPERATOR, service).get_raw(f"/{show}", Deadline.after(PROBE_SECONDS))
    click.echo(body.decode())
    sys.exit(0 if status == READY else 1)


def _findings(shop: Settings) -> Iterator[Finding]:
    yield _folder(shop)
    yield from _certificates(shop)
    for service in SERVICES:
        yield from _server(shop, service)
    for service in SERVICES:
        yield _database(shop, service)


def _folder(shop: Settings) -> Finding:
    folder = shop.data_dir
    if not folder.exists():
        return Finding("data folder", f"{folder} does not exist", "bazar up makes it")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(
            "data folder",
            f"{folder} cannot be written",
            f"give it to the user who runs Bazar: chown -R USER {folder}",
        )
    return Finding("data folder", str(folder))


def _certificates(shop: Settings) -> Iterator[Finding]:
    found = describe(shop.certificates, system_clock) if os.access(shop.certificates, os.X_OK) else []
    if not found:
        yield Finding("certificates", f"none in {shop.certificates}", "bazar up makes them")
    for certificate in found:
        ends = f"ends {certificate.not_after:%Y-%m-%d}, in {certificate.days_left} days"
        ending = certificate.days_left < SOON_DAYS
        yield Finding(f"certificate {certificate.file}", ends, "bazar certs rotate" if ending else "")


def _server(shop: Settings, service: str) -> Iterator[Finding]:
    what = f"{service} server"
    port = port_of(shop, service)
    is_ours = service in live_processes(shop.run_directory)
    try:
        began = system_clock()
        status, body = neighbour(shop, OPERATOR, service).get_raw("/healthz", Deadline.after(PROBE_SECONDS))
        ended = system_clock()
    except (NeighbourUnavailable, MissingCertificates, OSError) as error:
        yield _silent_server(shop, what, port, is_ours, str(error))
        return
    if status != READY:
        yield Finding(what, f"answers {status}", f"look into {shop.data_dir / 'logs' / f'{service}.log'}")
        return
    if not is_ours and LOOPBACK in url_of(shop, service):
        yield Finding(
            what,
            f"answers on port {port}, but was not started from {shop.data_dir}",
            f"end the leftover server: find it with ss -ltnp 'sport = :{port}'",
        )
    else:
        yield Finding(what, f"answers on port {port}")
    there = msgspec.json.decode(body, type=dict[str, str]).get("time", "")
    difference = abs((datetime.fromisoformat(there) - (began + (ended - began) / 2)).total_seconds())
    late = difference > LARGEST_CLOCK_DIFFERENCE_SECONDS
    yield Finding(f"clock of the {what}", f"{difference:.1f} s from ours", "set both clocks by NTP" if late else "")


def _silent_server(shop: Settings, what: str, port: int, is_ours: bool, error: str) -> Finding:
    if is_ours:
        return Finding(what, f"runs and does not answer: {error}", f"look into {shop.data_dir / 'logs'}")
    try:
        ensure_port_free(shop.bind_address, port)
    except PortTaken as taken:
        return Finding(
            what,
            str(taken),
            f"end that program (ss -ltnp 'sport = :{port}') or choose other ports with BAZAR_PORT",
        )
    return Finding(what, f"does not run: {error}", "start it: bazar up")


def _database(shop: Settings, service: str) -> Finding:

    what = f"database of the {service} server"
    own = database(shop, service)
    try:
        own.ping()
    except StorageUnavailable as error:
        return Finding(what, str(error).splitlines()[0], "see that it runs, and check the URL, user and password")
    finally:
        own.close()
    return Finding(what, "answers")
