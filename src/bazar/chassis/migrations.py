"""Bring a service's database to the current schema (Alembic), safe when two processes start together."""

import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from bazar.chassis.database import Database, StorageUnavailable, UnusableDatabase


def migrate(database: Database, folder: Path) -> None:
    """Run the migrations of ``folder`` that the database lacks, all or none."""
    from alembic import command  # noqa: PLC0415 - 10 MB that most starts can do without
    from alembic.config import Config  # noqa: PLC0415 - as above

    with database.migrating() as connection:
        config = Config()
        # A percent sign is special to the ini reader behind Config.
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


class DatabaseGone(UnusableDatabase):
    """There was a database, and now there is an empty one."""

    def __init__(self, url: str, marker: Path) -> None:
        super().__init__(f"{url} is gone or empty", f"restore it; to begin anew without what it held, remove {marker}")


def check(database: Database, marker: Path) -> None:
    """See that what was made is still there, and keeps every text; changes nothing.

    Nothing must never be taken for what was there. Raises UnusableDatabase, of the kind DatabaseGone where it is
    empty now; StorageUnavailable.
    """
    database.check_encoding()
    if marker.exists() and not _has_tables(database):
        raise DatabaseGone(database.engine.url.render_as_string(hide_password=True), marker)


def migrate_outside(database: Database, folder: Path, marker: Path) -> None:
    """As migrate, for a process that stays: where there is something to do, another one loads Alembic.

    ``marker`` is a file beside the database that says that it was made; raises DatabaseGone where it is there and
    the tables are not.
    """
    check(database, marker)
    if _is_current(database, folder):
        marker.touch()
        return
    url = database.engine.url.render_as_string(hide_password=False)
    # By standard input: everybody may read a command line.
    subprocess.run([sys.executable, "-P", "-m", __name__, folder], input=url, text=True, check=True)  # noqa: S603 - our own
    marker.touch()


def revisions_in(folder: Path) -> frozenset[str]:
    """The revisions of a schema that this version knows."""
    return frozenset(path.name[:4] for path in (folder / "versions").glob("[0-9]*.py"))


def _main() -> None:
    database = Database(sys.stdin.read())
    try:
        migrate(database, Path(sys.argv[1]))
    except StorageUnavailable as error:
        sys.exit(str(error))
    finally:
        database.close()


def _has_tables(database: Database) -> bool:
    if database.is_absent:
        return False
    with database.reading() as connection:
        return sa.inspect(connection).has_table("alembic_version")


def _is_current(database: Database, folder: Path) -> bool:
    """Migrations are files ``<revision>_<what>.py`` whose revisions are numbers of four digits."""
    newest = max(revisions_in(folder))
    if not _has_tables(database):
        return False
    with database.reading() as connection:
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found == newest


if __name__ == "__main__":
    _main()
