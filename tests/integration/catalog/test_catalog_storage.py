"""What staff do to books, on every database: once, whole, and one after the other."""

from functools import partial
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from bazar.catalog.domain.errors import InvalidBook, KeyReused, StaleVersion, StockBelowZero, UnknownBook
from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.look_up import LookUp
from bazar.catalog.use_cases.ports import BookFacts
from bazar.chassis.database import Database
from bazar.contracts.books import (
    MOST_COPIES,
    AddBook,
    Book,
    BookChange,
    ChangeBook,
    ChangesQuery,
    HistoryQuery,
    NewBook,
    Price,
    WithdrawBook,
)
from shop_in_process import CURRENCY, NOON, add_book, books_out_of_balance
from together import together


class MishapError(Exception):
    """Something goes wrong inside a transaction."""


def change(
    keep_stock: KeepStock,
    item: int,
    key: str | None = None,
    *,
    by: str = "staff",
    stock: int | None = None,
    **more: Any,
) -> Book:
    """The book after a change; ``stock`` is added to the stock."""
    asked = BookChange(stock_change=UNSET if stock is None else stock, **more)
    return keep_stock.change_book(item, ChangeBook(actor=by, change=asked, idempotency_key=key))[0]


def test_a_change_is_whole_or_not_at_all(keep_stock: KeepStock, look_up: LookUp) -> None:
    before = add_book(keep_stock, 5)
    for bad in (
        partial(change, stock=-6, subjects=("other",)),
        partial(change, price=Price(amount=1, currency="EUR")),
        partial(change, stock=MOST_COPIES),
    ):
        with pytest.raises((StockBelowZero, InvalidBook)):
            bad(keep_stock, before.item_number, title="Another")
    assert look_up.book(before.item_number)[0] == before
    assert len(look_up.history(before.item_number, HistoryQuery())[0].items) == 1


def test_a_price_in_another_currency_is_refused_by_its_field(keep_stock: KeepStock) -> None:
    item = add_book(keep_stock).item_number
    with pytest.raises(InvalidBook) as refused:
        change(keep_stock, item, price=Price(amount=1, currency="EUR"))
    assert (refused.value.field, CURRENCY in refused.value.detail) == ("price.currency", True)


def test_a_change_of_several_things_is_one_version(keep_stock: KeepStock) -> None:
    before = add_book(keep_stock, 5)
    price = Price(amount=1, currency=CURRENCY)
    after = change(keep_stock, before.item_number, title="Another", stock=2, price=price)
    assert (after.title, after.quantity, after.price.amount, after.version) == ("Another", 7, 1, before.version + 1)
    assert change(keep_stock, before.item_number, title="Another", price=price) == after


FULL = NewBook(
    title="Towers",
    authors=("Ann Lee",),
    subjects=("puzzles",),
    price=Price(amount=1500, currency=CURRENCY),
    stock=3,
    isbn="9780306406157",
    language="fr",
    year=1883,
    blurb="A legend.",
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Another"),
        ("authors", ("Ben",)),
        ("subjects", ("games",)),
        ("isbn", "9781861972712"),
        ("isbn", None),
        ("language", "en"),
        ("language", None),
        ("year", 1884),
        ("year", None),
        ("blurb", "A tale."),
    ],
)
def test_a_change_leaves_what_it_does_not_name(keep_stock: KeepStock, look_up: LookUp, field: str, value: Any) -> None:
    before = keep_stock.add_book(AddBook(actor="staff", book=FULL))[0]
    after = change(keep_stock, before.item_number, **{field: value})
    assert after == msgspec.structs.replace(before, version=2, **{field: value})
    change(keep_stock, before.item_number, price=Price(amount=1, currency=CURRENCY))
    told = look_up.history(before.item_number, HistoryQuery())[0].items
    assert [(entry.kind, entry.reason) for entry in told] == [("price", ""), ("details", ""), ("added", "")]


