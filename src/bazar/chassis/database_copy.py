"""Copy a database that is in use, and put a copy in its place: SQLite by itself, PostgreSQL by pg_dump and psql."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import sqlalchemy as sa
from psycopg import sql

from bazar.chassis.backup import Part, write_through

#: The schema that our tables are in.
_SCHEMA = "public"


class CannotCopy(Exception):
    """The copy could not be made, or not be put back; says why and what to do."""


@dataclass(frozen=True)
class Moved:
    """Where what was there before now lies; None where there was nothing."""

    where: str | None


def copy_database(url: sa.URL, folder: Path, name: str) -> Part:
    """Copy the database as it is at one moment into ``folder``, while others write; raises CannotCopy."""
    if url.get_backend_name() == "sqlite":
        return _copy_sqlite(Path(url.database or ""), folder, f"{name}.sqlite3")
    return _dump_postgresql(url, folder, f"{name}.sql")


def see_that_it_can_be_put_back(url: sa.URL, part: Part) -> None:
    """Before anything is changed; raises CannotCopy."""
    kind = url.get_backend_name()
    if kind != part.kind:
        raise CannotCopy(f"{part.file} is a copy of {part.kind}, and the settings name a database of {kind}")
    if kind == "postgresql":
        _program("psql")
        with _connected(url):
            pass


def put_back(url: sa.URL, copy: Path, part: Part, stamp: str) -> Moved:
    """Have the copy stand where the URL says; what stands there is moved aside under a name that has ``stamp``.

    Nobody else may use the database. Raises CannotCopy; then, or after a kill, it is to be done again.
    """
    if part.kind == "sqlite":
        moved = _put_back_sqlite(Path(url.database or ""), copy, stamp)
    else:
        moved = _put_back_postgresql(url, copy, stamp)
    found = count_rows(url)
    if found != part.rows:
        wrong = sorted(table for table in {*found, *part.rows} if found.get(table) != part.rows.get(table))
        raise CannotCopy(f"the rows of {', '.join(wrong)} are not as many as in the backup")
    return moved


def count_rows(url: sa.URL) -> dict[str, int]:
    """How many rows each table has; raises CannotCopy."""
    if url.get_backend_name() == "sqlite":
        try:
            return _sqlite_rows(Path(url.database or ""))
        except sqlite3.Error as error:
            raise CannotCopy(f"{url.database} cannot be read: {error}") from error
    with _connected(url) as connection:
        return _postgresql_rows(connection)


def _copy_sqlite(path: Path, folder: Path, file: str) -> Part:
    if not path.exists():
        raise CannotCopy(f"{path} does not exist")
    target = folder / file
    try:
        with closing(_open_sqlite(path)) as source, closing(sqlite3.connect(target)) as copy:
            # All pages in one step: one state of the database, and in WAL mode no writer waits for a reader.
            source.backup(copy, pages=-1)
            (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            # Without the write-ahead log beside it: the copy is one file.
            copy.execute("PRAGMA journal_mode=DELETE").close()
            revision = copy.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    except (sqlite3.Error, TypeError) as error:
        raise CannotCopy(f"{path} cannot be copied: {error}") from error
    if verdict != "ok":
        raise CannotCopy(f"{path} is damaged: {verdict}")
    return Part(file, "sqlite", revision, _sqlite_rows(target))


def _sqlite_rows(path: Path) -> dict[str, int]:
    with closing(_open_sqlite(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        names = sorted(name for name in tables if not name.startswith("sqlite_"))
        return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608 - names of our tables


def _open_sqlite(path: Path) -> sqlite3.Connection:
    """Only one that is there: sqlite3 would make an empty file."""
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True)


def _put_back_sqlite(path: Path, copy: Path, stamp: str) -> Moved:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged = path.with_name(f"{path.name}.restoring")
    shutil.copyfile(copy, staged)
    staged.chmod(0o600)
    write_through(staged)
    aside = path.with_name(f"{path.name}.before-{stamp}")
    is_there = path.exists()
    # The log goes with its database: a server that was killed has left in it what is committed.
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.rename(aside.with_name(aside.name + suffix))
    staged.rename(path)
    write_through(path.parent)
    return Moved(str(aside) if is_there else None)


def _dump_postgresql(url: sa.URL, folder: Path, file: str) -> Part:
    program = _program("pg_dump")
    with _connected(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        # What is counted and what is dumped is one state.
        snapshot = _one(connection.execute("SELECT pg_export_snapshot()"))
        rows = _postgresql_rows(connection)
        if "alembic_version" not in rows:
            raise CannotCopy(f"{url.render_as_string()} has no tables of ours")
        revision = _one(connection.execute("SELECT version_num FROM alembic_version"))
        options = [f"--schema={_SCHEMA}", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
        _run([program, *options, f"--file={folder / file}", f"--dbname={_without_password(url)}"], url)
    return Part(file, "postgresql", revision, rows)


def _put_back_postgresql(url: sa.URL, copy: Path, stamp: str) -> Moved:
    aside = f"before_{stamp.lower()}"
    with _connected(url) as connection:
        is_there = bool(_postgresql_rows(connection))
    away = f'ALTER SCHEMA {_SCHEMA} RENAME TO "{aside}"' if is_there else f"DROP SCHEMA IF EXISTS {_SCHEMA}"
    # All in one transaction. The dump makes the schema.
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"]
    dbname = f"--dbname={_without_password(url)}"
    _run([_program("psql"), *options, dbname, f"--command={away}", f"--file={copy}"], url)
    return Moved(f"schema {aside} of {url.database}" if is_there else None)


def _postgresql_rows(connection: "psycopg.Connection[tuple[object, ...]]") -> dict[str, int]:
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [_SCHEMA])
    counted: dict[str, int] = {}
    for name in sorted(str(row[0]) for row in tables):
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(_SCHEMA, name))
        counted[name] = int(_one(connection.execute(query)))
    return counted


def _one(cursor: "psycopg.Cursor[tuple[object, ...]]") -> str:
    """The one value of an answer that has one."""
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def _connected(url: sa.URL) -> "psycopg.Connection[tuple[object, ...]]":
    try:
        return psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    except psycopg.OperationalError as error:
        raise CannotCopy(f"{url.render_as_string()} does not answer: {error}") from error


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise CannotCopy(f"{name} is not installed (Debian: postgresql-client); or use PostgreSQL's own means")
    return found


def _without_password(url: sa.URL) -> str:
    """Everybody may read a command line."""
    return url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)


def _run(command: Sequence[str], url: sa.URL) -> None:
    environment: Mapping[str, str] = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - found by _program
    if done.returncode:
        raise CannotCopy(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
