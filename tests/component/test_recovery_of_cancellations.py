"""Copies of cancelled orders come back once, whatever is lost, doubled, late or killed on the way."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from bazar.order.domain.errors import CatalogAway, UnknownOrder
from bazar.order.use_cases.finish_orders import hold_of
from faulty_catalog import (
    AtOnce,
    Crash,
    Fault,
    RecoveringShop,
    answer_lost,
    crash_after,
    crash_before,
    doubled,
    recovering_shop,
    request_lost,
)
from shop_in_process import books_out_of_balance
from together import together

STOCK = 5


@pytest.fixture
def shop(tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[RecoveringShop]:
    with recovering_shop(tmp_path, clock) as opened:
        yield opened


def assert_returned_once(shop: RecoveringShop, item_number: int) -> None:
    assert shop.stock(item_number) == STOCK
    assert not books_out_of_balance(shop.catalog_database)
    assert shop.catalog.open_holds() == []


@pytest.mark.parametrize("fault", [request_lost, answer_lost, doubled, crash_before, crash_after])
@pytest.mark.parametrize("settled", [True, False])
def test_whatever_happens_to_the_return_the_next_rounds_bring_the_copies_back(
    shop: RecoveringShop, fault: Fault[object], settled: bool
) -> None:
    item = shop.book(stock=STOCK).item_number
    order = shop.buy("k", (item, 2), finisher=AtOnce(shop.finish_orders()) if settled else None)
    shop.cancel(order.order_id)
    shop.catalog.meets("return", fault)
    with suppress(Crash, CatalogAway):
        shop.returns().return_copies()
    shop.returns().return_copies()
    shop.sweep_until_quiet()
    assert_returned_once(shop, item)
    assert shop.returns().return_copies() == 0


def test_a_settlement_that_arrives_after_the_return_changes_nothing(shop: RecoveringShop) -> None:
    item = shop.book(stock=STOCK).item_number
    order = shop.buy("k", (item, 2))
    shop.cancel(order.order_id)
    shop.returns().return_copies()
    shop.finish_orders().finish([order])
    assert_returned_once(shop, item)
    with shop.orders.reading() as tx:
        assert tx.stuck([order.order_id]) == frozenset()


def test_many_that_cancel_one_order_at_once_return_it_once(shop: RecoveringShop) -> None:
    item = shop.book(stock=STOCK).item_number
    order = shop.buy("k", (item, 2), finisher=AtOnce(shop.finish_orders()))

    def cancel() -> int:
        shop.cancel(order.order_id)
        return shop.returns().return_copies()

    together(*[cancel] * 4)
    assert_returned_once(shop, item)


def test_an_abandoned_purchase_cannot_be_cancelled(shop: RecoveringShop) -> None:
    item = shop.book(stock=STOCK).item_number
    order_id = shop.leave_open("k", (item, 2))
    with pytest.raises(UnknownOrder):
        shop.cancel(order_id, None)
    shop.sweep_until_quiet()
    with pytest.raises(UnknownOrder):
        shop.cancel(order_id, None)
    assert_returned_once(shop, item)


def test_a_return_that_contradicts_what_was_done_is_stuck_and_asked_for_no_more(shop: RecoveringShop) -> None:
    item = shop.book(stock=STOCK).item_number
    order = shop.buy("k", (item, 2))
    shop.catalog.release([hold_of(order)])
    shop.cancel(order.order_id)
    assert shop.returns().return_copies() == 1
    assert shop.returns().return_copies() == 0
    assert shop.stock(item) == STOCK
    with shop.orders.reading() as tx:
        assert tx.stuck([order.order_id]) == {order.order_id}