def test_a_change_with_a_key_is_made_once(keep_stock: KeepStock, look_up: LookUp) -> None:
    item = add_book(keep_stock, 5).item_number
    first, *again = [change(keep_stock, item, "key", stock=2) for _ in range(3)]
    assert (first.quantity, again) == (7, [first, first])
    assert change(keep_stock, item, "key", by="another", stock=2).quantity == 9
    with pytest.raises(KeyReused):
        change(keep_stock, item, "key", stock=3)
    with pytest.raises(KeyReused):
        change(keep_stock, add_book(keep_stock).item_number, "key", stock=2)
    assert look_up.book(item)[0].quantity == 9


def test_a_change_that_was_refused_uses_up_no_key(keep_stock: KeepStock) -> None:
    item = add_book(keep_stock, 5).item_number
    with pytest.raises(StockBelowZero):
        change(keep_stock, item, "key", stock=-6)
    assert change(keep_stock, item, "key", stock=1).quantity == 6


def test_a_change_with_a_key_that_comes_many_times_at_once_is_made_once(keep_stock: KeepStock) -> None:
    item = add_book(keep_stock, 5).item_number
    books = together(*[partial(change, keep_stock, item, "key", stock=2)] * 8)
    assert [book.quantity for book in books] == [7] * 8


def test_one_key_for_two_books_at_once_is_used_for_one_of_them(keep_stock: KeepStock) -> None:
    items = [add_book(keep_stock, 5).item_number for _ in range(2)]

    def try_to_change(item: int) -> int:
        try:
            return change(keep_stock, item, "key", stock=2).quantity
        except KeyReused:
            return 0

    assert sorted(together(*(partial(try_to_change, item) for item in items))) == [0, 7]


def test_a_change_meant_for_another_version_is_refused(keep_stock: KeepStock, look_up: LookUp) -> None:
    book = add_book(keep_stock, 5)
    request = ChangeBook(actor="staff", change=BookChange(stock_change=1), expected_versions=(book.version + 1, 99))
    with pytest.raises(StaleVersion) as refused:
        keep_stock.change_book(book.item_number, request)
    assert vars(refused.value) == {
        "item_number": book.item_number,
        "expected": (2, 99),
        "current": 1,
        "position": look_up.position(),
    }


def test_a_stock_goes_from_none_to_the_most_and_no_further(keep_stock: KeepStock, look_up: LookUp) -> None:
    item = add_book(keep_stock, 5).item_number
    assert change(keep_stock, item, stock=MOST_COPIES - 5).quantity == MOST_COPIES
    with pytest.raises(InvalidBook) as too_many:
        change(keep_stock, item, stock=1)
    assert too_many.value.field == "stock_change"
    assert str(MOST_COPIES) in too_many.value.detail
    assert change(keep_stock, item, stock=-MOST_COPIES).quantity == 0
    with pytest.raises(StockBelowZero) as too_few:
        change(keep_stock, item, stock=-1)
    assert vars(too_few.value) == {"item_number": item, "stock": 0, "change": -1, "position": look_up.position()}


def test_a_book_that_is_not_there_is_neither_shown_nor_changed_nor_withdrawn(
    keep_stock: KeepStock, look_up: LookUp
) -> None:
    with pytest.raises(UnknownBook) as not_shown:
        look_up.book(7)
    assert (not_shown.value.item_number, not_shown.value.position) == (7, look_up.position())
    with pytest.raises(UnknownBook) as unchanged:
        change(keep_stock, 7, stock=1)
    with pytest.raises(UnknownBook) as not_withdrawn:
        keep_stock.withdraw_book(7, WithdrawBook(actor="staff"))
    assert (unchanged.value.item_number, not_withdrawn.value.item_number) == (7, 7)


def test_changes_at_the_same_time_are_all_made(
    keep_stock: KeepStock, look_up: LookUp, catalog_database: Database
) -> None:
    before = add_book(keep_stock, 5)

    def count_up(number: int) -> None:
        for turn in range(5):
            change(keep_stock, before.item_number, stock=1, title=f"{number} {turn}")

    together(*(partial(count_up, number) for number in range(6)))
    after, _ = look_up.book(before.item_number)
    assert (after.quantity, after.version) == (before.quantity + 30, before.version + 30)
    assert books_out_of_balance(catalog_database) == []


