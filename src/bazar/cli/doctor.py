"""``bazar doctor``: what is wrong with this shop, and how to mend it."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import click
import msgspec
from sqlalchemy.exc import SQLAlchemyError

from bazar.chassis.certificates import CertificateInfo, MissingCertificates, describe
from bazar.chassis.client import NeighbourUnavailable
from bazar.chassis.clock import Deadline, system_clock
from bazar.chassis.database import StorageUnavailable, UnusableDatabase
from bazar.chassis.listener import PortTaken, ensure_port_free
from bazar.chassis.migrations import check
from bazar.chassis.pidfile import live_processes
from bazar.cli.flags import takes_settings
from bazar.cli.problems import settings, to_run, told_plainly, unwritable
from bazar.contracts.names import FRONTEND, OPERATOR, SERVICES
from bazar.deployment import port_of, url_of
from bazar.resources import database, marker_of, neighbour
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
@takes_settings
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
    with told_plainly(NeighbourUnavailable, MissingCertificates, OSError):
        status, body = _ask(shop, service, f"/{show}")
    click.echo(body.decode())
    sys.exit(0 if status == READY else 1)


def _ask(shop: Settings, service: str, path: str) -> tuple[int, bytes]:
    with closing(neighbour(shop, OPERATOR, service)) as client:
        return client.get_raw(path, Deadline.after(PROBE_SECONDS))


def _findings(shop: Settings) -> Iterator[Finding]:
    looks: dict[str, Callable[[], Iterable[Finding]]] = {
        "data folder": lambda: [_folder(shop)],
        "restore": lambda: _restore(shop),
        "certificates": lambda: _certificates(shop),
        **{f"{service} server": partial(_server, shop, service) for service in SERVICES},
        **{f"database of the {service} server": partial(_database, shop, service) for service in SERVICES},
    }
    for what, look in looks.items():
        try:
            yield from look()
        except Exception as error:  # noqa: BLE001 - told, and all else is looked at as well
            yield Finding(what, f"cannot be looked at: {error!r}", "mend that, or tell whoever maintains Bazar")


def _folder(shop: Settings) -> Finding:
    folder = shop.data_dir
    if wrong := unwritable(folder):
        return Finding("data folder", *wrong)
    if not folder.exists():
        return Finding(
            "data folder",
            f"{folder} does not exist",
            f"{to_run('up')} makes it; one that lies elsewhere is named by BAZAR_DATA_DIR",
        )
    return Finding("data folder", str(folder))


def _restore(shop: Settings) -> Iterator[Finding]:
    if shop.restore_marker.exists():
        backup = shop.restore_marker.read_text().strip()
        yield Finding("restore", "was interrupted", f"run it again: {to_run(f'restore {backup}')}")


def _certificates(shop: Settings) -> Iterator[Finding]:
    folder = shop.certificates
    try:
        found = describe(folder, system_clock) if os.access(folder, os.X_OK) else []
    except ValueError as error:
        yield Finding(
            "certificates",
            f"a file in {folder} is no certificate: {error}",
            f"{to_run('certs rotate')} makes all new but ca.pem; without that, move the folder away and start anew",
        )
        return
    if not found:
        yield Finding("certificates", f"none in {folder}", f"{to_run('up')} makes them")
    for certificate in found:
        yield _certificate(certificate)


def _certificate(certificate: CertificateInfo) -> Finding:
    what, day = f"certificate {certificate.file}", f"{certificate.not_after:%Y-%m-%d}"
    if certificate.days_left >= SOON_DAYS:
        return Finding(what, f"ends {day}, in {certificate.days_left} days")
    detail = f"ends {day}, in {certificate.days_left} days" if certificate.days_left >= 0 else f"ended {day}"
    if certificate.file == "ca.pem":
        return Finding(what, detail, "stop the shop, move its folder away, start it, and have people trust the new one")
    return Finding(what, detail, to_run("certs rotate"))


def _server(shop: Settings, service: str) -> Iterator[Finding]:
    what, url = f"{service} server", url_of(shop, service)
    is_ours = service in live_processes(shop.run_directory)
    try:
        began = system_clock()
        status, body = _ask(shop, service, "/healthz")
        ended = system_clock()
    except (NeighbourUnavailable, MissingCertificates, OSError) as error:
        reason = error.detail if isinstance(error, NeighbourUnavailable) else str(error)
        yield _silent_server(shop, service, is_ours=is_ours, reason=reason)
        return
    if status != READY:
        yield Finding(what, f"answers {status}", f"look into {shop.data_dir / 'logs' / f'{service}.log'}")
        return
    if _is_here(url) and not is_ours:
        yield Finding(
            what,
            f"answers at {url}, but was not started from {shop.data_dir}",
            f"end the leftover server: {_who_listens(port_of(shop, service))} names it",
        )
    else:
        yield Finding(what, f"answers at {url}")
    yield _clock_of(what, body, began + (ended - began) / 2)


def _clock_of(what: str, body: bytes, ours: datetime) -> Finding:
    theirs = msgspec.json.decode(body, type=dict[str, str]).get("time", "")
    difference = abs((datetime.fromisoformat(theirs) - ours).total_seconds())
    late = difference > LARGEST_CLOCK_DIFFERENCE_SECONDS
    return Finding(f"clock of the {what}", f"{difference:.1f} s from ours", "set both clocks by NTP" if late else "")


def _silent_server(shop: Settings, service: str, *, is_ours: bool, reason: str) -> Finding:
    what, url, port = f"{service} server", url_of(shop, service), port_of(shop, service)
    if is_ours:
        return Finding(what, f"runs and does not answer: {reason}", f"look into {shop.data_dir / 'logs'}")
    if not _is_here(url):
        return Finding(what, f"does not answer at {url}: {reason}", "see that it runs there and can be reached")
    try:
        ensure_port_free(shop.bind_address if service == FRONTEND else LOOPBACK, port)
    except PortTaken as taken:
        return Finding(
            what,
            f"{taken}, perhaps a server left over from another data folder",
            f"end it ({_who_listens(port)} names it) or choose other ports with BAZAR_PORT",
        )
    except OSError as error:
        return Finding(what, f"port {port} cannot be used: {error.strerror}", "choose another with BAZAR_PORT")
    return Finding(what, "does not run", f"start it: {to_run('up')}")


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname == LOOPBACK


def _who_listens(port: int) -> str:
    return f"ss -ltnp 'sport = :{port}'"


def _database(shop: Settings, service: str) -> Iterator[Finding]:
    what = f"database of the {service} server"
    try:
        own = database(shop, service)
    except (SQLAlchemyError, ValueError) as error:
        yield Finding(what, f"its URL cannot be read: {error}", f"mend BAZAR_{service.upper()}_DATABASE_URL")
        return
    file = own.engine.url.database if own.is_sqlite else None
    try:
        check(own, marker_of(shop, service))
        if own.is_absent:
            yield Finding(what, f"{file} does not exist", f"{to_run('up')} makes it")
        else:
            own.ping()
            yield Finding(what, "answers")
    except UnusableDatabase as error:
        yield Finding(what, error.detail, error.remedy)
    except (StorageUnavailable, SQLAlchemyError) as error:
        cause = error.__cause__ if isinstance(error, SQLAlchemyError) else error
        remedy = f"see that {file} is whole and can be written" if file else "see that it runs, and check URL and user"
        yield Finding(what, str(cause).splitlines()[0], remedy)
    finally:
        own.close()
