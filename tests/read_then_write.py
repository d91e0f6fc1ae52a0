"""The mutant that sells the last copy twice: a catalog that reads the stock, then writes it."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

import sqlalchemy as sa

from bazar.catalog.storage.store import CatalogStore, CatalogTransaction
from bazar.catalog.use_cases.ports import ShelfState
from bazar.chassis.database import Database

LOCK_SECONDS = 30
#: Shorter than a request lives: a server whose holds come one by one still answers the first.
WAIT_SECONDS = 3


class ReadThenWrite(CatalogTransaction):
    """The mutant: no lock and no condition; what was read is believed when it is written."""

    wait_until_two_have_read: Callable[[], None]

    def shelves_for_update(self, item_numbers: Sequence[int]) -> Mapping[int, ShelfState]:
        self._read = {
            book.item_number: ShelfState(book.item_number, book.title, book.price_minor, book.stock)
            for book in self.books(item_numbers)
        }
        self.wait_until_two_have_read()
        return self._read

    def take_from_shelves(self, copies: Mapping[int, int]) -> bool:
        for item_number, number in copies.items():
            self._connection.execute(
                sa.text("UPDATE books SET stock = :left, version = version + 1 WHERE item_number = :item"),
                {"left": self._read[item_number].stock - number, "item": item_number},
            )
        return True


class ReadThenWriteStore(CatalogStore):
    """Opens such transactions once a sale begins; on SQLite no real ones, which it lets in one at a time."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.mutated = False
        self._reads = count(1)
        self._two_have_read = threading.Event()

    def _wait_until_two_have_read(self) -> None:
        """Nobody writes before, so these two sell the same copy, however the threads run; later ones do not wait."""
        if next(self._reads) == 2:
            self._two_have_read.set()
        self._two_have_read.wait(WAIT_SECONDS)

    @contextmanager
    def writing(self) -> Iterator[CatalogTransaction]:
        if not self.mutated:
            with super().writing() as tx:
                yield tx
            return
        side_by_side = self._database.reading if self._database.is_sqlite else self._database.writing
        with side_by_side() as connection:
            if self._database.is_sqlite:
                connection.exec_driver_sql("COMMIT")  # from here on each statement is by itself
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1_000}")
            mutant = ReadThenWrite(connection)
            mutant.wait_until_two_have_read = self._wait_until_two_have_read
            yield mutant
