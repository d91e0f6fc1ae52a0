"""Lists of orders as customers and staff ask for them, on every database: whose they are, pages, states."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bazar.contracts.counter import CounterQuery
from bazar.contracts.purchasing import OrderQuery, OrdersQuery
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome
from bazar.order.storage.store import OrderStore
from bazar.order.use_cases.follow_orders import FollowOrders
from bazar.order.use_cases.look_up_orders import LookUpOrders
from bazar.order.use_cases.ports import Moved
from conftest import MovableClock
from holding import order_id
from shop_in_process import NOON

#: A page of the list of an account, or of everybody (None), from a cursor on: ids, states, and the next cursor.
Listed = Callable[[str | None, str | None, int], tuple[list[str], list[str], str | None]]


def place(store: OrderStore, number: int, account_id: str = "ann", outcome: Outcome = Outcome.CONFIRMED) -> str:
    """Later than those of lower numbers."""
    lines = (OrderedLine(7, "Xen", 2, 1500),)
    at = NOON + timedelta(minutes=number)
    with store.writing() as tx:
        tx.decide([Decision(order_id(number), account_id, "hash", outcome, at, "USD", lines)])
    return order_id(number)


@pytest.fixture(params=["of the API", "of the pages"])
def listed(request: pytest.FixtureRequest, order_store: OrderStore, clock: MovableClock) -> Listed:
    def of_the_api(account_id: str | None, cursor: str | None, limit: int) -> tuple[list[str], list[str], str | None]:
        page = LookUpOrders(order_store).orders(OrdersQuery(account_id=account_id, cursor=cursor, limit=limit))
        return [one.order_id for one in page.items], [one.status for one in page.items], page.next

    def of_the_pages(account_id: str | None, cursor: str | None, limit: int) -> tuple[list[str], list[str], str | None]:
        follow = FollowOrders(order_store, clock, "USD")
        page = follow.orders(CounterQuery(account_id=account_id, cursor=cursor, limit=limit))
        return [one.order.order_id for one in page.items], [one.order.status for one in page.items], page.next

    return of_the_api if request.param == "of the API" else of_the_pages


def test_customers_see_their_own_orders_page_by_page_and_staff_all(order_store: OrderStore, listed: Listed) -> None:
    orders = [place(order_store, number, "ben" if number == 2 else "ann") for number in range(5)]
    place(order_store, 5, outcome=Outcome.OUT_OF_STOCK)
    first, _, cursor = listed("ann", None, 3)
    assert first == [orders[number] for number in (4, 3, 1)]
    assert listed("ann", cursor, 3) == ([orders[0]], ["confirmed"], None)
    assert listed("ben", None, 3)[0] == [orders[2]]
    assert listed(None, None, 5)[0] == orders[::-1]


def test_a_cancelled_order_is_listed_as_such_and_its_neighbour_as_it_is(
    order_store: OrderStore, listed: Listed
) -> None:
    for number in range(2):
        place(order_store, number)
    with order_store.writing() as tx:
        tx.cancel(order_id(1), "ann", NOON)
    assert listed("ann", None, 2)[1] == ["cancelled", "confirmed"]


def test_staff_go_through_the_orders_in_a_state_and_a_customer_through_theirs(
    order_store: OrderStore, clock: MovableClock
) -> None:
    orders = [place(order_store, number, "ben" if number == 2 else "ann") for number in range(6)]
    with order_store.writing() as tx:
        tx.move(Moved(orders[5], "ready", NOON, "staff"), 3000)
    follow = FollowOrders(order_store, clock, "USD")
    page = follow.orders(CounterQuery(state="placed", limit=3))
    assert [one.order.order_id for one in page.items] == orders[:3]
    assert {one.state for one in page.items} == {"placed"}
    page = follow.orders(CounterQuery(state="placed", limit=3, cursor=page.next))
    assert ([one.order.order_id for one in page.items], page.next) == (orders[3:5], None)
    assert [one.order.order_id for one in follow.orders(CounterQuery(state="ready")).items] == orders[5:]
    ann = follow.orders(CounterQuery(account_id="ann", state="ready"))
    assert [(one.order.order_id, one.account_id, one.state) for one in ann.items] == [(orders[5], "ann", "ready")]
    assert follow.orders(CounterQuery(account_id="ben", state="ready")).items == ()


@pytest.mark.parametrize("state", ["placed", "collected"])
def test_a_page_that_ends_the_orders_in_a_state_says_so(order_store: OrderStore, state: Any) -> None:
    for number in range(2):
        place(order_store, number)
        if state == "collected":
            with order_store.writing() as tx:
                tx.move(Moved(order_id(number), "collected", NOON, "staff"), 3000)
    with order_store.reading() as tx:
        assert tx.orders_in_state(state, None, 2)[1] is None
        assert tx.orders_in_state(state, None, 1)[1] is not None


def test_what_was_answered_otherwise_is_shown_to_staff_alone_and_as_no_order(
    order_store: OrderStore, clock: MovableClock
) -> None:
    given_up = place(order_store, 1, outcome=Outcome.CANCELLED)
    with order_store.writing() as tx:
        tx.mark_stuck(given_up, "the catalog has sold it", NOON)
    life = FollowOrders(order_store, clock, "USD").life(given_up, OrderQuery())
    assert (life.state, life.order.status, life.decision) == ("cancelled", "cancelled", "cancelled")
    assert life.stuck == "the catalog has sold it"
