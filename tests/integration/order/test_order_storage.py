"""What the order server's store promises, on every database: a decision is made once and stays."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bazar.chassis.database import Database
from bazar.contracts.books import HIGHEST_PRICE_MINOR, MOST_COPIES_A_LINE
from bazar.contracts.wire import LARGEST_JSON_INTEGER
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome, ShortLine
from bazar.order.domain.errors import BadCursor
from bazar.order.storage.schema import decisions
from bazar.order.storage.store import SECRET_BYTES, OrderStore
from holding import order_id
from shop_in_process import NOON
from together import together

ALPHABET = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
NUMBERS = st.integers(1, LARGEST_JSON_INTEGER)
LINES = st.builds(
    OrderedLine,
    NUMBERS,
    st.text(ALPHABET, max_size=50),
    st.integers(1, MOST_COPIES_A_LINE),
    st.integers(0, HIGHEST_PRICE_MINOR),
)
SHORTAGES = st.builds(ShortLine, NUMBERS, st.integers(1, MOST_COPIES_A_LINE), st.integers(0, MOST_COPIES_A_LINE))
DECISIONS = st.builds(
    Decision,
    order_id=st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=32, max_size=32),
    account_id=st.text(ALPHABET, max_size=20),
    purchase_hash=st.text("0123456789abcdef", min_size=64, max_size=64),
    outcome=st.sampled_from(Outcome),
    decided_at=st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - as hypothesis wants them
    currency=st.just("USD"),
    lines=st.lists(LINES, max_size=5).map(tuple),
    shortages=st.lists(SHORTAGES, max_size=5).map(tuple),
    position=st.none() | st.text("0123456789abcdef-", max_size=20),
)


class MishapError(Exception):
    """Something goes wrong inside a transaction."""


def a_decision(
    number: int = 1,
    outcome: Outcome = Outcome.CONFIRMED,
    account_id: str = "ann",
    at: datetime = NOON,
    purchase_hash: str = "hash",
) -> Decision:
    return Decision(
        order_id=order_id(number),
        account_id=account_id,
        purchase_hash=purchase_hash,
        outcome=outcome,
        decided_at=at,
        currency="USD",
        lines=(OrderedLine(7, "Xen", 1, 1500),),
    )


def decide(store: OrderStore, decision: Decision) -> Decision:
    with store.writing() as tx:
        return tx.decide([decision])[decision.order_id]


def orders(store: OrderStore, account_id: str | None, page: int) -> Sequence[str]:
    """The ids of all orders, read in pages of so many."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        with store.reading() as tx:
            shown, cursor = tx.orders_of(account_id, cursor, page)
        assert len(shown) <= page
        found += [decision.order_id for decision in shown]
        if cursor is None:
            return found


