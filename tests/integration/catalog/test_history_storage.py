"""The history of a book, on every database: all that happened to it, once, newest first."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from bazar.catalog.domain.errors import BadCursor, StaleVersion, UnknownBook
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.look_up import LookUp
from bazar.contracts.books import (
    BookChange,
    ChangeBook,
    HistoryEntry,
    HistoryQuery,
    JournalLine,
    JournalQuery,
    Price,
    SubjectQuery,
    WithdrawBook,
)
from holding import a_hold, an_order, hold, order_id, release, settle
from shop_in_process import CURRENCY, add_book


def history(look_up: LookUp, item: int, page: int) -> Sequence[HistoryEntry]:
    """All of it, in pages of that many entries."""
    found: list[HistoryEntry] = []
    cursor: str | None = None
    while True:
        answer, _ = look_up.history(item, HistoryQuery(limit=page, cursor=cursor))
        assert len(answer.items) <= page
        found += answer.items
        cursor = answer.next
        if cursor is None:
            return found


def change(keep_stock: KeepStock, item: int, what: BookChange) -> None:
    keep_stock.change_book(item, ChangeBook(actor="staff", change=what))


@pytest.mark.parametrize("page", [1, 3, 100])
def test_what_happened_at_one_moment_is_told_in_order_and_once(
    keep_stock: KeepStock, look_up: LookUp, page: int
) -> None:
    item = add_book(keep_stock, 5).item_number
    for turn in range(6):  # 18 entries of one clock time: their numbers reach two digits
        price = Price(amount=turn, currency=CURRENCY)
        change(keep_stock, item, BookChange(price=price, stock_change=1, title=str(turn), reason=str(turn)))
    entries = history(look_up, item, page)
    told = [(entry.reason, entry.kind) for entry in entries]
    kinds = ("details", "stock", "price")
    assert told == [(str(turn), kind) for turn in reversed(range(6)) for kind in kinds] + [("", "added")]


def test_a_count_that_agrees_is_told_once_and_changes_neither_version_nor_position(
    keep_stock: KeepStock, look_up: LookUp
) -> None:
    item = add_book(keep_stock, 5).item_number
    before, position = look_up.book(item)
    counted = ChangeBook(
        actor="staff",
        change=BookChange(stock_change=0, reason="5 counted"),
        idempotency_key="k",
        expected_versions=(before.version,),
        is_count=True,
    )
    for _ in range(2):
        assert keep_stock.change_book(item, counted) == (before, position)
    assert look_up.book(item) == (before, position)
    newest, added = history(look_up, item, 100)
    assert (newest.kind, newest.who, newest.reason, newest.stock_change) == ("counted", "staff", "5 counted", 0)
    assert added.kind == "added"
    with pytest.raises(StaleVersion):
        keep_stock.change_book(item, msgspec.structs.replace(counted, idempotency_key="l", expected_versions=(9,)))


def test_a_count_that_differs_is_a_movement_of_stock(keep_stock: KeepStock, look_up: LookUp) -> None:
    item = add_book(keep_stock, 5).item_number
    change_by_count = ChangeBook(actor="staff", change=BookChange(stock_change=-1), is_count=True)
    assert keep_stock.change_book(item, change_by_count)[0].quantity == 4
    assert [entry.kind for entry in history(look_up, item, 100)] == ["stock", "added"]


def test_a_page_that_ends_the_history_says_so(keep_stock: KeepStock, look_up: LookUp) -> None:
    item = add_book(keep_stock, 5).item_number
    change(keep_stock, item, BookChange(stock_change=1))
    assert look_up.history(item, HistoryQuery(limit=2))[0].next is None
    assert look_up.history(item, HistoryQuery(limit=1))[0].next is not None


def test_sales_are_told_beside_what_staff_did(keep_stock: KeepStock, hold_copies: HoldCopies, look_up: LookUp) -> None:
    item = add_book(keep_stock, 10, price_minor=900).item_number
    hold(hold_copies, *(a_hold((item, 1), number=number) for number in (1, 2, 3)), a_hold((item, 99), number=4))
    settle(hold_copies, an_order(1))
    release(hold_copies, an_order(2))
    keep_stock.withdraw_book(item, WithdrawBook(actor="staff"))
    entries = history(look_up, item, 2)
    told = {(entry.kind, entry.who, entry.stock_change, entry.order_id) for entry in entries}
    assert told == {
        ("added", "staff", 10, None),
        ("withdrawn", "staff", None, None),
        ("sold", "ann", -1, order_id(1)),
        ("sold", "ann", -1, order_id(3)),
    }
    assert [entry.price.amount for entry in entries if entry.kind == "sold" and entry.price] == [900, 900]


TOO_LONG = "9" * 19
NEVER_GIVEN_OUT = ["x", "1", "1.", "1.2", "1.2.0", "-1.2.", "1.2.A", "1.2.\0", f"{TOO_LONG}.1.", f"1.{TOO_LONG}."]


@pytest.mark.parametrize("cursor", [*NEVER_GIVEN_OUT, "\N{ARABIC-INDIC DIGIT ONE}.1."])
def test_a_cursor_that_was_never_given_out_is_refused(keep_stock: KeepStock, look_up: LookUp, cursor: str) -> None:
    item = add_book(keep_stock).item_number
    with pytest.raises(BadCursor):
        look_up.history(item, HistoryQuery(cursor=cursor))


def journal(look_up: LookUp, limit: int = 100, **asked: Any) -> list[JournalLine]:
    """All of it, in pages of that many lines."""
    found: list[JournalLine] = []
    cursor: str | None = None
    while True:
        answer, _ = look_up.journal(JournalQuery(limit=limit, cursor=cursor, **asked))
        assert len(answer.items) <= limit
        found += answer.items
        cursor = answer.next
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_the_journal_tells_what_staff_did_to_all_books_or_one(
    keep_stock: KeepStock, hold_copies: HoldCopies, look_up: LookUp, limit: int
) -> None:
    first, second = (add_book(keep_stock, 5, price_minor=900).item_number for _ in range(2))
    change(keep_stock, first, BookChange(title="Another", reason="a typing mistake"))
    change(keep_stock, second, BookChange(price=Price(amount=1, currency=CURRENCY), stock_change=1))
    hold(hold_copies, a_hold((first, 1)))
    keep_stock.withdraw_book(first, WithdrawBook(actor="staff"))
    lines = [(line.item_number, line.kind) for line in journal(look_up, limit)]
    assert lines == [
        (first, "withdrawn"),
        (second, "stock"),
        (second, "price"),
        (first, "details"),
        (second, "added"),
        (first, "added"),
    ]
    of_first = journal(look_up, limit, item_number=first)
    assert [(line.kind, line.title, line.reason, line.who) for line in of_first] == [
        ("withdrawn", "Another", "", "staff"),
        ("details", "Another", "a typing mistake", "staff"),
        ("added", "Another", "", "staff"),
    ]
    prices = [line.price and line.price.amount for line in journal(look_up, limit, prices_only=True)]
    assert prices == [1, 900, 900]
    of_second = journal(look_up, limit, item_number=second, prices_only=True)
    assert [line.price and line.price.amount for line in of_second] == [1, 900]
    assert journal(look_up, limit, item_number=second + 1) == []


def test_a_page_that_ends_the_journal_says_so(keep_stock: KeepStock, look_up: LookUp) -> None:
    for _ in range(2):
        add_book(keep_stock)
    assert look_up.journal(JournalQuery(limit=2))[0].next is None
    assert look_up.journal(JournalQuery(limit=1))[0].next is not None


def test_whatever_is_looked_up_tells_how_far_the_catalog_is(keep_stock: KeepStock, look_up: LookUp) -> None:
    item = add_book(keep_stock).item_number
    told = (
        look_up.journal(JournalQuery())[1],
        look_up.history(item, HistoryQuery())[1],
        look_up.subjects()[1],
        look_up.books_of_subject(SubjectQuery(subject="undergraduate school"))[1],
    )
    assert set(told) == {look_up.position()}
    for ask in (look_up.book, lambda number: look_up.history(number, HistoryQuery())):
        with pytest.raises(UnknownBook) as refused:
            ask(item + 1)
        assert vars(refused.value) == {"item_number": item + 1, "position": look_up.position()}


@pytest.mark.parametrize("cursor", ["x", "-1", TOO_LONG, "1.2.", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_cursor_of_the_journal_that_was_never_given_out_is_refused(look_up: LookUp, cursor: str) -> None:
    with pytest.raises(BadCursor):
        look_up.journal(JournalQuery(cursor=cursor))
