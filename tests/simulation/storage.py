"""The databases of the simulation: real SQLite, in memory; they survive every crash, which loses what is uncommitted.

A transaction is one turn: SQLite lets one writer in at a time, and a reader sees one state. So a process can be
stopped or killed before a transaction begins and after it has been committed; in the midst is as good as before.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from bazar.chassis.database import SQLITE_BUSY_TIMEOUT_MS, Database, StorageUnavailable
from bazar.chassis.migrations import migrate
from simulation.faults import Fault
from simulation.world import World

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
        # As the real engine begins, which has it from an event.
        engine.dialect.do_begin = lambda _: opened.execute(begin).close()  # type: ignore[method-assign, assignment]
        self.dialect = engine.dialect
        self._connection = engine.connect()

    def connect(self) -> AbstractContextManager[Connection]:
        """Always the same."""
        return nullcontext(self._connection)


class DiskDatabase(Database):
    """The real Database over a disk of the simulation."""

    def __init__(self, disk: Disk) -> None:
        self.is_sqlite = True
        self.engine = self._reader = cast(Engine, disk.reader)
        self._writer = cast(Engine, disk.writer)

    def close(self) -> None:
        """The disk outlives it."""


class FaultyDatabase(DiskDatabase):
    """As one process has it open: locked at times, full at times, and the process may die around each transaction."""

    def __init__(self, world: World, disk: Disk, on_commit: Callable[[], None]) -> None:
        super().__init__(disk)
        self._world = world
        self._on_commit = on_commit
        self._begin = world.faults.occasion(Fault.BUSY, Fault.LOCKED)
        self._commit = world.faults.occasion(Fault.DISK_FULL)
        self._told = world.faults.occasion(Fault.COMMIT_UNKNOWN)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        task = self._world.scheduler.current.name
        self._world.step(f"{task} before it reads")
        self._may_be_locked()
        with super().reading() as connection:
            yield connection
        self._world.step(f"{task} after it has read")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        world, task = self._world, self._world.scheduler.current.name
        world.step(f"{task} before it writes")
        self._may_be_locked()
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

    def _may_be_locked(self) -> None:
        fault = self._begin.strikes()
        if fault is None:
            return
        self._world.note("{}: {}", self._world.scheduler.current.name, fault)
        most_seconds = SQLITE_BUSY_TIMEOUT_MS / 1000
        if fault is Fault.LOCKED:
            self._world.scheduler.sleep(most_seconds)
            raise StorageUnavailable("database is locked")
        self._world.scheduler.sleep(self._world.random.random() * most_seconds)
