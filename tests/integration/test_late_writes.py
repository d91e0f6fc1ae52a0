"""Deadlines at the database: what has waited until nobody waits for it any more is not begun."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bazar.chassis.clock import Deadline, request_deadline
from bazar.chassis.database import Database, StorageUnavailable

WAIT_SECONDS = 30


class MovableTime:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time_left() -> Iterator[MovableTime]:
    """The request at hand has five seconds of this time."""
    clock = MovableTime()
    before = request_deadline.set(Deadline.after(5, clock))
    yield clock
    request_deadline.reset(before)


@pytest.fixture
def numbers(database: Database) -> Database:
    """A table with no number."""
    with database.writing() as connection:
        connection.execute(sa.text("CREATE TABLE numbers (number INTEGER)"))
    return database


def add(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(sa.text("INSERT INTO numbers (number) VALUES (1)"))


def count(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM numbers")).scalar_one())


def test_a_write_in_time_is_done_and_a_late_one_is_not_begun(numbers: Database, time_left: MovableTime) -> None:
    add(numbers)
    time_left.seconds = 5.0
    with pytest.raises(StorageUnavailable, match="time"):
        add(numbers)
    assert count(numbers) == 1, "who only reads is answered"


def test_a_write_that_waited_too_long_for_its_turn_is_not_begun(tmp_path: Path) -> None:
    """On SQLite, where there is one writer; on PostgreSQL, whoever waits for a row has begun, and is cut off."""
    numbers = Database(f"sqlite:///{tmp_path}/numbers.sqlite3")
    with numbers.writing() as connection:
        connection.execute(sa.text("CREATE TABLE numbers (number INTEGER)"))
    clock = MovableTime()
    began_to_wait = threading.Event()
    outcome: list[str] = []

    def write_late() -> None:
        request_deadline.set(Deadline.after(5, clock))
        began_to_wait.set()
        try:
            add(numbers)
        except StorageUnavailable as error:
            outcome.append(str(error))

    late = threading.Thread(target=write_late)
    with numbers.writing():
        late.start()
        assert began_to_wait.wait(WAIT_SECONDS)
        clock.seconds = 5.0  # it may not wait yet: it cannot begin before we are done, and then it is late
    late.join(WAIT_SECONDS)
    assert outcome == ["the time for the request ran out before it could write"]
    assert count(numbers) == 0
    numbers.close()
