"""Subjects and their counts, on every database, against a model that counts each time."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bazar.catalog.domain.text import normalise
from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.look_up import LookUp
from bazar.chassis.database import Database
from bazar.contracts.books import (
    AddBook,
    BookChange,
    ChangeBook,
    ImportBooks,
    ImportedBook,
    NewBook,
    Price,
    SubjectQuery,
    WithdrawBook,
)
from shop_in_process import CURRENCY
from together import together

SHARP_S, ACUTE = "\N{LATIN SMALL LETTER SHARP S}", "\N{COMBINING ACUTE ACCENT}"
NAMES = ("Fiction", "fiction", " FICTION  ", "Poetry", f"Stra{SHARP_S}e", "STRASSE", "caf\u00e9", f"cafe{ACUTE}")
Subjects = tuple[str, ...]


class Add(NamedTuple):
    """Books are added, one or several together."""

    books: Sequence[Subjects]


class Change(NamedTuple):
    """One of the books there are (modulo) gets other subjects."""

    which: int
    subjects: Subjects


class Withdraw(NamedTuple):
    """One of the books there are (modulo) goes."""

    which: int


subjects = st.lists(st.sampled_from(NAMES), max_size=4).map(tuple)
steps = st.lists(
    st.one_of(
        st.builds(Add, st.lists(subjects, min_size=1, max_size=4)),
        st.builds(Change, st.integers(0, 9), subjects),
        st.builds(Withdraw, st.integers(0, 9)),
    ),
    max_size=12,
)


def a_book(of: Subjects) -> NewBook:
    return NewBook(title="Xen", authors=(), subjects=of, price=Price(amount=1, currency=CURRENCY), stock=1)


def change_subjects(keep_stock: KeepStock, item: int, of: Subjects) -> None:
    keep_stock.change_book(item, ChangeBook(actor="staff", change=BookChange(subjects=of)))


class Shelves:
    """Takes the steps in the catalog and in a dictionary."""

    def __init__(self, keep_stock: KeepStock, store: CatalogStore) -> None:
        self._keep_stock = keep_stock
        self._store = store
        self._imports = 0
        self.books: dict[int, Subjects] = {}

    def take(self, step: Add | Change | Withdraw) -> None:
        match step:
            case Add(books):
                self._add(books)
            case Change(which, of) if self.books:
                item = sorted(self.books)[which % len(self.books)]
                change_subjects(self._keep_stock, item, of)
                self.books[item] = of
            case Withdraw(which) if self.books:
                item = sorted(self.books)[which % len(self.books)]
                self._keep_stock.withdraw_book(item, WithdrawBook(actor="staff"))
                del self.books[item]

    def _add(self, books: Sequence[Subjects]) -> None:
        if len(books) == 1:
            book, _ = self._keep_stock.add_book(AddBook(actor="staff", book=a_book(books[0])))
            self.books[book.item_number] = books[0]
            return
        self._imports += 1
        rows = tuple(
            ImportedBook(source_id=f"{self._imports}-{place}", book=a_book(of)) for place, of in enumerate(books)
        )
        self._keep_stock.import_books(ImportBooks(actor="staff", source=str(self._imports), rows=rows))
        with self._store.reading() as tx:
            numbers = [book.item_number for book in tx.books_from(0, 1000)]
        self.books.update(zip(numbers[-len(books) :], books, strict=True))

    def of_subject(self, key: str) -> list[int]:
        return sorted(item for item, of in self.books.items() if key in map(normalise, of))


def empty(database: Database) -> None:
    with database.writing() as connection:
        for table in ("book_subjects", "subjects", "journal", "sources", "changes", "books"):
            connection.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608 - a name from above


@settings(
    max_examples=40,
    deadline=None,
    # One database for all examples; each empties it.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(steps=steps)
def test_subjects_and_their_counts_are_those_of_the_books_that_are_sold(
    keep_stock: KeepStock,
    look_up: LookUp,
    catalog_database: Database,
    catalog_store: CatalogStore,
    steps: Sequence[Add | Change | Withdraw],
) -> None:
    empty(catalog_database)
    shelves = Shelves(keep_stock, catalog_store)
    for step in steps:
        shelves.take(step)
    for name in NAMES:
        page, _ = look_up.books_of_subject(SubjectQuery(subject=name, limit=100))
        expected = shelves.of_subject(normalise(name))
        assert ([book.item_number for book in page.items], page.total) == (expected, len(expected))
    counts = {normalise(found.subject): found.books for found in look_up.subjects()[0].subjects}
    assert counts == Counter(key for of in shelves.books.values() for key in set(map(normalise, of)))


def test_books_of_a_subject_come_page_by_page(
    keep_stock: KeepStock, look_up: LookUp, catalog_store: CatalogStore
) -> None:
    shelves = Shelves(keep_stock, catalog_store)
    shelves.take(Add([("Fiction",) if number % 3 else ("Poetry",) for number in range(20)]))
    found: list[int] = []
    cursor: str | None = None
    while True:
        page, _ = look_up.books_of_subject(SubjectQuery(subject="FICTION", limit=4, cursor=cursor))
        found += [book.item_number for book in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == shelves.of_subject("fiction")
    last, _ = look_up.books_of_subject(SubjectQuery(subject="FICTION", limit=len(found)))
    assert (len(last.items), last.next) == (len(found), None)


def test_books_that_swap_their_subjects_do_not_wait_for_each_other(
    keep_stock: KeepStock, look_up: LookUp, catalog_store: CatalogStore
) -> None:
    shelves = Shelves(keep_stock, catalog_store)
    shelves.take(Add([("Fiction",), ("Poetry",)]))
    with catalog_store.reading() as tx:
        items = [book.item_number for book in tx.books_from(0, 2)]
    names = ("Poetry", "Fiction")
    for turn in range(20):
        works = [
            partial(change_subjects, keep_stock, item, (names[(turn + place) % 2],)) for place, item in enumerate(items)
        ]
        together(*works)
    assert {found.subject: found.books for found in look_up.subjects()[0].subjects} == {"Fiction": 1, "Poetry": 1}
