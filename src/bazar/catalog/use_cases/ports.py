"""What the catalog's use cases need of its storage: a transaction, and what can be done in one."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bazar.catalog.domain.holds import HoldState
from bazar.contracts.books import Change, SubjectCount
from bazar.contracts.purchasing import HeldLine, Shortage


@dataclass(frozen=True)
class StoredBook:
    """A book as it lies in the database; ``isbn`` has 13 digits."""

    item_number: int
    title: str
    authors: tuple[str, ...]
    subjects: tuple[str, ...]
    isbn: str | None
    language: str | None
    year: int | None
    blurb: str
    price_minor: int
    stock: int
    version: int
    withdrawn: bool
    added_at: datetime


@dataclass(frozen=True)
class BookFacts:
    """What a new book, or the details of a changed one, consist of."""

    title: str
    authors: tuple[str, ...]
    subjects: tuple[str, ...]
    isbn: str | None
    language: str | None
    year: int | None
    blurb: str


@dataclass(frozen=True)
class JournalEntry:
    """One thing that was done to a book: who, when, why.

    ``kind``: added, price, stock, counted, details, withdrawn, sold, returned.
    """

    item_number: int
    at: datetime
    who: str
    kind: str
    reason: str
    price_minor: int | None = None
    stock_change: int | None = None
    order_id: str | None = None


@dataclass(frozen=True)
class StoredLine:
    """A line of a hold; ``available`` are the copies that there were when it was refused, else None."""

    item_number: int
    title: str
    quantity: int
    price_minor: int
    available: int | None

    def held(self) -> HeldLine:
        """As the order server is told."""
        return HeldLine(
            item_number=self.item_number,
            title=self.title,
            quantity=self.quantity,
            price_minor=self.price_minor,
        )

    @property
    def is_short(self) -> bool:
        """Whether its order was refused for this line."""
        return self.available is not None and self.available < self.quantity

    def shortage(self) -> Shortage:
        """As the order server is told of a line that is short."""
        return Shortage(item_number=self.item_number, requested=self.quantity, available=self.available or 0)


@dataclass(frozen=True)
class StoredHold:
    """A hold without its lines."""

    order_id: str
    account_id: str
    purchase_hash: str
    state: HoldState


@dataclass(frozen=True)
class KeptHoldRow:
    """A hold with its lines, when it was made and when it came to its state."""

    hold: StoredHold
    held_at: datetime
    changed_at: datetime
    lines: tuple[StoredLine, ...]


@dataclass(frozen=True)
class ShelfState:
    """What a hold has to know of a book."""

    item_number: int
    title: str
    price_minor: int
    stock: int


class Transaction(Protocol):
    """One transaction on the catalog's database. Positions are ``<epoch>-<number>``."""

    # the feed
    def position(self) -> str: ...
    def changes_after(self, number: int, limit: int) -> tuple[str, int, Sequence[Change]]: ...
    def publish(self, item_numbers: Iterable[int], *, offer_only: bool = False) -> str:
        """Number the changes of these books, last in the transaction; returns the new position.

        ``offer_only``: nothing of them has changed but price and copies, so that lists have the same books as before.
        """
        ...

    # books
    def book(self, item_number: int) -> StoredBook | None: ...
    def book_for_update(self, item_number: int) -> StoredBook | None: ...
    def books(self, item_numbers: Sequence[int]) -> Sequence[StoredBook]:
        """Those that are sold, in the order asked for."""
        ...

    def sold(self, item_numbers: Sequence[int], subject_key: str | None) -> frozenset[int]:
        """Those that are sold and, where a subject is named, have it."""
        ...

    def books_of_subject(self, subject_key: str, after: int, limit: int) -> Sequence[StoredBook]: ...
    def number_of_books(self, subject_key: str) -> int: ...
    def subjects(self) -> Sequence[SubjectCount]: ...
    def add_books(self, facts: Sequence[tuple[BookFacts, int, int]], at: datetime) -> Sequence[int]:
        """Insert (facts, price in minor units, stock); returns their item numbers in the same order."""
        ...

    def set_details(self, item_number: int, old: StoredBook, facts: BookFacts) -> None: ...
    def set_price(self, item_number: int, price_minor: int) -> None: ...
    def change_stock(self, item_number: int, change: int) -> bool:
        """False where the stock would fall below zero: nothing changes then."""
        ...

    def withdraw(self, withdrawn: Sequence[StoredBook], at: datetime) -> None:
        """Once in a transaction, for all books that it withdraws."""
        ...

    def books_of_source_for_update(self, source: str, limit: int) -> Sequence[StoredBook]:
        """The first of those that were imported from it and are sold, locked in ascending order of their numbers."""
        ...

    def sources(self) -> Sequence[str]:
        """All that books were imported from."""
        ...

    def raise_version(self, item_number: int) -> None:
        """Once for all that a request changes of a book; taking from and putting back on the shelf do it too."""
        ...

    def one_import_at_a_time(self, source: str) -> None:
        """Other imports of the source wait here until this transaction ends."""
        ...

    def known_source_ids(self, source: str, source_ids: Sequence[str]) -> frozenset[str]:
        """Those that were imported."""
        ...

    def known_elsewhere(self, source: str, source_ids: Sequence[str]) -> Sequence[tuple[str, str, str]]:
        """(id, title, source) of books that are sold and that came from other sources under one of these ids."""
        ...

    def remember_sources(self, source: str, item_numbers: Mapping[str, int]) -> None: ...
    def write_journal(self, entries: Sequence[JournalEntry]) -> None: ...
    def history(self, item_number: int, before: str | None, limit: int) -> tuple[Sequence[JournalEntry], str | None]:
        """Newest first, and the cursor of what is older; raises BadCursor."""
        ...

    def journal(
        self, item_number: int | None, before: str | None, limit: int, *, prices_only: bool
    ) -> tuple[Sequence[tuple[JournalEntry, str]], str | None]:
        """Entries of all books or of one, each with its book's title, as history gives them; raises BadCursor."""
        ...

    def remember_edit(self, actor: str, key: str, body_hash: str, at: datetime) -> str | None:
        """None where the key is new; else the hash that it was used with."""
        ...

    def remember_added(self, actor: str, key: str, item_number: int) -> None:
        """The book that was added under a key that remember_edit found new."""
        ...

    def added(self, actor: str, key: str) -> int:
        """The book that was added under this key."""
        ...

    # holds
    def add_holds(self, holds: Sequence[StoredHold], at: datetime) -> frozenset[str]:
        """Add them, in the order given; the ids of those that are new: an order that has a hold keeps it as it is."""
        ...

    def drop_new_hold(self, order_id: str) -> None:
        """Take back a hold that this transaction added."""
        ...

    def holds_for_update(self, order_ids: Sequence[str]) -> Mapping[str, StoredHold]:
        """Locked in ascending order of their ids."""
        ...

    def add_hold_lines(self, lines: Mapping[str, Sequence[StoredLine]]) -> None:
        """The lines of new holds, by the ids of their orders."""
        ...

    def hold_lines(self, order_ids: Sequence[str]) -> Mapping[str, Sequence[StoredLine]]: ...
    def set_hold_state(self, order_ids: Sequence[str], state: HoldState, at: datetime) -> None: ...
    def open_holds(self, after: str, limit: int) -> Sequence[StoredHold]: ...
    def kept_holds(self, after: str, limit: int) -> Sequence[KeptHoldRow]:
        """Whatever their state, in ascending order of their ids."""
        ...

    def shelves_for_update(self, item_numbers: Sequence[int]) -> Mapping[int, ShelfState]:
        """Books that are sold, locked in ascending order of their numbers."""
        ...

    def take_from_shelves(self, copies: Mapping[int, int]) -> bool:
        """Take so many copies of each book, in ascending order; False where there were not as many of one."""
        ...

    def put_back_on_shelves(self, copies: Mapping[int, int]) -> None:
        """Also of a withdrawn book; in ascending order."""
        ...


class Store(Protocol):
    """The catalog's database."""

    def reading(self) -> AbstractContextManager[Transaction]: ...

    def book_and_position(self, item_number: int) -> tuple[StoredBook | None, str]:
        """Both as they are at one moment."""
        ...

    def books_and_position(self, item_numbers: Sequence[int]) -> tuple[Sequence[StoredBook], str]:
        """Those of the books that are sold, in the order asked for, and the position, as they are at one moment.

        For as many books as a page may have.
        """
        ...

    def position(self) -> str: ...

    def lists_changed(self, after: int, up_to: int) -> bool:
        """Whether one of the changes after a number, up to another, was more than one of price and copies."""
        ...

    def writing(self) -> AbstractContextManager[Transaction]: ...
