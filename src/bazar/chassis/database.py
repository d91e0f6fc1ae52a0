"""A service's own database, SQLite or PostgreSQL: this file and glance.py hold all that differs between the two."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from bazar.chassis.clock import request_deadline
from bazar.chassis.glance import Glances

#: How long a SQLite writer waits for another one before it gives up.
SQLITE_BUSY_TIMEOUT_MS = 3_000
POSTGRESQL_CONNECT_TIMEOUT_SECONDS = 3
#: A statement or a lock that takes longer has no caller left: requests live 5 s.
POSTGRESQL_STATEMENT_TIMEOUT_MS = 5_000
#: A process that stands still in the middle of a transaction keeps its locks no longer than this.
POSTGRESQL_IDLE_IN_TRANSACTION_MS = 10_000

#: 64-bit numbers; SQLite numbers rows by itself only in a column called INTEGER.
BigInteger = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: Connections are fewer than requests at work, which mostly wait for neighbours.
_MOST_READERS = 12
_MOST_WRITERS = 12
#: Whoever finds no free connection waits for one, but not longer than a request lives.
_POOL: dict[str, Any] = {"max_overflow": 0, "pool_timeout": 5}
#: What SQLite's readers have anyway; PostgreSQL's would see a newer state with each statement.
_ONE_STATE = {"isolation_level": "REPEATABLE READ"}
_LAST_CHARACTER = "\U0010ffff"
#: A statement alone sees one state; it is not worth the two journeys that begin and end a transaction.
_NO_TRANSACTION = {"isolation_level": "AUTOCOMMIT"}
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")


class StorageUnavailable(Exception):
    """The database is locked, full or away, or was too late. Whether the running commit took place is unknown."""


@dataclass(eq=False)
class UnusableDatabase(Exception):
    """The database answers and is not what a server may work on; ``remedy`` is what a person can do."""

    detail: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.detail}: {self.remedy}"


class Database:
    """Connections that are kept, and two ways to use one: reading and writing."""

    def __init__(self, url: str) -> None:
        parsed = sa.make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.engine = self._reader = _sqlite(parsed, "BEGIN", _MOST_READERS)
            self._glances = Glances(str(parsed.database), SQLITE_BUSY_TIMEOUT_MS / 1000, _MOST_READERS)
            # One writer, so one connection: who waits for it is woken, who waits for a locked file looks again
            # after pauses of up to 100 ms, and may find it locked each time.
            self._writer = _sqlite(parsed, "BEGIN IMMEDIATE", 1)
        else:
            # Apart, so that writers who wait for a locked row leave connections to readers.
            self._writer = _postgresql(parsed, _MOST_WRITERS)
            self.engine = _postgresql(parsed, _MOST_READERS)
            self._reader = self.engine.execution_options(**_ONE_STATE)
            self._glancer = self.engine.execution_options(**_NO_TRANSACTION)

    @property
    def is_absent(self) -> bool:
        """Whether there is no file yet; to connect would make an empty one."""
        file = self.engine.url.database
        return self.is_sqlite and not (file and Path(file).exists())

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads; all of it sees one state of the database."""
        # It begins with the first statement, and is rolled back at the end: there is nothing to commit.
        with _unavailable_is_said(), self._reader.connect() as connection:
            yield connection

    def glance(self, statement: "sa.Select[Any]", parameters: Mapping[str, str | int]) -> Sequence[Any]:
        """The rows of one SELECT alone, without a transaction around it: much less work than to begin to read.

        The statement is one of those that live as long as the process: it is remembered.
        """
        with _unavailable_is_said():
            if self.is_sqlite:
                return self._glances.rows(statement, parameters)
            with self._glancer.connect() as connection:
                return connection.execute(statement, parameters).all()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes and is durable when the block ends; any error rolls it back.

        SQLite lets one writer in at a time, from its first statement on (BEGIN IMMEDIATE). On PostgreSQL
        writers run side by side, and each statement sees what is committed when it begins: whoever inserts or
        locks several rows does it in ascending order, else two may wait for each other. What has waited for its
        turn until nobody waits for the answer is not begun (StorageUnavailable).
        """
        with _unavailable_is_said(), self._writer.connect() as connection, connection.begin():
            deadline = request_deadline.get()
            if deadline is not None and deadline.passed:
                raise StorageUnavailable("the time for the request ran out before it could write")
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """As writing, and only one process at a time is in here. It takes as long as it takes."""
        with self.writing() as connection:
            if not self.is_sqlite:
                connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            one_at_a_time(connection, "migrations")
            yield connection

    def check_encoding(self) -> None:
        """See that every text can be kept; raises UnusableDatabase, StorageUnavailable."""
        if self.is_sqlite:
            return
        with self.reading() as connection:
            encoding = connection.execute(sa.text("SHOW server_encoding")).scalar_one()
        if encoding != "UTF8":
            raise UnusableDatabase(
                f"the database keeps texts as {encoding}, which has not every character",
                "make it anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
            )

    def ping(self) -> None:
        """Raises StorageUnavailable where the database does not answer."""
        with self.reading() as connection:
            connection.execute(sa.text("SELECT 1"))

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
        self._writer.dispose()
        if self.is_sqlite:
            self._glances.close()


def restart_numbers(connection: Connection, column: "sa.Column[int]") -> None:
    """Let an empty table number its rows from 1 again; on SQLite a rollback takes numbers back by itself."""
    if connection.dialect.name != "sqlite":
        sequence = sa.func.pg_get_serial_sequence(column.table.name, column.name)
        connection.execute(sa.select(sa.func.setval(sequence, 1, False)))


def insert_new(table: sa.Table, key: "sa.Column[Any]") -> "Mapping[str, sa.sql.dml.ReturningInsert[Any]]":
    """Insert the rows whose key is new, leave the others as they are, return the new keys; by the dialect's name."""
    return {
        "sqlite": sqlite.insert(table).on_conflict_do_nothing().returning(key),
        "postgresql": postgresql.insert(table).on_conflict_do_nothing().returning(key),
    }


