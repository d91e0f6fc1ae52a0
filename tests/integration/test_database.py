"""Transactions on every database that the shop runs on: what each one sees, who waits, and what ends a wait."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from bazar.chassis import database as chassis
from bazar.chassis.database import Database, StorageUnavailable
from postgresql import PostgreSQL
from together import together

ADD = sa.text("INSERT INTO numbers (number) VALUES (:number)")
COUNT = sa.text("SELECT count(*) FROM numbers")
ABOVE = (
    sa.select(sa.column("number", sa.Integer))
    .select_from(sa.table("numbers"))
    .where(sa.column("number") > sa.bindparam("least"))
    .order_by(sa.column("number"))
)
CHANGE = sa.text("UPDATE numbers SET number = number WHERE number = :number")
WAIT_SECONDS = 30


class MishapError(Exception):
    """Something goes wrong inside a transaction."""


@pytest.fixture
def numbers(database: Database) -> Database:
    """A table with the numbers 1 and 2."""
    with database.writing() as connection:
        connection.execute(sa.text("CREATE TABLE numbers (number INTEGER)"))
        connection.execute(ADD, [{"number": 1}, {"number": 2}])
    return database


def count(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(COUNT).scalar_one())


def add(database: Database, number: int = 3) -> None:
    with database.writing() as connection:
        connection.execute(ADD, {"number": number})


def changed(database: Database, number: int) -> bool:
    """Whether the number could be locked in time."""
    try:
        with database.writing() as connection:
            connection.execute(CHANGE, {"number": number})
    except StorageUnavailable:
        return False
    return True


def another(database: Database) -> Database:
    """The same database as another process opens it."""
    return Database(database.engine.url.render_as_string(hide_password=False))


def test_a_reader_sees_one_state_while_others_write(numbers: Database) -> None:
    with numbers.reading() as connection:
        before = connection.execute(COUNT).scalar_one()
        add(numbers)
        assert connection.execute(COUNT).scalar_one() == before
    assert count(numbers) == before + 1


def test_a_glance_sees_what_is_committed_and_a_reader_after_it_one_state(numbers: Database) -> None:
    assert [row.number for row in numbers.glance(ABOVE, {"least": 1})] == [2]
    test_a_reader_sees_one_state_while_others_write(numbers)  # on PostgreSQL over the same connection
    assert [row.number for row in numbers.glance(ABOVE, {"least": 1})] == [2, 3]


def test_a_glance_reads_columns_by_their_types(database: Database) -> None:
    table = sa.Table("typed", sa.MetaData(), sa.Column("words", sa.JSON), sa.Column("is_on", sa.Boolean))
    rows: list[dict[str, object]] = [{"words": ["a", "b"], "is_on": True}, {"words": None, "is_on": None}]
    with database.writing() as connection:
        table.create(connection)
        connection.execute(sa.insert(table), rows)
    found = database.glance(sa.select(table).where(sa.literal_column("1") == sa.bindparam("one")), {"one": 1})
    assert [row._asdict() for row in found] == rows


def test_a_glance_that_fails_says_that_the_database_is_unavailable_and_the_next_one_goes_on(numbers: Database) -> None:
    with pytest.raises(StorageUnavailable if numbers.is_sqlite else sa.exc.ProgrammingError, match="nowhere"):
        numbers.glance(sa.select(sa.table("nowhere", sa.column("number"))), {})
    assert len(numbers.glance(ABOVE, {"least": 0})) == 2


def test_many_glance_at_once_and_each_gets_its_own_answer(numbers: Database) -> None:
    def look() -> list[int]:
        return [row.number for least in range(3) for row in numbers.glance(ABOVE, {"least": least})]

    assert list(together(*[look] * 20)) == [[1, 2, 2]] * 20


def test_what_a_reader_writes_is_gone(numbers: Database) -> None:
    with numbers.reading() as connection:
        connection.execute(ADD, {"number": 3})
    assert count(numbers) == 2


def test_an_error_undoes_what_was_written(numbers: Database) -> None:
    def add_and_fail() -> None:
        with numbers.writing() as connection:
            connection.execute(ADD, {"number": 3})
            raise MishapError

    with pytest.raises(MishapError):
        add_and_fail()
    assert count(numbers) == 2


def test_writers_at_once_wait_for_each_other_and_none_is_turned_away(numbers: Database) -> None:
    def write() -> None:
        for _ in range(10):
            add(numbers)

    together(*[write] * 16)
    assert count(numbers) == 2 + 160


def test_whoever_waits_too_long_for_a_lock_is_told(numbers: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chassis, "SQLITE_BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(chassis, "POSTGRESQL_STATEMENT_TIMEOUT_MS", 50)
    impatient = another(numbers)
    with numbers.writing() as connection:
        connection.execute(CHANGE, {"number": 1})
        with pytest.raises(StorageUnavailable), impatient.writing() as late:
            late.execute(CHANGE, {"number": 1})
    add(impatient)
    impatient.close()


def test_a_database_that_is_away_is_said_to_be(database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    place = "sqlite:////no/such/folder/x" if database.is_sqlite else f"postgresql://bazar@127.0.0.1:{port}/x"
    away = Database(place)
    with pytest.raises(StorageUnavailable):
        away.ping()
    away.close()


@pytest.fixture
def on_postgresql(postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The numbers 1 and 2 where writers run side by side and lose patience soon."""
    monkeypatch.setattr(chassis, "POSTGRESQL_STATEMENT_TIMEOUT_MS", 200)
    monkeypatch.setattr(chassis, "POSTGRESQL_IDLE_IN_TRANSACTION_MS", 200)
    url = postgresql.new_database()
    database = Database(url)
    with database.writing() as connection:
        connection.execute(sa.text("CREATE TABLE numbers (number INTEGER)"))
        connection.execute(ADD, [{"number": 1}, {"number": 2}])
    yield database
    database.close()
    postgresql.drop_database(url)


def test_a_migration_may_take_its_time(on_postgresql: Database) -> None:
    nap = sa.text("SELECT pg_sleep(0.4)")
    with pytest.raises(StorageUnavailable), on_postgresql.writing() as connection:
        connection.execute(nap)
    with on_postgresql.migrating() as connection:
        connection.execute(nap)


def test_a_process_that_stands_still_in_a_transaction_loses_its_locks(on_postgresql: Database) -> None:
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(StorageUnavailable))
        standing = stack.enter_context(on_postgresql.writing())
        standing.execute(CHANGE, {"number": 1})
        deadline = time.monotonic() + WAIT_SECONDS
        while not changed(on_postgresql, 1):
            assert time.monotonic() < deadline
        standing.execute(COUNT)
    assert count(on_postgresql) == 2


def test_a_connection_that_was_cut_is_replaced(on_postgresql: Database) -> None:
    cut = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    other = another(on_postgresql)
    with other.reading() as connection:
        connection.execute(cut)
    other.close()
    assert count(on_postgresql) == 2


def test_what_is_done_one_at_a_time_waits(database: Database) -> None:
    order: list[str] = []
    first_is_in = threading.Event()

    def first() -> None:
        with database.writing() as connection:
            chassis.one_at_a_time(connection, "a thing")
            first_is_in.set()
            connection.execute(sa.text("SELECT 1"))
            order.append("first")

    def second() -> None:
        first_is_in.wait(WAIT_SECONDS)
        with database.writing() as connection:
            chassis.one_at_a_time(connection, "a thing")
            order.append("second")

    works: list[Callable[[], None]] = [first, second]
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(work) for work in works]:
            done.result()
    assert order == ["first", "second"]
