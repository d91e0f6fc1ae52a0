"""What the search index is made from, on every database."""

import pytest

from bazar.catalog.storage.index_source import IndexSource
from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.look_up import LookUp
from bazar.catalog.use_cases.search_books import IndexEntry
from bazar.contracts.books import AddBook, NewBook, Price, WithdrawBook
from bazar.contracts.times import microseconds
from shop_in_process import CURRENCY, NOON, add_book


@pytest.fixture
def source(catalog_store: CatalogStore) -> IndexSource:
    return IndexSource(catalog_store)


def test_a_book_is_indexed_with_all_that_can_be_asked_for(keep_stock: KeepStock, source: IndexSource) -> None:
    book = NewBook(
        title="Towers",
        authors=("Ann Lee", "Ben"),
        subjects=("puzzles",),
        price=Price(amount=1500, currency=CURRENCY),
        stock=3,
        isbn="0-306-40615-2",
        language="fr",
        year=1883,
        blurb="A legend.",
    )
    item = keep_stock.add_book(AddBook(actor="staff", book=book))[0].item_number
    entry = IndexEntry(
        item_number=item,
        title="Towers",
        authors=("Ann Lee", "Ben"),
        subjects=("puzzles",),
        isbn="9780306406157",
        language="fr",
        year=1883,
        blurb="A legend.",
        price_minor=1500,
        stock=3,
        added_at_us=microseconds(NOON),
    )
    assert source.entries([item]) == source.all_entries(0, 10) == [entry]


def test_all_books_that_are_sold_are_read_page_by_page(keep_stock: KeepStock, source: IndexSource) -> None:
    items = [add_book(keep_stock).item_number for _ in range(5)]
    keep_stock.withdraw_book(items[1], WithdrawBook(actor="staff"))
    first = [entry.item_number for entry in source.all_entries(0, 2)]
    rest = [entry.item_number for entry in source.all_entries(first[-1], 10)]
    assert first + rest == [items[0], *items[2:]]
    assert source.entries([items[1]]) == []


def test_what_changed_is_read_from_the_feed(keep_stock: KeepStock, look_up: LookUp, source: IndexSource) -> None:
    items = [add_book(keep_stock).item_number for _ in range(3)]
    epoch, last = source.position()
    assert f"{epoch}-{last}" == look_up.position()
    assert source.changed_after(1, 1) == [(2, items[1])]
    assert source.changed_after(1, 10) == [(2, items[1]), (3, items[2])]
