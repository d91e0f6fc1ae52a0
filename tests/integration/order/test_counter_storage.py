"""Orders at the counter, on every database: moves are made once, what was collected stays, what was cancelled too."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from bazar.chassis.database import Database
from bazar.contracts.counter import CounterQuery, MoveOrder, OpenOrdersQuery, OrderJournalLine, OrderJournalQuery, State
from bazar.contracts.purchasing import CancelOrder, OrderQuery
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome
from bazar.order.domain.errors import AlreadyCancelled, AlreadyCollected, BadCursor, TooLateToCancel, UnknownOrder
from bazar.order.storage.deeds import DEEDS_BY_TABLE
from bazar.order.storage.store import OrderStore
from bazar.order.use_cases.cancel_order import CancelOrders
from bazar.order.use_cases.follow_orders import FollowOrders
from bazar.order.use_cases.hand_out_orders import HandOutOrders
from bazar.order.use_cases.ports import Ending
from conftest import MovableClock
from holding import order_id
from shop_in_process import NOON
from together import together

RACES = 20


class NoReturns:
    """A Returner that nobody waits for."""

    def return_soon(self) -> None:
        """Nothing to do."""


class Counter:
    """The order server's counter over one database."""

    def __init__(self, store: OrderStore, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock
        self.follow = FollowOrders(store, clock, "USD")
        self._hand_out = HandOutOrders(store, clock)
        self._cancel = CancelOrders(store, NoReturns(), clock, timedelta(hours=1))

    def place(self, number: int, outcome: Outcome = Outcome.CONFIRMED, at: datetime = NOON) -> str:
        lines = (OrderedLine(7, "Xen", 2, 1500),)
        with self.store.writing() as tx:
            tx.decide([Decision(order_id(number), "ann", "hash", outcome, at, "USD", lines)])
        return order_id(number)

    def ready(self, order: str) -> State:
        return self._hand_out.move_order(order, MoveOrder(actor="staff", to="ready")).state

    def collected(self, order: str) -> State:
        return self._hand_out.move_order(order, MoveOrder(actor="staff", to="collected")).state

    def cancel(self, order: str, account_id: str | None = None) -> None:
        self._cancel.cancel_order(order, CancelOrder(actor="staff", account_id=account_id))

    def state(self, order: str) -> State:
        return self.follow.life(order, OrderQuery()).state

    def happened(self, order: str) -> list[tuple[str, str | None]]:
        return [(one.what, one.who) for one in self.follow.life(order, OrderQuery()).happenings]

    def listed(self, state: State, page: int = 2) -> list[str]:
        found: list[str] = []
        cursor: str | None = None
        while True:
            with self.store.reading() as tx:
                shown, cursor = tx.orders_in_state(state, cursor, page)
            assert len(shown) <= page
            found += [one.order_id for one in shown]
            if cursor is None:
                return found

    def open_of(self, account_id: str, page: int = 2) -> list[tuple[str, State]]:
        found: list[tuple[str, State]] = []
        query = OpenOrdersQuery(account_id=account_id, limit=page)
        while True:
            shown = self.follow.open_orders(query)
            found += [(one.order.order_id, one.state) for one in shown.items]
            if shown.next is None:
                return found
            query = OpenOrdersQuery(account_id=account_id, limit=page, cursor=shown.next)

    def journal(self, page: int) -> list[OrderJournalLine]:
        found: list[OrderJournalLine] = []
        query = OrderJournalQuery(limit=page)
        while True:
            shown = self.follow.journal(query)
            assert len(shown.items) <= page
            found += shown.items
            if shown.next is None:
                return found
            query = OrderJournalQuery(limit=page, cursor=shown.next)


@pytest.fixture
def counter(order_store: OrderStore, clock: MovableClock) -> Counter:
    return Counter(order_store, clock)


def test_an_order_is_placed_made_ready_and_collected_once(counter: Counter, clock: MovableClock) -> None:
    order = counter.place(1)
    assert counter.state(order) == "placed"
    for move, state in ((counter.ready, "ready"), (counter.ready, "ready"), (counter.collected, "collected")):
        clock.advance(minutes=1)
        assert (move(order), counter.state(order)) == (state, state)
    clock.advance(minutes=1)
    assert (counter.collected(order), counter.ready(order)) == ("collected", "collected")
    life = counter.follow.life(order, OrderQuery(account_id="ann"))
    assert [(one.what, one.at[11:16]) for one in life.happenings] == [
        ("placed", "12:00"),
        ("ready", "12:01"),
        ("collected", "12:03"),
    ]
    assert (life.order.status, life.decision, life.stuck) == ("confirmed", "confirmed", None)


def test_open_orders_of_an_account_are_those_neither_collected_nor_cancelled(counter: Counter) -> None:
    numbers = range(1, 8)
    orders = [counter.place(number, at=NOON + timedelta(minutes=number)) for number in numbers]
    counter.place(8, Outcome.OUT_OF_STOCK)
    counter.ready(orders[1])
    counter.collected(orders[2])
    counter.cancel(orders[3])
    with counter.store.writing() as tx:
        # As an older order server leaves them: no row of the state, or one that knows nothing of the cancellation.
        tx._connection.execute(sa.text("DELETE FROM order_states WHERE order_id = :id"), {"id": orders[4]})
        tx._connection.execute(
            sa.text("UPDATE order_states SET state = 'placed' WHERE order_id = :id"), {"id": orders[3]}
        )
    assert counter.open_of("ann") == [
        (orders[6], "placed"),
        (orders[5], "placed"),
        (orders[4], "placed"),
        (orders[1], "ready"),
        (orders[0], "placed"),
    ]
    assert counter.open_of("bob") == []


def test_what_nobody_laid_out_is_collected_all_the_same(counter: Counter) -> None:
    order = counter.place(1)
    assert counter.collected(order) == "collected"
    assert counter.happened(order) == [("placed", "ann"), ("collected", "staff")]


def test_a_cancelled_order_is_not_moved_and_a_collected_one_not_cancelled(counter: Counter) -> None:
    cancelled, collected = counter.place(1), counter.place(2)
    counter.ready(cancelled)
    counter.cancel(cancelled)
    for move in (counter.ready, counter.collected):
        with pytest.raises(AlreadyCancelled):
            move(cancelled)
    counter.collected(collected)
    for account_id in (None, "ann"):
        with pytest.raises(AlreadyCollected) as refused:
            counter.cancel(collected, account_id)
        assert vars(refused.value) == {"order_id": collected, "collected_at": NOON}
    assert (counter.state(cancelled), counter.state(collected)) == ("cancelled", "collected")


def test_customers_can_cancel_until_their_time_ends_and_staff_afterwards(counter: Counter, clock: MovableClock) -> None:
    orders = [counter.place(number) for number in range(3)]
    clock.advance(hours=1)
    counter.cancel(orders[0], "ann")
    clock.advance(microseconds=1)
    with pytest.raises(TooLateToCancel) as refused:
        counter.cancel(orders[1], "ann")
    assert vars(refused.value) == {"order_id": orders[1], "ended_at": NOON + timedelta(hours=1)}
    counter.cancel(orders[2])
    assert [counter.state(order) for order in orders] == ["cancelled", "placed", "cancelled"]


def test_of_a_cancellation_and_a_collection_at_once_one_wins(counter: Counter) -> None:
    def told(work: Callable[[str], object], order: str) -> str:
        try:
            work(order)
        except (AlreadyCancelled, AlreadyCollected) as refusal:
            return type(refusal).__name__
        return "done"

    for number in range(RACES):
        order = counter.place(number)
        cancel, collect = together(partial(told, counter.cancel, order), partial(told, counter.collected, order))
        assert (cancel, collect) in {("done", "AlreadyCancelled"), ("AlreadyCollected", "done")}
        happened = {what for what, _ in counter.happened(order)}
        assert len(happened & {"cancelled", "collected"}) == 1
        assert counter.state(order) in happened


def test_of_many_who_collect_at_once_one_is_written_down(counter: Counter) -> None:
    order = counter.place(1)
    assert set(together(*[partial(counter.collected, order)] * 4)) == {"collected"}
    assert counter.happened(order) == [("placed", "ann"), ("collected", "staff")]


def test_what_waits_is_listed_oldest_first_and_the_rest_newest_first(counter: Counter) -> None:
    orders = [counter.place(number, at=NOON + timedelta(minutes=number // 2)) for number in range(5)]
    assert counter.listed("placed") == orders
    for order in orders[:4]:
        counter.ready(order)
    assert (counter.listed("placed"), counter.listed("ready")) == (orders[4:], orders[:4])
    for order in orders[:3]:
        counter.collected(order)
    counter.cancel(orders[3])
    assert (counter.listed("ready"), counter.listed("collected")) == ([], orders[2::-1])
    assert counter.listed("cancelled") == [orders[3]]
    with counter.store.reading() as tx, pytest.raises(BadCursor):
        tx.orders_in_state("placed", "nonsense", 1)


def test_a_decision_made_again_does_not_place_a_cancelled_order(counter: Counter) -> None:
    order = counter.place(1)
    counter.cancel(order)
    counter.place(1)
    assert (counter.state(order), counter.listed("placed")) == ("cancelled", [])


def test_a_refused_purchase_is_nothing_at_the_counter(counter: Counter) -> None:
    refused = counter.place(1, Outcome.OUT_OF_STOCK)
    for move in (counter.ready, counter.collected, counter.state):
        with pytest.raises(UnknownOrder):
            move(refused)
    assert counter.listed("placed") == []


def test_the_life_of_an_order_has_its_cancellation_and_what_staff_said(counter: Counter, clock: MovableClock) -> None:
    order = counter.place(1)
    with counter.store.writing() as tx:
        tx.mark_stuck(order, "no copies", NOON)
    assert counter.follow.life(order, OrderQuery()).stuck == "no copies"
    clock.advance(minutes=1)
    with counter.store.writing() as tx:
        tx.cancel(order, "staff", clock(), "as asked")
        tx.end_stuck(Ending(order, "cancel", "staff", "as asked", clock(), is_cancelled=True))
    clock.advance(minutes=1)
    with counter.store.writing() as tx:
        tx.mark_returned([order], clock())
    life = counter.follow.life(order, OrderQuery())
    assert [(one.what, one.who, one.in_words) for one in life.happenings] == [
        ("placed", "ann", ""),
        ("stuck", None, "no copies"),
        ("cancelled", "staff", "as asked"),
        ("given-up", "staff", "as asked"),
        ("returned", None, ""),
    ]
    assert (life.stuck, life.state, life.order.status) == (None, "cancelled", "cancelled")


def test_the_life_of_anothers_order_is_unknown(counter: Counter) -> None:
    order = counter.place(1)
    with pytest.raises(UnknownOrder):
        counter.follow.life(order, OrderQuery(account_id="ben"))
    with pytest.raises(UnknownOrder):
        counter.follow.life(order_id(2), OrderQuery())


def test_what_an_older_server_cancelled_is_shown_as_cancelled(counter: Counter) -> None:
    order = counter.place(1)
    with counter.store.writing() as tx:
        tx.cancel(order, "staff", NOON)
        # It knows nothing of the row of states.
        tx._connection.execute(sa.text("UPDATE order_states SET state = 'placed'"))
    assert counter.state(order) == "cancelled"
    assert counter.follow.orders(CounterQuery(state="placed")).items == ()
    (shown,) = counter.follow.orders(CounterQuery(account_id="ann")).items
    assert (shown.state, shown.order.status) == ("cancelled", "cancelled")


def test_an_order_that_an_older_server_placed_is_placed(counter: Counter) -> None:
    order = counter.place(1)
    with counter.store.writing() as tx:
        tx._connection.execute(sa.text("DELETE FROM order_states"))
    assert counter.state(order) == "placed"
    counter.collected(order)
    assert (counter.state(order), counter.listed("collected")) == ("collected", [order])


def test_whoever_moves_an_order_is_shown_it(counter: Counter) -> None:
    order = counter.place(1)
    shown = counter._hand_out.move_order(order, MoveOrder(actor="staff", to="ready"))
    assert (shown.order.order_id, shown.order.status, shown.account_id) == (order, "confirmed", "ann")


def test_the_life_of_an_order_that_was_settled_by_hand_says_so(counter: Counter) -> None:
    order = counter.place(1)
    with counter.store.writing() as tx:
        tx.mark_stuck(order, "no copies", NOON)
        tx.end_stuck(Ending(order, "settle", "staff", "handed out", NOON, is_cancelled=False))
    assert counter.happened(order) == [("placed", "ann"), ("stuck", None), ("settled", "staff")]


def test_a_cancellation_without_a_reason_has_none(counter: Counter) -> None:
    by_staff, by_recovery = counter.place(1), counter.place(2)
    counter.cancel(by_staff)
    with counter.store.writing() as tx:
        tx.cancel(by_recovery, "recovery", NOON)
        for order in (by_staff, by_recovery):
            assert [one.in_words for one in tx.happened_to(order)] == [""]


def test_why_an_order_was_cancelled_is_kept(counter: Counter) -> None:
    order = counter.place(1)
    counter._cancel.cancel_order(order, CancelOrder(actor="staff", account_id=None, reason="water damage"))
    told = [one for one in counter.follow.life(order, OrderQuery()).happenings if one.what == "cancelled"]
    assert [(one.who, one.in_words) for one in told] == [("staff", "water damage")]


@pytest.mark.parametrize("page", [1, 2, 100])
def test_the_journal_has_each_deed_of_a_person_once_the_newest_first(
    counter: Counter, clock: MovableClock, page: int
) -> None:
    moved, cancelled, given_up, settled = (counter.place(number) for number in (1, 2, 3, 4))
    for move in (counter.ready, counter.ready, counter.collected):
        clock.advance(minutes=1)
        move(moved)
    clock.advance(minutes=1)
    for _ in range(2):
        counter.cancel(cancelled, "ann")
    clock.advance(minutes=1)
    with counter.store.writing() as tx:
        for order in (given_up, settled):
            tx.mark_stuck(order, "no copies", clock())
        # As one of the staff ends it: a cancellation and a line of the journal at one moment.
        tx.cancel(given_up, "staff", clock(), "the shelf is empty")
        tx.end_stuck(Ending(given_up, "cancel", "staff", "the shelf is empty", clock(), is_cancelled=True))
        tx.end_stuck(Ending(settled, "settle", "boss", "seen", clock(), is_cancelled=False))
    lines = counter.journal(page)
    assert [(line.order_id, line.what, line.who, line.at[11:16]) for line in lines[-3:]] == [
        (cancelled, "cancelled", "staff", "12:04"),
        (moved, "collected", "staff", "12:03"),
        (moved, "ready", "staff", "12:01"),
    ]
    assert sorted((line.order_id, line.what, line.in_words) for line in lines[:-3]) == [
        (given_up, "cancelled", "the shelf is empty"),
        (given_up, "given-up", "the shelf is empty"),
        (settled, "settled", "seen"),
    ]
    assert {(line.account_id, line.titles) for line in lines} == {("ann", ("Xen",))}


def test_the_journal_refuses_a_cursor_that_it_did_not_give(counter: Counter) -> None:
    for cursor in ("x", "1.2", "1.aa", "-1.aa.ready", f"{2**63}.aa.ready", "1.AA.ready"):
        with pytest.raises(BadCursor):
            counter.follow.journal(OrderJournalQuery(cursor=cursor))


def test_a_page_of_the_journal_reads_no_more_than_it_shows(order_database: Database) -> None:
    if order_database.engine.dialect.name != "sqlite":
        pytest.skip("SQLite tells its plan in words that do not depend on how much there is")
    values = {"before": 2**62, "before_id": "", "before_what": "", "most": 3}
    with order_database.reading() as connection:
        plans = [connection.execute(sa.text(f"EXPLAIN QUERY PLAN {source}"), values).all() for source in DEEDS_BY_TABLE]
    for plan, index in zip(plans, ("moves_in_time", "cancellations_in_time", "journal_in_time"), strict=True):
        assert f"USING INDEX {index}" in str(plan) or f"USING COVERING INDEX {index}" in str(plan)
        assert "USE TEMP B-TREE FOR ORDER BY" not in str(plan)


def test_orders_are_found_by_how_their_number_begins(counter: Counter) -> None:
    orders = sorted(counter.place(number) for number in range(40))
    refused = counter.place(50, Outcome.OUT_OF_STOCK)
    for start in (orders[0], orders[0][:4], orders[0][0]):
        found = counter.follow.orders(CounterQuery(number=start, limit=100)).items
        assert [one.order.order_id for one in found] == [one for one in orders if one.startswith(start)]
    assert counter.follow.orders(CounterQuery(number=refused)).items == ()
    assert counter.follow.orders(CounterQuery(number=orders[0], account_id="ben")).items == ()
    assert len(counter.follow.orders(CounterQuery(number=orders[0][0], limit=1)).items) == 1