@settings(
    max_examples=60,
    deadline=None,
    # One database for all examples; each empties it.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(decision=DECISIONS)
def test_a_decision_is_read_as_it_was_made(order_database: Database, decision: Decision) -> None:
    with order_database.writing() as connection:
        connection.execute(sa.delete(decisions))
    order_store = OrderStore(order_database)
    first = decide(order_store, decision)
    with order_store.reading() as tx:
        assert tx.decision(decision.order_id) == first
        assert tx.decisions([decision.order_id, "unknown"]) == [first]
    assert first == decision


def test_the_first_decision_stays(order_store: OrderStore) -> None:
    first = decide(order_store, a_decision())
    for other in (
        a_decision(outcome=Outcome.CANCELLED),
        a_decision(purchase_hash="another"),
        a_decision(at=NOON + timedelta(days=1)),
    ):
        assert decide(order_store, other) == first


def test_of_many_that_decide_at_once_all_answer_what_the_first_decided(order_store: OrderStore) -> None:
    for number in range(10):
        proposed = [a_decision(number, outcome) for outcome in Outcome for _ in range(2)]
        decided = together(*(partial(decide, order_store, decision) for decision in proposed))
        assert len(set(decided)) == 1
        assert decided[0] in proposed


def test_an_unknown_order_has_no_decision(order_store: OrderStore) -> None:
    with order_store.reading() as tx:
        assert tx.decision(order_id(1)) is None
        assert tx.decisions([order_id(1)]) == []
        assert tx.decisions([]) == []


@pytest.mark.parametrize("page", [1, 2, 100])
def test_orders_come_newest_first_page_by_page_and_refusals_are_none(order_store: OrderStore, page: int) -> None:
    for number, outcome in enumerate([*Outcome, Outcome.CONFIRMED, Outcome.CONFIRMED]):
        decide(order_store, a_decision(number, outcome, "ben" if number == 4 else "ann"))
    for number in (7, 8):
        decide(order_store, a_decision(number, at=NOON + timedelta(microseconds=1 - 2 * (number - 7))))
    assert orders(order_store, None, page) == [order_id(number) for number in (7, 5, 4, 0, 8)]
    assert orders(order_store, "ann", page) == [order_id(number) for number in (7, 5, 0, 8)]
    assert orders(order_store, "ben", page) == [order_id(4)]
    assert orders(order_store, "nobody", page) == []


@pytest.mark.parametrize("account_id", [None, "ann"])
def test_a_page_that_ends_the_list_says_so(order_store: OrderStore, account_id: str | None) -> None:
    for number in range(2):
        decide(order_store, a_decision(number))
    with order_store.reading() as tx:
        assert tx.orders_of(account_id, None, 2)[1] is None
        assert tx.orders_of(account_id, None, 1)[1] is not None


@pytest.mark.parametrize("cursor", ["x", "1", "1.A", "1.1", "-1.a", "1.a.b", "1.\0", "9" * 19 + ".a", ".a", ""])
def test_a_cursor_that_was_never_given_out_is_refused(order_store: OrderStore, cursor: str) -> None:
    with order_store.reading() as tx, pytest.raises(BadCursor):
        tx.orders_of(None, cursor, 1)


def test_the_currency_of_the_orders_is_known_once_there_is_one(order_store: OrderStore) -> None:
    with order_store.writing() as tx:
        assert tx.currency_of_orders() is None
        tx.decide([a_decision()])
        assert tx.currency_of_orders() == "USD"


def test_an_order_is_marked_stuck_once(order_store: OrderStore) -> None:
    with order_store.writing() as tx:
        assert tx.mark_stuck(order_id(1), "first", NOON)
        assert not tx.mark_stuck(order_id(1), "second", NOON)
        assert tx.stuck([order_id(1), order_id(2)]) == {order_id(1)}
        assert tx.stuck([]) == frozenset()


def test_servers_that_start_together_make_one_secret(order_database: Database) -> None:
    def start() -> bytes:
        with OrderStore(order_database).writing() as tx:
            return tx.order_id_secret()

    made = set(together(start, start, start))
    assert len(made) == 1
    assert made == {start()}
    assert len(made.pop()) == SECRET_BYTES


def test_an_error_undoes_all_of_a_transaction(order_store: OrderStore) -> None:
    def decide_and_fail() -> None:
        with order_store.writing() as tx:
            tx.decide([a_decision()])
            tx.mark_stuck(order_id(1), "no reason", NOON)
            raise MishapError

    with pytest.raises(MishapError):
        decide_and_fail()
    with order_store.reading() as tx:
        assert tx.decision(order_id(1)) is None
        assert tx.stuck([order_id(1)]) == frozenset()


def test_a_reader_sees_one_state_while_others_write(order_store: OrderStore) -> None:
    decide(order_store, a_decision(1))
    with order_store.reading() as tx:
        before = tx.orders_of(None, None, 10)
        decide(order_store, a_decision(2))
        assert tx.orders_of(None, None, 10) == before
    assert len(orders(order_store, None, 10)) == 2
