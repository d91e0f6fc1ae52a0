"""The sweeper: what it finishes, what it gives up and when, and what it leaves to a person."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bazar.contracts.purchasing import FinishHold, HoldBatch
from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.domain.errors import CatalogAway, GivenUp, OrderError
from bazar.order.use_cases.finish_orders import ABANDONED_AFTER_SECONDS
from faulty_catalog import (
    AtOnce,
    RecoveringShop,
    answer_lost,
    doubled,
    recovering_shop,
    request_lost,
)
from holding import a_hold
from together import together

STOCK = 3
ROUNDS = 12


@pytest.fixture
def shop(tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[RecoveringShop]:
    with recovering_shop(tmp_path, clock) as opened:
        yield opened


def decided(shop: RecoveringShop, order_id: str) -> Decision:
    with shop.orders.reading() as tx:
        decision = tx.decision(order_id)
    assert decision is not None
    return decision


def finish_hold(decision: Decision) -> FinishHold:
    return FinishHold(order_id=decision.order_id, account_id=decision.account_id, purchase_hash=decision.purchase_hash)


def test_a_decided_hold_is_finished_in_the_first_round(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    shop.buy("bought", (item, 1))
    with pytest.raises(OrderError):
        shop.buy("not bought", (item, 1), expected_total=1)
    assert shop.stock(item) == STOCK - 2
    assert shop.sweeper().sweep() == 2
    assert sorted(shop.holds().values()) == ["released", "settled"]
    assert shop.stock(item) == STOCK - 1
    shop.assert_nothing_lost()


def test_a_decided_hold_is_finished_though_others_before_it_are_undecided(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    left_open = {shop.leave_open(key, (item, 1)): key for key in ("one", "two", "three")}
    last = max(left_open)  # as the catalog lists them
    shop.buy(left_open[last], (item, 1))
    assert shop.sweeper().sweep() == 3
    assert {order_id for order_id, state in shop.holds().items() if state == "settled"} == {last}


def test_an_abandoned_hold_is_given_up_after_15_seconds_of_the_sweepers_own_clock(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    shop.leave_open("key", (item, 1))
    sweep = shop.sweeper()
    shop.time.seconds += 3600  # before it has seen the hold, time counts for nothing
    for seconds in (0, 5, 9.75):
        shop.time.seconds += seconds
        assert sweep.sweep() == 1
        assert shop.decisions() == {}
    shop.time.seconds += 0.25
    sweep.sweep()
    assert ABANDONED_AFTER_SECONDS == 15
    assert list(shop.decisions().values()) == ["cancelled"]
    assert shop.stock(item) == STOCK
    shop.assert_nothing_lost()


def test_a_sweeper_that_starts_again_counts_from_the_start(shop: RecoveringShop) -> None:
    shop.leave_open("key", (shop.book(STOCK).item_number, 1))
    for _ in range(3):
        sweep = shop.sweeper()
        sweep.sweep()
        shop.time.seconds += 14.9
        sweep.sweep()
    assert shop.decisions() == {}


@pytest.mark.parametrize("days", [-1, 1])
def test_the_time_of_day_may_jump(shop: RecoveringShop, clock: Callable[[], datetime], days: int) -> None:
    shop.leave_open("key", (shop.book(STOCK).item_number, 1))
    sweep = shop.sweeper()
    sweep.sweep()
    clock.advance(days=days)  # type: ignore[attr-defined]  # the MovableClock
    sweep.sweep()
    assert shop.decisions() == {}


def test_a_purchase_that_is_decided_meanwhile_is_not_given_up(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    shop.leave_open("key", (item, 1))
    sweep = shop.sweeper()
    sweep.sweep()
    shop.time.seconds += 15
    shop.buy("key", (item, 1))
    sweep.sweep()
    assert list(shop.holds().values()) == ["settled"]
    shop.assert_nothing_lost()


@pytest.mark.parametrize("fault", [request_lost, answer_lost, doubled])
@pytest.mark.parametrize("call", ["open_holds", "settle", "release"])
def test_whatever_happens_to_a_call_the_next_rounds_finish(
    shop: RecoveringShop, call: str, fault: Callable[[Callable[[], object]], object]
) -> None:
    item = shop.book(STOCK).item_number
    shop.buy("bought", (item, 1))
    shop.leave_open("abandoned", (item, 1))
    sweep = shop.sweeper()
    sweep_survives(sweep.sweep)
    shop.time.seconds += 15
    shop.catalog.meets(call, fault)
    for _ in range(3):
        sweep_survives(sweep.sweep)
    shop.time.seconds += 15
    sweep_survives(sweep.sweep)
    assert sweep.sweep() == 0
    assert shop.stock(item) == STOCK - 1
    shop.assert_nothing_lost()


def sweep_survives(sweep: Callable[[], int]) -> None:
    try:
        sweep()
    except CatalogAway:
        return


def test_while_the_catalog_is_away_nothing_is_decided(shop: RecoveringShop) -> None:
    shop.leave_open("key", (shop.book(STOCK).item_number, 1))
    sweep = shop.sweeper()
    sweep.sweep()
    shop.catalog.away = True
    shop.time.seconds += 3600
    with pytest.raises(CatalogAway):
        sweep.sweep()
    assert shop.decisions() == {}


def test_two_sweepers_at_once_finish_each_hold_once(shop: RecoveringShop) -> None:
    item = shop.book(4 * ROUNDS).item_number
    for number in range(ROUNDS):
        shop.buy(f"bought {number}", (item, 1))
        shop.leave_open(f"abandoned {number}", (item, 1))
    sweepers = [shop.sweeper(), shop.sweeper()]
    for sweeper in sweepers:
        sweeper.sweep()
    shop.time.seconds += 15
    together(*(sweeper.sweep for sweeper in sweepers))
    assert sorted(shop.holds().values()) == ["released"] * ROUNDS + ["settled"] * ROUNDS
    assert shop.stock(item) == 3 * ROUNDS
    assert shop.stuck() == {}
    shop.assert_nothing_lost()


def test_a_sweeper_and_a_buyer_who_decide_at_once_agree(shop: RecoveringShop) -> None:
    item = shop.book(ROUNDS).item_number
    for number in range(ROUNDS):
        key = f"key {number}"
        shop.leave_open(key, (item, 1))
        sweep = shop.sweeper()
        sweep.sweep()
        shop.time.seconds += 15
        _, answer = together(sweep.sweep, partial(shop.answer, key, (item, 1)))
        assert shop.answer(key, (item, 1)) == answer
        shop.sweep_until_quiet()
    bought = list(shop.decisions().values()).count("confirmed")
    assert shop.stock(item) == ROUNDS - bought
    assert shop.stuck() == {}
    shop.assert_nothing_lost()


def test_an_open_hold_of_another_purchase_is_released_and_the_order_is_stuck(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    order_id = shop.leave_open("key", (item, 1))
    other = Decision(order_id, "reader", "another hash", Outcome.CONFIRMED, shop.clock(), "USD")
    with shop.orders.writing() as tx:
        tx.decide([other])
    shop.sweeper().sweep()
    assert shop.holds() == {order_id: "released"}
    assert shop.stock(item) == STOCK
    assert list(shop.stuck()) == [order_id]
    assert decided(shop, order_id) == other


def test_a_confirmed_order_whose_hold_was_released_is_stuck_and_takes_no_copies(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    decision = shop.buy("key", (item, 1))
    shop.catalog.release([finish_hold(decision)])
    for _ in range(2):
        shop.finish_orders().finish([decision])
    assert shop.stuck() == {decision.order_id: "a hold that is released cannot be settled"}
    assert shop.stock(item) == STOCK
    assert shop.buy("key", (item, 1)) == decision  # the answer stays


def test_a_cancelled_order_whose_hold_was_settled_is_stuck_and_gives_no_copies_back(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    order_id = shop.leave_open("key", (item, 1))
    shop.sweep_until_quiet()
    given_up = decided(shop, order_id)
    shop.buy("other", (item, 1))
    settled = decided(shop, next(found for found in shop.decisions() if found != order_id))
    shop.finish_orders().finish([settled])
    shop.finish_orders().finish([replace(settled, outcome=Outcome.CANCELLED)])
    assert shop.stuck() == {settled.order_id: "a hold that is settled cannot be released"}
    assert shop.stock(item) == STOCK - 1
    assert given_up.outcome is Outcome.CANCELLED


def test_one_order_that_is_stuck_keeps_no_other_from_being_finished(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    stuck, good = (shop.buy(key, (item, 1)) for key in ("stuck", "good"))
    shop.catalog.release([finish_hold(stuck)])
    shop.finish_orders().finish([stuck, good])
    assert shop.holds()[good.order_id] == "settled"
    assert list(shop.stuck()) == [stuck.order_id]


def test_more_open_holds_than_one_statement_takes(shop: RecoveringShop) -> None:
    """SQLite takes 32,766 values in a statement; here it is made to take fewer."""

    @sa.event.listens_for(shop.order_database.engine, "checkout")
    def limit(connection: Any, *_: object) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 1000)

    item = shop.book(2 * 700).item_number
    for batch in (range(700), range(700, 1400)):
        shop.hold_copies.hold(HoldBatch(holds=tuple(a_hold((item, 1), number=number) for number in batch)))
    shop.sweep_until_quiet()
    assert set(shop.holds().values()) == {"released"}
    assert shop.stock(item) == 2 * 700
    assert shop.sweeper().sweep() == 0


def test_after_a_purchase_was_given_up_its_key_buys_nothing(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    shop.leave_open("key", (item, 1))
    shop.sweep_until_quiet()
    for _ in range(2):
        with pytest.raises(GivenUp):
            shop.buy("key", (item, 1), finisher=AtOnce(shop.finish_orders()))
    assert shop.stock(item) == STOCK
