"""How far each order is, in SQL: written in the transaction that decides, moves or cancels it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.contracts.counter import State
from bazar.contracts.times import microseconds
from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.storage.schema import order_states

_STATES: Mapping[str, State] = {state: state for state in get_args(State)}
#: A decision that is made again takes nothing back.
_PLACED = sa.text(
    "INSERT INTO order_states (order_id, state, placed_at) VALUES (:order_id, 'placed', :at) ON CONFLICT DO NOTHING"
)
_SET = sa.text(
    "INSERT INTO order_states (order_id, state, placed_at) "
    "SELECT order_id, :state, decided_at FROM decisions WHERE order_id = :order_id "
    "ON CONFLICT (order_id) DO UPDATE SET state = excluded.state"
)
_SOME = sa.select(order_states.c.order_id, order_states.c.state).where(
    order_states.c.order_id.in_(sa.bindparam("order_ids", expanding=True))
)
_COUNT = sa.text("SELECT count(*) FROM (SELECT 1 FROM order_states WHERE state = :state LIMIT :most) AS counted")


def note_placed(connection: Connection, decided: Iterable[Decision]) -> None:
    """Those that are orders are placed, unless more is known of them."""
    # Ascending: two that insert the same ones at once do not wait for each other in a ring.
    placed = sorted((one for one in decided if one.outcome is Outcome.CONFIRMED), key=lambda one: one.order_id)
    if placed:
        connection.execute(_PLACED, [{"order_id": one.order_id, "at": microseconds(one.decided_at)} for one in placed])


def note_state(connection: Connection, order_id: str, state: State) -> None:
    """The order is so far now."""
    connection.execute(_SET, {"order_id": order_id, "state": state})


class OrderStateRows:
    """Part of a transaction on the order server's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def states(self, order_ids: Sequence[str]) -> Mapping[str, State]:
        rows = self._connection.execute(_SOME, {"order_ids": list(order_ids)})
        return {row.order_id: _STATES[row.state] for row in rows}

    def count_in_state(self, state: State, most: int) -> int:
        return int(self._connection.execute(_COUNT, {"state": state, "most": most}).scalar_one())
