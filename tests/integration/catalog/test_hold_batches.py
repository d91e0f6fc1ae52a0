"""Holds of many orders in one call, on every database."""

from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.look_up import LookUp
from bazar.chassis.database import Database
from bazar.contracts.purchasing import FinishBatch, HoldBatch, OpenHoldsQuery
from holding import a_hold, an_order, hold, order_id, release, settle, state_of, stock_of
from shop_in_process import add_book, books_out_of_balance

STOCK = 5
COPIES = 2
ON_SHELF = STOCK - COPIES


def test_in_a_batch_one_refusal_touches_no_other_and_answers_are_in_its_order(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_database: Database, catalog_store: CatalogStore
) -> None:
    item, other = add_book(keep_stock, 3).item_number, add_book(keep_stock, 3).item_number
    answers = hold(
        hold_copies,
        a_hold((item, 1), number=9),
        a_hold((other, 2), (item, 2), number=3),
        a_hold((item, 2), number=5),
        a_hold((999_999, 1), (item, 1), number=4),
        a_hold((other, 1), number=1),
    )
    assert [(answer.order_id[-1], answer.outcome) for answer in answers] == [
        ("j", "held"),
        ("d", "held"),
        ("f", "refused"),
        ("e", "unknown-book"),
        ("b", "held"),
    ]
    assert answers[2].shortages[0].available == 1
    assert (stock_of(catalog_store, item), stock_of(catalog_store, other)) == (0, 0)
    assert books_out_of_balance(catalog_database) == []


def test_an_order_that_is_twice_in_a_batch_takes_its_copies_once(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore
) -> None:
    item = add_book(keep_stock, STOCK).item_number
    answers = hold(
        hold_copies,
        a_hold((item, COPIES)),
        a_hold((item, COPIES)),
        a_hold((item, 1), purchase_hash="another"),
    )
    assert [answer.outcome for answer in answers] == ["held", "held", "hash-mismatch"]
    assert stock_of(catalog_store, item) == ON_SHELF


def test_an_order_that_is_twice_in_a_batch_may_be_of_unknown_books_first(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore
) -> None:
    item = add_book(keep_stock, STOCK).item_number
    answers = hold(
        hold_copies,
        a_hold((999_999, 1), purchase_hash="another"),
        a_hold((999_999, 1), purchase_hash="another"),
        a_hold((item, COPIES)),
    )
    assert [answer.outcome for answer in answers] == ["unknown-book", "unknown-book", "held"]
    assert (state_of(catalog_store), stock_of(catalog_store, item)) == ("held", ON_SHELF)


def test_an_order_that_is_twice_in_a_batch_gives_its_copies_back_once(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore
) -> None:
    item = add_book(keep_stock, STOCK).item_number
    hold(hold_copies, a_hold((item, COPIES)))
    answers = release(hold_copies, an_order(), an_order(number=7), an_order(purchase_hash="another"), an_order())
    assert [answer.done for answer in answers] == [True, True, False, True]
    assert stock_of(catalog_store, item) == STOCK


def test_open_holds_come_page_by_page_and_are_only_those_that_wait(
    hold_copies: HoldCopies, keep_stock: KeepStock
) -> None:
    item = add_book(keep_stock, 100).item_number
    hold(hold_copies, *(a_hold((item, 1), number=number) for number in range(1, 8)))
    settle(hold_copies, an_order(number=2))
    release(hold_copies, an_order(number=3), an_order(number=9))
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = hold_copies.open_holds(OpenHoldsQuery(after=after, limit=3))
        assert len(page.holds) <= 3
        found += [hold.order_id for hold in page.holds]
        after = page.next
    assert found == [order_id(number) for number in (1, 4, 5, 6, 7)]


def test_what_takes_or_gives_back_copies_is_in_the_feed_and_nothing_else(
    hold_copies: HoldCopies, keep_stock: KeepStock, look_up: LookUp
) -> None:
    item = add_book(keep_stock, STOCK).item_number
    before, _ = look_up.book(item)
    _, first = hold_copies.hold(HoldBatch(holds=(a_hold((item, STOCK + 1)),)))
    _, second = hold_copies.hold(HoldBatch(holds=(a_hold((item, 1), number=2), a_hold((item, 1), number=3))))
    _, third = hold_copies.settle(FinishBatch(orders=(an_order(2),)))
    _, fourth = hold_copies.release(FinishBatch(orders=(an_order(3),)))
    after, position = look_up.book(item)
    assert [place.partition("-")[2] for place in (first, second, third, fourth)] == ["1", "2", "2", "3"]
    assert position == fourth
    assert (after.version - before.version, after.quantity) == (2, STOCK - 1)