def test_staff_who_withdraw_a_book_at_once_withdraw_it_once(keep_stock: KeepStock, look_up: LookUp) -> None:
    item = add_book(keep_stock, 5).item_number

    def try_to_withdraw() -> bool:
        try:
            keep_stock.withdraw_book(item, WithdrawBook(actor="staff"))
        except UnknownBook:
            return False
        return True

    assert sorted(together(*[try_to_withdraw] * 3)) == [False, False, True]
    assert look_up.subjects()[0].subjects == ()
    with pytest.raises(UnknownBook):
        look_up.book(item)
    with pytest.raises(UnknownBook):
        change(keep_stock, item, stock=1)


def test_an_error_undoes_all_of_a_transaction(
    catalog_store: CatalogStore, keep_stock: KeepStock, look_up: LookUp
) -> None:
    before = add_book(keep_stock, 5)

    def change_and_fail() -> None:
        with catalog_store.writing() as tx:
            tx.set_price(before.item_number, 1)
            tx.change_stock(before.item_number, 10)
            tx.raise_version(before.item_number)
            tx.publish([before.item_number])
            raise MishapError

    with pytest.raises(MishapError):
        change_and_fail()
    assert look_up.book(before.item_number)[0] == before
    assert look_up.changes(ChangesQuery()).last == 1


def test_after_a_load_that_was_interrupted_numbers_begin_at_one_again(
    catalog_store: CatalogStore, keep_stock: KeepStock
) -> None:
    facts = (BookFacts("RPCs", (), (), None, None, None, ""), 1000, 1)

    def add_and_fail() -> None:
        with catalog_store.writing() as tx:
            tx.add_books([facts, facts], NOON)
            raise MishapError

    with pytest.raises(MishapError):
        add_and_fail()
    with catalog_store.writing() as tx:
        tx.restart_item_numbers()
    assert add_book(keep_stock).item_number == 1


def test_what_the_first_start_was_told_stays(catalog_store: CatalogStore) -> None:
    with catalog_store.writing() as tx:
        assert tx.first_start("EUR", sample=False) == ("EUR", False)
    with catalog_store.writing() as tx:
        assert tx.first_start("USD", sample=True) == ("EUR", False)


def test_a_catalog_that_ever_had_a_book_is_not_a_new_one(catalog_store: CatalogStore, keep_stock: KeepStock) -> None:
    def has_books() -> bool:
        with catalog_store.reading() as tx:
            return tx.has_books()

    assert not has_books()
    item = add_book(keep_stock).item_number
    assert has_books()
    keep_stock.withdraw_book(item, WithdrawBook(actor="staff"))
    assert has_books()


def a_new_book(title: str = "New") -> NewBook:
    return NewBook(title=title, authors=(), subjects=("a",), price=Price(amount=1, currency=CURRENCY), stock=1)


def add_with_key(keep_stock: KeepStock, key: str, title: str = "New", by: str = "staff") -> Book:
    return keep_stock.add_book(AddBook(actor=by, book=a_new_book(title), idempotency_key=key))[0]


def test_a_book_that_is_added_many_times_under_one_key_is_one_book(keep_stock: KeepStock, look_up: LookUp) -> None:
    added = together(*[partial(add_with_key, keep_stock, "key")] * 8)
    assert {book.item_number for book in added} == {added[0].item_number}
    item = added[0].item_number
    assert [entry.kind for entry in look_up.history(item, HistoryQuery())[0].items] == ["added"]
    assert change(keep_stock, item, "other key", stock=2).quantity == 3
    assert add_with_key(keep_stock, "key") == look_up.book(item)[0]
    assert add_with_key(keep_stock, "key", by="another").item_number != item
    with pytest.raises(KeyReused):
        add_with_key(keep_stock, "key", "Another title")
    with pytest.raises(KeyReused):
        change(keep_stock, item, "key", stock=2)
    keep_stock.withdraw_book(item, WithdrawBook(actor="staff"))
    with pytest.raises(UnknownBook):
        add_with_key(keep_stock, "key")
