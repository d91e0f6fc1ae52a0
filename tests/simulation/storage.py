"""The databases of the simulation: real SQLite, in memory; they survive every crash, which loses what is uncommitted.

A transaction is one turn: SQLite lets one writer in at a time, and a reader sees one state. So a process can be
stopped or killed before a transaction begins and after it has been committed; in the midst is as good as before.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from bazar.chassis.database import SQLITE_BUSY_TIMEOUT_MS, Database, StorageUnavailable, begin_sqlite
from bazar.chassis.migrations import migrate
from simulation.faults import Fault
from simulation.world import World

#: Longer than SQLite lets a writer wait.
LONGEST_LOCK_SECONDS = 3.5
_FULL = sqlite3.OperationalError("database or disk is full")


class Disk:
    """The one database of a service, used by run after run, and what the real Database does to it."""

    def __init__(self, migrations: Path, fill: Callable[[Database], None]) -> None:
        self.connection = sqlite3.connect(":memory:", cached_statements=500, isolation_level=None)
        self.connection.execute("PRAGMA foreign_keys=ON")
        self.reader = _Kept(self.connection, "BEGIN")
        self.writer = _Kept(self.connection, "BEGIN IMMEDIATE")
        database = DiskDatabase(self)
        migrate(database, migrations)
        fill(database)
        self._as_new = sqlite3.connect(":memory:")
        self.connection.backup(self._as_new)

    def renew(self) -> None:
        """Make it as it was when it was made."""
        self._as_new.backup(self.connection)


class _Kept:
    """Stands in for an engine and its pool: opening and closing connections would take half of a run's time."""

    def __init__(self, opened: sqlite3.Connection, begin: str) -> None:
        engine = sa.create_engine("sqlite://", creator=lambda: opened, poolclass=sa.StaticPool)
        begin_sqlite(engine, begin)
        self.dialect = engine.dialect
        self._connection = engine.connect()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Always the same; at the end it is rolled back, as one is that goes back to its pool."""
        try:
            yield self._connection
        finally:
            self._connection.rollback()


class DiskDatabase(Database):
    """The real Database over a disk of the simulation."""

    def __init__(self, disk: Disk) -> None:
        self.is_sqlite = True
        self.engine = self._reader = cast(Engine, disk.reader)
        self._writer = cast(Engine, disk.writer)

    def glance(self, statement: "sa.Select[Any]", parameters: Mapping[str, str | int]) -> Sequence[Any]:
        with self.reading() as connection:
            return connection.execute(statement, parameters).all()

    def close(self) -> None:
        """The disk outlives it."""


@dataclass
class WriteLock:
    """SQLite's lock of one database, in the hands of somebody else until then."""

    until_seconds: float = 0.0


class FaultyDatabase(DiskDatabase):
    """As one process has it open: locked at times, full at times, and the process may die around each transaction."""

    def __init__(self, world: World, disk: Disk, lock: WriteLock, on_commit: Callable[[], None]) -> None:
        super().__init__(disk)
        self._world = world
        self._lock = lock
        self._on_commit = on_commit
        self._read = world.faults.occasion(Fault.UNREADABLE)
        self._begin = world.faults.occasion(Fault.LOCKED)
        self._commit = world.faults.occasion(Fault.DISK_FULL)
        self._told = world.faults.occasion(Fault.COMMIT_UNKNOWN)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        world, task = self._world, self._world.scheduler.current.name
        world.step(f"{task} before it reads")
        if self._read.strikes():
            world.note("{}: cannot read", task)
            raise StorageUnavailable("disk I/O error")
        with super().reading() as connection:
            yield connection
        world.step(f"{task} after it has read")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        world, task = self._world, self._world.scheduler.current.name
        world.step(f"{task} before it writes")
        self._wait_for_the_lock()
        with super().writing() as connection:
            yield connection
            if self._commit.strikes():
                world.note("{}: disk full", task)
                raise sa.exc.OperationalError("COMMIT", {}, _FULL)
        self._on_commit()
        if self._told.strikes():
            world.note("{}: committed, and an error is told", task)
            raise StorageUnavailable("disk I/O error")
        world.step(f"{task} after its commit")

    def _wait_for_the_lock(self) -> None:
        """Whoever waits long enough gets it, all of them at about the same time, in any order."""
        world, lock, most_seconds = self._world, self._lock, SQLITE_BUSY_TIMEOUT_MS / 1000
        if self._begin.strikes():
            lock.until_seconds = world.scheduler.now + world.random.random() * LONGEST_LOCK_SECONDS
            world.note("{}: database locked", world.scheduler.current.name)
            world.faults.lasts_until(lock.until_seconds)
        seconds = lock.until_seconds - world.scheduler.now
        if seconds > most_seconds:
            world.scheduler.sleep(most_seconds)
            raise StorageUnavailable("database is locked")
        if seconds > 0:
            world.scheduler.sleep(seconds + world.moment())
