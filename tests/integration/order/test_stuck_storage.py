"""Stuck orders, their journal, and what a comparison needs, on every database."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from bazar.chassis.database import Database
from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.domain.errors import BadCursor
from bazar.order.storage.store import OrderStore
from bazar.order.use_cases.ports import Ending
from holding import order_id
from shop_in_process import NOON
from together import together


def decide(store: OrderStore, *numbers: int, outcome: Outcome = Outcome.CONFIRMED) -> None:
    with store.writing() as tx:
        tx.decide([Decision(order_id(number), "ann", "hash", outcome, NOON, "USD") for number in numbers])


def mark(store: OrderStore, number: int, reason: str = "why", at: datetime = NOON) -> bool:
    with store.writing() as tx:
        return tx.mark_stuck(order_id(number), reason, at)


def end(store: OrderStore, number: int, *, is_cancelled: bool = False) -> bool:
    with store.writing() as tx:
        return tx.end_stuck(Ending(order_id(number), "settle", "staff", "said so", NOON, is_cancelled=is_cancelled))


@pytest.mark.parametrize("page", [1, 2, 100])
def test_stuck_orders_come_page_by_page_the_last_ones_first(order_store: OrderStore, page: int) -> None:
    decide(order_store, 1, 2, 3, 4)
    for number, minutes in ((1, 0), (2, 5), (3, 5), (4, -5)):
        mark(order_store, number, f"reason {number}", NOON + timedelta(minutes=minutes))
    found: list[tuple[str, str, datetime]] = []
    cursor: str | None = None
    while True:
        with order_store.reading() as tx:
            shown, cursor = tx.stuck_page(cursor, page)
        assert len(shown) <= page
        found += [(stuck.decision.order_id, stuck.reason, stuck.since) for stuck in shown]
        if cursor is None:
            break
    assert found == [
        (order_id(number), f"reason {number}", NOON + timedelta(minutes=minutes))
        for number, minutes in ((3, 5), (2, 5), (1, 0), (4, -5))
    ]
    with order_store.reading() as tx, pytest.raises(BadCursor):
        tx.stuck_page("nonsense", page)
    with order_store.reading() as tx:
        assert tx.stuck_page(None, len(found))[1] is None


def test_what_was_ended_is_stuck_again_for_another_reason_only(order_store: OrderStore) -> None:
    decide(order_store, 1, 2)
    assert mark(order_store, 1)
    assert end(order_store, 1)
    assert not mark(order_store, 1)
    assert mark(order_store, 2)
    assert mark(order_store, 1, "another reason")
    with order_store.reading() as tx:
        assert tx.stuck([order_id(1), order_id(2)]) == {order_id(1), order_id(2)}
        assert (tx.last_ending(order_id(1)), tx.last_ending(order_id(2))) == ("settle", None)


def test_an_order_is_ended_once_however_many_say_so_at_once(order_store: OrderStore, order_database: Database) -> None:
    decide(order_store, 1)
    mark(order_store, 1)
    assert sorted(together(*[lambda: end(order_store, 1)] * 4)) == [False, False, False, True]
    with order_database.reading() as connection:
        (entry,) = connection.execute(sa.text("SELECT order_id, who, action, in_words, reason FROM journal"))
    assert tuple(entry) == (order_id(1), "staff", "settle", "said so", "why")


def test_the_returns_of_orders_that_were_cancelled_when_a_person_ended_them_are_ended(order_store: OrderStore) -> None:
    decide(order_store, 1, 2, 3)
    for number in (1, 2):
        mark(order_store, number)
        end(order_store, number, is_cancelled=number == 2)
    with order_store.reading() as tx:
        assert tx.returns_ended([order_id(number) for number in (1, 2, 3)]) == {order_id(2)}


def test_the_epoch_of_the_last_comparison_is_kept_until_it_is_forgotten(order_store: OrderStore) -> None:
    seen: list[str | None] = []
    for epoch in ("first", "second", None):
        with order_store.writing() as tx:
            seen.append(tx.compared_with())
            if epoch is None:
                tx.forget_comparison()
            else:
                tx.note_comparison(epoch, NOON)
    with order_store.reading() as tx:
        seen.append(tx.compared_with())
    assert seen == [None, "first", "second", None]


def test_all_cancelled_orders_are_to_be_returned_once_more(order_store: OrderStore) -> None:
    decide(order_store, 1, 2)
    with order_store.writing() as tx:
        for number in (1, 2):
            tx.cancel(order_id(number), "ann", NOON, "changed my mind")
        tx.mark_returned([order_id(1)], NOON)
        assert [decision.order_id for decision in tx.unreturned(10)] == [order_id(2)]
        tx.void_returns()
        assert [decision.order_id for decision in tx.unreturned(10)] == [order_id(1), order_id(2)]


def test_decisions_of_every_kind_come_in_ascending_order(order_store: OrderStore) -> None:
    for number, outcome in enumerate(Outcome):
        decide(order_store, number, outcome=outcome)
    found: list[str] = []
    while True:
        with order_store.reading() as tx:
            page = tx.decisions_after(found[-1] if found else "", 3)
        if not page:
            break
        found += [decision.order_id for decision in page]
    assert found == [order_id(number) for number in range(len(Outcome))]
