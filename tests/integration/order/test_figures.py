"""The figures of the last days, on every database."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bazar.contracts.counter import FiguresQuery, MoveOrder
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome
from bazar.order.storage.store import OrderStore
from bazar.order.use_cases.follow_orders import FollowOrders
from bazar.order.use_cases.hand_out_orders import HandOutOrders
from conftest import MovableClock
from holding import order_id
from shop_in_process import NOON

A_DAY = timedelta(days=1)


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine keeps a time fourteen hours ahead of UTC, so that its day is another one."""
    monkeypatch.setenv("TZ", "XXX-14")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_orders_count_on_the_day_they_were_placed_and_takings_when_they_are_collected(
    order_store: OrderStore, clock: MovableClock
) -> None:
    midnight = NOON - timedelta(hours=12)
    placed_at = [NOON - 2 * A_DAY, midnight - timedelta(microseconds=1), midnight, NOON, NOON]
    with order_store.writing() as tx:
        lines = (OrderedLine(7, "Xen", 2, 1500),)
        for number, at in enumerate(placed_at):
            tx.decide([Decision(order_id(number), "ann", "hash", Outcome.CONFIRMED, at, "USD", lines)])
        tx.decide([Decision(order_id(8), "ann", "hash", Outcome.OUT_OF_STOCK, NOON, "USD")])
        tx.cancel(order_id(4), "staff", NOON)
        tx.mark_stuck(order_id(3), "why", NOON)
    hand_out = HandOutOrders(order_store, clock)
    for number in (0, 1):
        hand_out.move_order(order_id(number), MoveOrder(actor="staff", to="collected"))
    hand_out.move_order(order_id(2), MoveOrder(actor="staff", to="ready"))
    figures = FollowOrders(order_store, clock, "USD").figures(FiguresQuery(days=2))
    assert [(day.day, day.orders, day.takings.amount) for day in figures.days] == [
        ("2026-01-30", 1, 0),
        ("2026-01-31", 2, 6000),
    ]
    assert (figures.to_make_ready, figures.ready, figures.stuck) == (1, 1, 1)


@pytest.mark.parametrize(
    ("zone", "of_days"),
    [
        ("UTC", {"2026-03-28": 1, "2026-03-29": 3}),
        # Spring forward: the 29th has 23 hours there and begins an hour before UTC's.
        ("Europe/Berlin", {"2026-03-28": 0, "2026-03-29": 3, "2026-03-30": 1}),
        # Five hours and three quarters ahead.
        ("Asia/Kathmandu", {"2026-03-29": 2, "2026-03-30": 2}),
        ("America/New_York", {"2026-03-28": 2, "2026-03-29": 2}),
    ],
)
def test_a_day_ends_at_the_shops_midnight(
    order_store: OrderStore, clock: MovableClock, zone: str, of_days: dict[str, int]
) -> None:
    placed_at = ["2026-03-28T23:00:00Z", "2026-03-29T03:59:59.999Z", "2026-03-29T21:59:59.999Z", "2026-03-29T22:00:00Z"]
    with order_store.writing() as tx:
        for number, at in enumerate(placed_at):
            placed = datetime.fromisoformat(at)
            lines = (OrderedLine(7, "Xen", 1, 100),)
            tx.decide([Decision(order_id(number), "ann", "hash", Outcome.CONFIRMED, placed, "USD", lines)])
    for number, at in enumerate(placed_at):
        clock.now = datetime.fromisoformat(at)
        HandOutOrders(order_store, clock).move_order(order_id(number), MoveOrder(actor="staff", to="collected"))
    figures = FollowOrders(order_store, clock, "USD", ZoneInfo(zone)).figures(FiguresQuery(days=3))
    counted = {day.day: (day.orders, day.takings.amount) for day in figures.days if day.day in of_days}
    assert counted == {day: (number, 100 * number) for day, number in of_days.items()}
    assert sum(day.orders for day in figures.days) == 4
    assert figures.days[-1].day == clock.now.astimezone(ZoneInfo(zone)).date().isoformat()


def test_a_shop_without_orders_has_figures_too(order_store: OrderStore, clock: MovableClock) -> None:
    figures = FollowOrders(order_store, clock, "USD").figures(FiguresQuery())
    assert len(figures.days) == 14
    assert {(day.orders, day.takings.amount, day.takings.currency) for day in figures.days} == {(0, 0, "USD")}
    assert (figures.to_make_ready, figures.ready, figures.stuck) == (0, 0, 0)


@pytest.mark.usefixtures("far_east")
def test_days_are_those_of_utc_wherever_the_server_stands(order_store: OrderStore, clock: MovableClock) -> None:
    figures = FollowOrders(order_store, clock, "USD").figures(FiguresQuery(days=1))
    assert [day.day for day in figures.days] == ["2026-01-31"]
