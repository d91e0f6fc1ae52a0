"""What all tests share: empty databases of each kind that the shop runs on, and a clock that a test moves."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from bazar.chassis.database import Database
from bazar.chassis.migrations import migrate
from postgresql import PostgreSQL, PostgreSQLMissing

KINDS = ("sqlite", "postgresql")


class MovableClock:
    """Says the time that the test set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """Let time pass (keywords of timedelta)."""
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> MovableClock:
    """A clock that stands still until it is moved."""
    return MovableClock()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The one PostgreSQL of the test run; without it, the tests over it are skipped, but not where CI=true."""
    try:
        server = PostgreSQL()
    except PostgreSQLMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_templates() -> dict[Path, str]:
    """PostgreSQL's databases that others are made like, by the folder of their migrations."""
    return {}


class NewDatabase(Protocol):
    """Makes a database: empty, or brought to the current schema by a folder of migrations."""

    def __call__(self, migrations: Path | None = None) -> Database: ...


@pytest.fixture(params=KINDS)
def new_database(
    request: pytest.FixtureRequest, tmp_path: Path, migrated_templates: dict[Path, str]
) -> Iterator[NewDatabase]:
    """Makes databases, each test once with SQLite and once with PostgreSQL; all are closed in the end."""
    server: PostgreSQL | None = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    made: list[tuple[str, Database]] = []

    def make(migrations: Path | None = None) -> Database:
        if server is None:
            url = f"sqlite:///{tmp_path}/database-{len(made)}.sqlite3"
        elif migrations is None:
            url = server.new_database()
        else:
            if migrations not in migrated_templates:
                migrated_templates[migrations] = _migrated_template(server, migrations)
            url = server.new_database(like=migrated_templates[migrations])
        database = Database(url)
        made.append((url, database))
        if server is None and migrations is not None:
            migrate(database, migrations)
        return database

    yield make
    for url, database in made:
        database.close()
        if server:
            server.drop_database(url)


@pytest.fixture
def database(new_database: NewDatabase) -> Database:
    """An empty database."""
    return new_database()


def _migrated_template(server: PostgreSQL, migrations: Path) -> str:
    url = server.new_database()
    database = Database(url)
    migrate(database, migrations)
    database.close()
    return url
