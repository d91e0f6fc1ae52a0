"""What staff do to books, on every database: once, whole, and one after the other."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from bazar.catalog.domain.errors import InvalidBook, KeyReused, StaleVersion, StockBelowZero, UnknownBook, UnknownSource
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
    ImportBooks,
    ImportedBook,
    ImportOutcome,
    NewBook,
    Price,
    SubjectQuery,
    WithdrawBook,
    WithdrawSource,
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


def rows(count: int, first: int = 0) -> Sequence[ImportedBook]:
    """Rows of a file: their titles are their numbers."""
    return tuple(
        ImportedBook(
            source_id=f"row {number}",
            book=NewBook(
                title=str(number),
                authors=(),
                subjects=("imported", f"of {number % 3}"),
                price=Price(amount=100, currency=CURRENCY),
                stock=3,
            ),
        )
        for number in range(first, first + count)
    )


def import_rows(keep_stock: KeepStock, *imported: ImportedBook, source: str = "a file") -> ImportOutcome:
    return keep_stock.import_books(ImportBooks(actor="staff", source=source, rows=imported))[0]


def test_a_book_is_found_as_it_was_added(keep_stock: KeepStock, look_up: LookUp) -> None:
    new = NewBook(
        title="Ça \"déjà\" 'vu' \\ \U0001f4da ',--",
        authors=("Ann  Lee", "Ben"),
        subjects=("distributed systems",),
        price=Price(amount=10**9, currency=CURRENCY),
        stock=MOST_COPIES,
        isbn="0-306-40615-2",
        language="fr-CA",
        year=-4000,
        blurb="100 % :name %s\n\t{}",
    )
    item = import_rows(keep_stock, ImportedBook(source_id="1", book=new)).added
    book, _ = look_up.book(item)
    for name in ("title", "authors", "subjects", "language", "year", "blurb"):
        assert getattr(book, name) == getattr(new, name)
    assert book.price.amount == new.price.amount
    assert (book.isbn, book.quantity, book.version) == ("9780306406157", MOST_COPIES, 1)


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


def test_a_change_of_several_things_is_one_version(keep_stock: KeepStock) -> None:
    before = add_book(keep_stock, 5)
    price = Price(amount=1, currency=CURRENCY)
    after = change(keep_stock, before.item_number, title="Another", stock=2, price=price)
    assert (after.title, after.quantity, after.price.amount, after.version) == ("Another", 7, 1, before.version + 1)
    assert change(keep_stock, before.item_number, title="Another", price=price) == after


def test_a_change_with_a_key_is_made_once(keep_stock: KeepStock, look_up: LookUp) -> None:
    item = add_book(keep_stock, 5).item_number
    assert [change(keep_stock, item, "key", stock=2).quantity for _ in range(3)] == [7, 7, 7]
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


def test_a_change_meant_for_another_version_is_refused(keep_stock: KeepStock) -> None:
    book = add_book(keep_stock, 5)
    request = ChangeBook(actor="staff", change=BookChange(stock_change=1), expected_versions=(book.version + 1, 99))
    with pytest.raises(StaleVersion):
        keep_stock.change_book(book.item_number, request)


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


def test_an_import_adds_its_rows_in_their_order_and_once(keep_stock: KeepStock, look_up: LookUp) -> None:
    first = import_rows(keep_stock, *rows(250), *rows(10))
    again = import_rows(keep_stock, *rows(260, first=0))
    assert [(done.added, done.present, done.rejected) for done in (first, again)] == [(250, 10, ()), (10, 250, ())]
    assert [look_up.book(number)[0].title for number in range(1, 261)] == [str(number) for number in range(260)]


def test_one_list_under_another_name_adds_no_book_twice(keep_stock: KeepStock) -> None:
    import_rows(keep_stock, *rows(3))
    (other,) = rows(1, first=7)
    under_a_known_id = ImportedBook(source_id="row 2", book=other.book)  # another book, whose list counts as ours does
    done = import_rows(keep_stock, *rows(2), under_a_known_id, *rows(1, first=3), source="a copy")
    assert (done.added, done.present) == (2, 0)
    assert [(row.source_id, row.known_from) for row in done.rejected] == [("row 0", "a file"), ("row 1", "a file")]
    assert done.rejected[0].detail == "'0' came under this id from the source 'a file' already"


def test_a_source_is_withdrawn_whole_and_nothing_else(
    keep_stock: KeepStock, look_up: LookUp, catalog_database: Database
) -> None:
    kept = add_book(keep_stock, 5).item_number
    import_rows(keep_stock, *rows(251))
    import_rows(keep_stock, *rows(1, first=500), source="another file")
    request = WithdrawSource(actor="staff", source="a file")
    done = [keep_stock.withdraw_source(request)[0] for _ in range(3)]
    assert [(one.withdrawn, one.more) for one in done] == [(250, True), (1, False), (0, False)]
    assert look_up.books_of_subject(SubjectQuery(subject="imported"))[0].total == 1
    assert look_up.book(kept)
    assert books_out_of_balance(catalog_database) == []
    assert import_rows(keep_stock, *rows(1)).present == 1  # it does not come back
    assert import_rows(keep_stock, *rows(1), source="a copy").added == 1  # unless as what it was not before


def test_a_source_that_is_none_is_refused_with_those_that_there_are(keep_stock: KeepStock) -> None:
    import_rows(keep_stock, *rows(1))
    with pytest.raises(UnknownSource) as refused:
        keep_stock.withdraw_source(WithdrawSource(actor="staff", source="sampel"))
    assert refused.value.known == ("a file",)


def test_one_file_that_is_imported_twice_at_once_is_imported_once(
    keep_stock: KeepStock, look_up: LookUp, catalog_database: Database
) -> None:
    done = together(*[partial(import_rows, keep_stock, *rows(40))] * 4)
    assert sorted((one.added, one.present) for one in done) == [(0, 40), (0, 40), (0, 40), (40, 0)]
    assert look_up.books_of_subject(SubjectQuery(subject="imported"))[0].total == 40
    assert books_out_of_balance(catalog_database) == []


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
    assert add_with_key(keep_stock, "key").quantity == 3
    assert add_with_key(keep_stock, "key", by="another").item_number != item
    with pytest.raises(KeyReused):
        add_with_key(keep_stock, "key", "Another title")
    with pytest.raises(KeyReused):
        change(keep_stock, item, "key", stock=2)
    keep_stock.withdraw_book(item, WithdrawBook(actor="staff"))
    with pytest.raises(UnknownBook):
        add_with_key(keep_stock, "key")


def test_a_preview_says_what_the_import_then_does_and_changes_nothing(keep_stock: KeepStock, look_up: LookUp) -> None:
    import_rows(keep_stock, *rows(2))
    import_rows(keep_stock, *rows(1, first=5), source="another file")
    wrong = rows(1, first=9)[0]
    wrong = msgspec.structs.replace(wrong, book=msgspec.structs.replace(wrong.book, isbn="1234567890"))
    request = ImportBooks(actor="staff", source="a file", rows=(*rows(6), *rows(1), wrong))
    before = look_up.changes(ChangesQuery())
    preview, _ = keep_stock.preview_import(request)
    assert look_up.changes(ChangesQuery()) == before
    assert preview.new == ("row 2", "row 3", "row 4")
    assert preview.present == ("row 0", "row 1")
    outcome, _ = keep_stock.import_books(request)
    assert (outcome.added, outcome.rejected) == (3, preview.rejected)
    assert [(row.source_id, row.known_from) for row in outcome.rejected] == [("row 9", None), ("row 5", "another file")]
    after, _ = keep_stock.preview_import(request)
    assert (after.new, len(after.present), after.rejected) == ((), 5, preview.rejected)
