"""The catalog's database as its use cases see it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.engine import Connection

from bazar.catalog.storage.books import BookRows, book_and_position, books_and_position
from bazar.catalog.storage.feed import FeedRows, lists_changed, position
from bazar.catalog.storage.first_start import FirstStartRows
from bazar.catalog.storage.history import HistoryRows
from bazar.catalog.storage.hold_list import HoldListRows
from bazar.catalog.storage.holds import HoldRows
from bazar.catalog.use_cases.ports import StoredBook
from bazar.chassis.database import Database


class CatalogTransaction(BookRows, HoldRows, HoldListRows, FeedRows, HistoryRows, FirstStartRows):
    """All that can be done in one transaction; each part stands in a file of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection


class CatalogStore:
    """Opens transactions; a use case decides how far each one goes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def reading(self) -> Iterator[CatalogTransaction]:
        with self._database.reading() as connection:
            yield CatalogTransaction(connection)

    def book_and_position(self, item_number: int) -> tuple[StoredBook | None, str]:
        return book_and_position(self._database, item_number)

    def books_and_position(self, item_numbers: Sequence[int]) -> tuple[Sequence[StoredBook], str]:
        return books_and_position(self._database, item_numbers)

    def position(self) -> str:
        return position(self._database)

    def lists_changed(self, after: int, up_to: int) -> bool:
        return lists_changed(self._database, after, up_to)

    @contextmanager
    def writing(self) -> Iterator[CatalogTransaction]:
        with self._database.writing() as connection:
            yield CatalogTransaction(connection)