def begins_with(column: "sa.ColumnElement[str]") -> "Mapping[str, sa.ColumnElement[bool]]":
    """That a text begins as ``beginning`` says; by the dialect's name.

    Both compare bytes, so that an index finds it: PostgreSQL's needs ``text_pattern_ops``.
    """
    start, end = sa.bindparam("start", type_=sa.Text), sa.bindparam("end", type_=sa.Text)
    return {
        "sqlite": sa.and_(column >= start, column < end),
        "postgresql": sa.and_(column.bool_op("~>=~")(start), column.bool_op("~<~")(end)),
    }


def beginning(start: str) -> Mapping[str, str]:
    """The parameters of ``begins_with``."""
    return {"start": start, "end": start + _LAST_CHARACTER}


def for_update(statement: "sa.Select[Any]", connection: Connection) -> "sa.Select[Any]":
    """Lock the rows that are read until the transaction ends; SQLite's single writer needs no lock."""
    return statement if connection.dialect.name == "sqlite" else statement.with_for_update()


def one_at_a_time(connection: Connection, what: str) -> None:
    """Others that name the same thing wait here until our transaction ends; SQLite's single writer is alone."""
    if connection.dialect.name != "sqlite":
        connection.execute(_LOCK, {"what": what})


@contextmanager
def _unavailable_is_said() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:  # of a glance
        if isinstance(error, sqlite3.ProgrammingError):
            raise
        raise StorageUnavailable(str(error)) from error
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError, sa.exc.TimeoutError) as error:
        raise StorageUnavailable(str(error.__cause__ or error).strip()) from error
    except sa.exc.DBAPIError as error:
        # What is none of the finer kinds is a file that is no database, or a damaged one.
        if error.connection_invalidated or type(error) is sa.exc.DatabaseError:
            raise StorageUnavailable(str(error.__cause__ or error).strip()) from error
        raise


def _sqlite(url: sa.URL, begin: str, most_connections: int) -> Engine:
    engine = sa.create_engine(
        url,
        poolclass=sa.QueuePool,
        pool_size=most_connections,
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
        **_POOL,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    begin_sqlite(engine, begin)
    return engine


def _postgresql(url: sa.URL, most_connections: int) -> Engine:
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=most_connections,
        connect_args={
            "connect_timeout": POSTGRESQL_CONNECT_TIMEOUT_SECONDS,
            "client_encoding": "utf8",  # else a server in SQL_ASCII answers with bytes
            "options": f"-c statement_timeout={POSTGRESQL_STATEMENT_TIMEOUT_MS} "
            f"-c idle_in_transaction_session_timeout={POSTGRESQL_IDLE_IN_TRANSACTION_MS} "
            "-c synchronous_commit=on -c TimeZone=UTC",
        },
        pool_pre_ping=True,
        **_POOL,
    )


def begin_sqlite(engine: Engine, begin: str) -> None:
    """Have the engine begin its transactions so. As a listener to its event, that would cost ten times as much."""

    def do_begin(connection: Any) -> None:
        connection.execute(begin).close()

    engine.dialect.do_begin = do_begin  # type: ignore[assignment, method-assign]  # each engine has a dialect of its own


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # We begin transactions ourselves: the driver would begin one late, as a reader, and then fail to write.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
