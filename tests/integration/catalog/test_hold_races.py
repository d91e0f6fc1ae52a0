"""Holds at the same moment, on every database: nobody waits in a ring, nothing is taken or given back twice."""

from functools import partial

from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.chassis.database import Database
from holding import a_hold, an_order, hold, release, settle, state_of, stock_of
from shop_in_process import add_book, books_out_of_balance
from together import together

ROUNDS = 20


def test_one_order_that_is_held_many_times_at_once_takes_its_copies_once(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore
) -> None:
    item = add_book(keep_stock, 5).item_number
    answers = together(*[partial(hold, hold_copies, a_hold((item, 2)))] * 12)
    assert [answer[0].outcome for answer in answers] == ["held"] * 12
    assert stock_of(catalog_store, item) == 3


def test_two_bodies_under_one_order_at_once_bind_it_to_one_of_them(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore
) -> None:
    item = add_book(keep_stock, 100).item_number
    for number in range(ROUNDS):
        bodies = [a_hold((item, 1), number=number, purchase_hash=body) for body in ("one", "two")]
        answers = together(*(partial(hold, hold_copies, body) for body in bodies))
        assert sorted(answer[0].outcome for answer in answers) == ["hash-mismatch", "held"]
    assert stock_of(catalog_store, item) == 100 - ROUNDS


def test_items_in_any_order_and_orders_in_any_order_are_held_side_by_side(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_database: Database
) -> None:
    items = [add_book(keep_stock, 1000).item_number for _ in range(4)]
    for turn in range(ROUNDS):
        one_way = [a_hold(*((item, 1) for item in items), number=10 * turn + number) for number in range(3)]
        other_way = [a_hold(*((item, 1) for item in reversed(items)), number=10 * turn + 3 - n) for n in range(4)]
        answers = together(partial(hold, hold_copies, *one_way), partial(hold, hold_copies, *other_way))
        assert [order.outcome for answer in answers for order in answer] == ["held"] * 7
    assert books_out_of_balance(catalog_database) == []


def test_unknown_orders_are_released_in_any_order_side_by_side(hold_copies: HoldCopies) -> None:
    for turn in range(ROUNDS):
        orders = [an_order(10 * turn + number) for number in range(6)]
        answers = together(partial(release, hold_copies, *orders), partial(release, hold_copies, *reversed(orders)))
        assert all(order.done for answer in answers for order in answer)


def test_a_hold_and_its_release_at_once_leave_no_copy_on_hold(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore
) -> None:
    item = add_book(keep_stock, 5).item_number
    for turn in range(ROUNDS):
        numbers = (10 * turn, 10 * turn + 1)
        together(
            partial(hold, hold_copies, *(a_hold((item, 2), number=number) for number in numbers)),
            partial(release, hold_copies, *(an_order(number) for number in reversed(numbers))),
        )
        assert [state_of(catalog_store, number) for number in numbers] == ["released", "released"]
        assert stock_of(catalog_store, item) == 5


def test_settle_and_release_at_once_agree_on_one(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore, catalog_database: Database
) -> None:
    item = add_book(keep_stock, ROUNDS).item_number
    for number in range(ROUNDS):
        hold(hold_copies, a_hold((item, 1), number=number))
        settled, released = together(
            partial(settle, hold_copies, an_order(number)), partial(release, hold_copies, an_order(number))
        )
        assert settled[0].done != released[0].done
        assert state_of(catalog_store, number) == ("settled" if settled[0].done else "released")
    assert books_out_of_balance(catalog_database) == []
