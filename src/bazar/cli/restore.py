"""``bazar restore``: the databases of a backup in the place of those that are there, with all servers stopped."""

import shutil
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import click

from bazar.catalog import wiring as catalog_wiring
from bazar.chassis.backup import Manifest, NoBackup, read_backup, write_through
from bazar.chassis.clock import system_clock
from bazar.chassis.database import Database, StorageUnavailable
from bazar.chassis.database_copy import CannotCopy, count_rows, put_back, see_that_it_can_be_put_back
from bazar.chassis.migrations import migrate, revisions_in
from bazar.chassis.pidfile import AlreadyRunning, pid_file
from bazar.cli.backup import CERTIFICATES, IN_THIS_ORDER
from bazar.cli.flags import takes_settings
from bazar.cli.problems import settings, told_plainly
from bazar.contracts.names import CATALOG, FRONTEND, ORDER, SERVICES
from bazar.deployment import url_of
from bazar.frontend import wiring as frontend_wiring
from bazar.order import wiring as order_wiring
from bazar.resources import database
from bazar.settings import Settings

PROBE_SECONDS = 1.0
MIGRATIONS: Mapping[str, Path] = {
    ORDER: order_wiring.MIGRATIONS,
    CATALOG: catalog_wiring.MIGRATIONS,
    FRONTEND: frontend_wiring.MIGRATIONS,
}
#: What follows for each server, before it may start again.
AFTER_RESTORE: Mapping[str, Callable[[Database], None]] = {
    ORDER: order_wiring.after_restore,
    CATALOG: catalog_wiring.after_restore,
    FRONTEND: frontend_wiring.after_restore,
}


class ServerRuns(Exception):
    """Nothing can be restored below a server that runs."""


@click.command()
@click.argument("backup", type=click.Path(path_type=Path), required=False)
@click.option("--only", type=click.Choice(IN_THIS_ORDER), multiple=True, help="This server's database alone.")
@click.option(
    "--by-other-means",
    is_flag=True,
    help="Without BACKUP: the databases were put back otherwise (PostgreSQL's own means, a copy of the data folder); "
    "do what has to follow.",
)
@takes_settings
def restore(backup: Path | None, only: tuple[str, ...], by_other_means: bool) -> None:
    """Put the databases of BACKUP in the place of those that are there, which are moved aside.

    All servers must be stopped. What follows: everybody signs in again, the search index is built anew, and the order
    server compares its decisions with the catalog's holds when it starts.
    """
    if (backup is None) != by_other_means:
        raise click.UsageError("give the folder of a backup, or --by-other-means without one")
    shop = settings()
    with told_plainly(NoBackup, CannotCopy, ServerRuns, StorageUnavailable), _nobody_runs(shop):
        if backup is None:
            for service in only or IN_THIS_ORDER:
                with closing(database(shop, service)) as own:
                    if not count_rows(own.engine.url):
                        raise NoBackup(f"{own.engine.url.render_as_string()} has no tables: put it back first")
                _follow_up(shop, service)
            shop.restore_marker.unlink(missing_ok=True)
        else:
            _restore(shop, backup.expanduser().absolute(), only)
    click.echo("Done. Start the shop, then look at the orders that need a hand: docs/runbook.md says how")


def _restore(shop: Settings, backup: Path, only: Sequence[str]) -> None:
    manifest = read_backup(backup)
    services = _chosen(manifest, only)
    for service in services:
        _check(shop, service, manifest)
    stamp = f"{system_clock():%Y%m%dT%H%M%SZ}"
    _mark(shop, backup)
    for service in services:
        part = manifest.parts[service]
        with closing(database(shop, service)) as own:
            url = own.engine.url
        moved = put_back(url, backup / part.file, part, stamp)
        _follow_up(shop, service)
        click.echo(f"{service}: as of {manifest.made_at}, {sum(part.rows.values())} rows")
        if moved.where:
            click.echo(f"  what was there before: {moved.where}")
    if (backup / CERTIFICATES).is_dir() and not shop.certificates.exists():
        shutil.copytree(backup / CERTIFICATES, shop.certificates)
        click.echo(f"certificates: put into {shop.certificates}")
    shop.restore_marker.unlink()


def _chosen(manifest: Manifest, only: Sequence[str]) -> list[str]:
    for service in only:
        if service not in manifest.parts:
            raise NoBackup(f"the backup has nothing of {service}, only of {', '.join(manifest.parts)}")
    return [service for service in IN_THIS_ORDER if service in (only or manifest.parts)]


def _check(shop: Settings, service: str, manifest: Manifest) -> None:
    part = manifest.parts[service]
    if part.revision not in revisions_in(MIGRATIONS[service]):
        raise NoBackup(
            f"the backup is of Bazar {manifest.version}, whose {service} database this version does not know"
        )
    with closing(database(shop, service)) as own:
        see_that_it_can_be_put_back(own.engine.url, part)


def _follow_up(shop: Settings, service: str) -> None:
    with closing(database(shop, service)) as own:
        migrate(own, MIGRATIONS[service])
        AFTER_RESTORE[service](own)
    if service == CATALOG:
        # Derived from the database, and built anew at the next start.
        shutil.rmtree(shop.data_dir / "search", ignore_errors=True)


def _mark(shop: Settings, backup: Path) -> None:
    """From here on no server starts until it is done."""
    shop.restore_marker.write_text(f"{backup}\n")
    write_through(shop.restore_marker)
    write_through(shop.data_dir)


@contextmanager
def _nobody_runs(shop: Settings) -> Iterator[None]:
    """Be all servers of the data folder, so that none can start meanwhile; raises ServerRuns."""
    shop.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as held:
        for name in ("up", *SERVICES):
            try:
                held.enter_context(pid_file(shop.run_directory, name))
            except AlreadyRunning as error:
                raise ServerRuns(f"stop the shop first: {error}") from error
        for service in SERVICES:
            parts = urlsplit(url_of(shop, service))
            with suppress(OSError):
                socket.create_connection((parts.hostname or "", parts.port or 0), PROBE_SECONDS).close()
                raise ServerRuns(f"stop the shop first: the {service} server, or another program, is at {parts.netloc}")
        yield
