"""Which books sell best, on every database."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bazar.contracts.purchasing import BestSellersQuery
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome
from bazar.order.storage.store import OrderStore
from bazar.order.use_cases.best_sellers import KEPT_SECONDS, ORDERS_COUNTED, FindBestSellers
from holding import order_id
from shop_in_process import NOON


class Ticking:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


def sell(store: OrderStore, number: int, lines: Sequence[tuple[int, int]], outcome: Outcome = Outcome.CONFIRMED) -> str:
    """An order with its number, later than those of lower numbers; ``lines``: book and copies."""
    decision = Decision(
        order_id=order_id(number),
        account_id="ann",
        purchase_hash="hash",
        outcome=outcome,
        decided_at=NOON + timedelta(seconds=number),
        currency="USD",
        lines=tuple(OrderedLine(item, "Xen", copies, 1500) for item, copies in lines),
    )
    with store.writing() as tx:
        tx.decide([decision])
    return decision.order_id


def ranking(store: OrderStore, limit: int = 20) -> tuple[int, ...]:
    return FindBestSellers(store, lambda: 0.0).best_sellers(BestSellersQuery(limit=limit)).item_numbers


def test_a_shop_that_has_sold_nothing_has_none(order_store: OrderStore) -> None:
    assert ranking(order_store) == ()


def test_copies_count_over_all_orders_and_equal_ones_stand_by_number(order_store: OrderStore) -> None:
    sell(order_store, 1, [(5, 2), (9, 1)])
    sell(order_store, 2, [(9, 3), (3, 2)])
    assert ranking(order_store) == (9, 3, 5)
    assert ranking(order_store, limit=1) == (9,)


def test_what_was_refused_given_up_or_cancelled_is_not_sold(order_store: OrderStore) -> None:
    sell(order_store, 1, [(1, 1)])
    sell(order_store, 2, [(2, 9)], Outcome.CANCELLED)
    sell(order_store, 3, [(3, 9)], Outcome.PRICE_CHANGED)
    cancelled = sell(order_store, 4, [(4, 9)])
    with order_store.writing() as tx:
        tx.cancel(cancelled, "ann", NOON)
    assert ranking(order_store) == (1,)


def test_only_the_last_orders_count(order_store: OrderStore) -> None:
    sell(order_store, 1, [(1, 1_000)])
    for number in range(2, 6):
        sell(order_store, number, [(number, 1)])
    with order_store.reading() as tx:
        assert sorted(tx.last_sold(4)) == [(2, 1), (3, 1), (4, 1), (5, 1)]
    assert ORDERS_COUNTED == 3_333


def test_the_ranking_is_counted_anew_after_some_seconds(order_store: OrderStore, ticking: Ticking) -> None:
    find = FindBestSellers(order_store, ticking)
    sell(order_store, 1, [(1, 1)])
    assert find.best_sellers(BestSellersQuery()).item_numbers == (1,)
    sell(order_store, 2, [(2, 5)])
    ticking.seconds += KEPT_SECONDS - 0.1
    assert find.best_sellers(BestSellersQuery()).item_numbers == (1,)
    ticking.seconds += 0.2
    assert find.best_sellers(BestSellersQuery()).item_numbers == (2, 1)
