"""``bazar backup``: consistent copies of the databases while the shop sells, with a manifest, and the certificates."""

import shutil
from collections.abc import Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import click

from bazar.catalog.wiring import epoch_of
from bazar.chassis.backup import Part, new_folder, write_manifest
from bazar.chassis.clock import system_clock
from bazar.chassis.database import StorageUnavailable
from bazar.chassis.database_copy import CannotCopy, copy_database
from bazar.cli.flags import takes_settings
from bazar.cli.problems import settings, told_plainly
from bazar.contracts.names import CATALOG, FRONTEND, ORDER
from bazar.contracts.times import rfc3339
from bazar.resources import database
from bazar.settings import Settings

#: The order server before the catalog: what was decided has its hold in the copy that is made later. Accounts last, so
#: that no order is without the account that placed it.
IN_THIS_ORDER = (ORDER, CATALOG, FRONTEND)
CERTIFICATES = "certs"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--only",
    type=click.Choice(IN_THIS_ORDER),
    multiple=True,
    help="This server's database alone (may be given twice): where each server has a machine of its own.",
)
@takes_settings
def backup(folder: Path, only: tuple[str, ...]) -> None:
    """Back up the shop into FOLDER, while it is open.

    Into a new folder inside it, named by the time, where FOLDER has something in it. The backup has all that the data
    folder has, keys of the certificates too: keep it as secret. The settings are not in it.
    """
    shop = settings()
    services = [service for service in IN_THIS_ORDER if not only or service in only]
    with told_plainly(StorageUnavailable, CannotCopy):
        target = _target(folder)
        with new_folder(target) as unfinished:
            parts = _fill(shop, services, unfinished, with_certificates=not only)
    for name, part in parts.items():
        click.echo(f"{name}: {sum(part.rows.values())} rows")
    click.echo(f"Backup in {target}: keep it as secret as {shop.data_dir}")


def _target(folder: Path) -> Path:
    folder = folder.expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise CannotCopy(f"{folder} is a file; give a folder")
    if folder.is_dir() and any(folder.iterdir()):
        return folder / f"bazar-{system_clock():%Y%m%dT%H%M%SZ}"
    return folder


def _fill(shop: Settings, services: Sequence[str], folder: Path, *, with_certificates: bool) -> dict[str, Part]:
    made_at = rfc3339(system_clock())
    parts: dict[str, Part] = {}
    epoch = ""
    for service in services:
        with closing(database(shop, service)) as own:
            parts[service] = copy_database(own.engine.url, folder, service)
            if service == CATALOG:
                epoch = epoch_of(own)
    if with_certificates and shop.certificates.is_dir():
        _copy_certificates(shop.certificates, folder / CERTIFICATES)
    write_manifest(folder, version("bazar"), made_at, epoch, parts)
    return parts


def _copy_certificates(certificates: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    for file in sorted(certificates.iterdir()):
        if file.suffix in {".pem", ".key"}:
            shutil.copyfile(file, target / file.name)
            (target / file.name).chmod(0o600)
