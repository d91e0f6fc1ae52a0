"""Purchases that travel together: each gets its own answer, and a bad one harms no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bazar.contracts.books import Money
from bazar.contracts.purchasing import Line, PlaceOrder
from bazar.order.domain.decisions import Decision
from bazar.order.domain.errors import CatalogAway, KeyReused, OutOfStock, PriceChanged, UnknownBooks, WrongCurrency
from conftest import MovableClock
from faulty_catalog import CUSTOMER, RecoveringShop, answer_lost, recovering_shop
from shop_in_process import CURRENCY, AmpleTime

STOCK = 5


@pytest.fixture
def shop(tmp_path: Path, clock: MovableClock) -> Iterator[RecoveringShop]:
    with recovering_shop(tmp_path, clock) as opened:
        yield opened


def a_purchase(key: str, *lines: tuple[int, int], expected: int | None = None, currency: str = CURRENCY) -> PlaceOrder:
    return PlaceOrder(
        account_id=CUSTOMER,
        idempotency_key=key,
        lines=tuple(Line(item_number=item, quantity=quantity) for item, quantity in lines),
        expected_total=None if expected is None else Money(amount=expected, currency=currency),
    )


def place(shop: RecoveringShop, *requests: PlaceOrder) -> list[object]:
    """Of each the confirmed order or the type of its error."""
    told = shop.place_orders().place_orders(requests, AmpleTime())
    return [one if isinstance(one, Decision) else type(one) for one in told]


def test_each_purchase_of_a_batch_has_its_own_answer_in_its_place(shop: RecoveringShop) -> None:
    item, other = shop.book(STOCK).item_number, shop.book(1).item_number
    (bought,) = place(shop, a_purchase("before", (item, 1)))
    told = place(
        shop,
        a_purchase("two lines", (item, 1), (other, 1)),
        a_purchase("too many", (item, STOCK)),
        a_purchase("unknown", (999, 1)),
        a_purchase("price", (item, 1), expected=1),
        a_purchase("currency", (item, 1), expected=1, currency="EUR"),
        a_purchase("before", (item, 1)),
        a_purchase("before", (item, 2)),
        a_purchase("right price", (item, 1), expected=1000),
    )
    assert [type(one) if isinstance(one, Decision) else one for one in told] == [
        Decision,
        OutOfStock,
        UnknownBooks,
        PriceChanged,
        WrongCurrency,
        Decision,
        KeyReused,
        Decision,
    ]
    assert told[5] == bought
    shop.sweep_until_quiet()
    assert (shop.stock(item), shop.stock(other)) == (STOCK - 3, 0)
    shop.assert_nothing_lost()


def test_a_key_that_is_twice_in_a_batch_buys_once(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    first, again, another = place(
        shop, a_purchase("key", (item, 1)), a_purchase("key", (item, 1)), a_purchase("key", (item, 2))
    )
    assert isinstance(first, Decision)
    assert (again, another) == (first, KeyReused)
    shop.sweep_until_quiet()
    assert shop.stock(item) == STOCK - 1
    shop.assert_nothing_lost()


def test_copies_are_given_out_order_by_order(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    told = place(shop, *(a_purchase(f"key {number}", (item, 2)) for number in range(4)))
    assert sum(isinstance(one, Decision) for one in told) == 2
    assert told.count(OutOfStock) == 2
    shop.sweep_until_quiet()
    assert shop.stock(item) == 1
    shop.assert_nothing_lost()


def test_what_is_decided_is_answered_though_the_rest_of_the_batch_is_unknown(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    (bought,) = place(shop, a_purchase("before", (item, 1)))
    shop.catalog.meets("hold", answer_lost)
    batch = a_purchase("before", (item, 1)), a_purchase("new", (item, 1))
    assert place(shop, *batch) == [bought, CatalogAway]
    (_, later) = place(shop, *batch)
    assert isinstance(later, Decision)
    shop.sweep_until_quiet()
    assert shop.stock(item) == STOCK - 2
    shop.assert_nothing_lost()
