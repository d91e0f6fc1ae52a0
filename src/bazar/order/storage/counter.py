"""What happens to orders at the counter, in SQL: moves inserted once, lists by state, and the figures of days."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.chassis.database import for_update
from bazar.contracts.counter import State
from bazar.contracts.times import from_microseconds, microseconds
from bazar.order.domain.decisions import Decision
from bazar.order.storage.decisions import read_decision
from bazar.order.storage.order_list import read_cursor
from bazar.order.storage.order_states import note_state
from bazar.order.storage.schema import cancellations, decisions, journal, moves, order_states, stuck_orders
from bazar.order.use_cases.ports import Happened, Moved

_ID: sa.BindParameter[str] = sa.bindparam("order_id")
_ONE = sa.select(decisions).where(decisions.c.order_id == _ID)
_MOVE = sa.text(
    "INSERT INTO moves (order_id, moved_to, at, who, total_minor) VALUES (:order_id, :to, :at, :who, :total) "
    "ON CONFLICT DO NOTHING"
)
_COLLECTED_AT = sa.select(moves.c.at).where(moves.c.order_id == _ID, moves.c.moved_to == sa.text("'collected'"))

_PLACE = sa.tuple_(order_states.c.placed_at, order_states.c.order_id)
_CURSOR = sa.tuple_(sa.bindparam("at"), sa.bindparam("id"))
_IN_STATE = (
    sa.select(decisions)
    .join(order_states, order_states.c.order_id == decisions.c.order_id)
    .where(order_states.c.state == sa.bindparam("state"))
    .limit(sa.bindparam("most"))
)
_OLDEST_FIRST = _IN_STATE.where(_PLACE > _CURSOR).order_by(order_states.c.placed_at, order_states.c.order_id)
_NEWEST_FIRST = _IN_STATE.where(_PLACE < _CURSOR).order_by(
    order_states.c.placed_at.desc(), order_states.c.order_id.desc()
)
#: What an older order server decided has no row of its state, and what it cancelled an old one.
_OPEN_OF = (
    sa.select(decisions)
    .where(
        decisions.c.outcome == sa.text("'confirmed'"),
        decisions.c.account_id == sa.bindparam("account_id"),
        sa.tuple_(decisions.c.decided_at, decisions.c.order_id) < _CURSOR,
        ~sa.exists().where(
            order_states.c.order_id == decisions.c.order_id,
            order_states.c.state.in_(["collected", "cancelled"]),
        ),
        ~sa.exists().where(cancellations.c.order_id == decisions.c.order_id),
    )
    .order_by(decisions.c.decided_at.desc(), decisions.c.order_id.desc())
    .limit(sa.bindparam("most"))
)
_WAITING = ("placed", "ready")
_OLDEST = (-1, "")

_MOVES_OF = sa.select(moves.c.moved_to, moves.c.at, moves.c.who).where(moves.c.order_id == _ID)
_CANCELLATION_OF = sa.select(
    cancellations.c.cancelled_at, cancellations.c.actor, cancellations.c.returned_at, cancellations.c.reason
).where(cancellations.c.order_id == _ID)
_STUCK_OF = sa.select(stuck_orders.c.reason, stuck_orders.c.at).where(stuck_orders.c.order_id == _ID)
_ENDINGS_OF = sa.select(
    journal.c.at, journal.c.who, journal.c.action, journal.c.in_words, journal.c.reason, journal.c.stuck_since
).where(journal.c.order_id == _ID)

#: A quarter of an hour has 900,000,000 microseconds; whole numbers are divided to whole ones.
_PLACED_BY_QUARTER = sa.text(
    "SELECT decided_at / 900000000 AS quarter, count(*) AS orders FROM decisions "
    "WHERE outcome = 'confirmed' AND decided_at >= :since AND NOT EXISTS "
    "(SELECT 1 FROM cancellations WHERE cancellations.order_id = decisions.order_id) GROUP BY 1"
)
_TAKEN_BY_QUARTER = sa.text(
    "SELECT at / 900000000 AS quarter, sum(total_minor) AS taken FROM moves "
    "WHERE moved_to = 'collected' AND at >= :since GROUP BY 1"
)


class CounterRows:
    """Part of a transaction on the order server's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock_order(self, order_id: str) -> Decision | None:
        row = self._connection.execute(for_update(_ONE, self._connection), {"order_id": order_id}).one_or_none()
        return None if row is None else read_decision(row)

    def move(self, moved: Moved, total_minor: int) -> bool:
        values = {
            "order_id": moved.order_id,
            "to": moved.to,
            "at": microseconds(moved.at),
            "who": moved.who,
            "total": total_minor,
        }
        is_new = self._connection.execute(_MOVE, values).rowcount == 1
        if is_new:
            note_state(self._connection, moved.order_id, moved.to)
        return is_new

    def collected_at(self, order_id: str) -> datetime | None:
        at = self._connection.execute(_COLLECTED_AT, {"order_id": order_id}).scalar_one_or_none()
        return None if at is None else from_microseconds(at)

    def orders_in_state(self, state: State, before: str | None, limit: int) -> tuple[Sequence[Decision], str | None]:
        is_waiting = state in _WAITING
        at, order_id = _OLDEST if is_waiting and before is None else read_cursor(before)
        statement = _OLDEST_FIRST if is_waiting else _NEWEST_FIRST
        values = {"state": state, "at": at, "id": order_id, "most": limit + 1}
        return _page(self._connection.execute(statement, values).all(), limit)

    def open_orders_of(self, account_id: str, before: str | None, limit: int) -> tuple[Sequence[Decision], str | None]:
        at, order_id = read_cursor(before)
        values = {"account_id": account_id, "at": at, "id": order_id, "most": limit + 1}
        return _page(self._connection.execute(_OPEN_OF, values).all(), limit)

    def happened_to(self, order_id: str) -> Sequence[Happened]:
        of_order = {"order_id": order_id}
        found = [
            Happened(row.moved_to, from_microseconds(row.at), row.who)
            for row in self._connection.execute(_MOVES_OF, of_order)
        ]
        for row in self._connection.execute(_CANCELLATION_OF, of_order):
            found.append(Happened("cancelled", from_microseconds(row.cancelled_at), row.actor, row.reason or ""))
            if row.returned_at is not None:
                found.append(Happened("returned", from_microseconds(row.returned_at)))
        for ended in self._connection.execute(_ENDINGS_OF, of_order):
            found.append(Happened("stuck", from_microseconds(ended.stuck_since), in_words=ended.reason))
            how: Literal["settled", "given-up"] = "settled" if ended.action == "settle" else "given-up"
            found.append(Happened(how, from_microseconds(ended.at), ended.who, ended.in_words))
        now_stuck = self._connection.execute(_STUCK_OF, of_order)
        return [*found, *(Happened("stuck", from_microseconds(row.at), in_words=row.reason) for row in now_stuck)]

    def placed_by_quarter(self, since: datetime) -> Mapping[int, int]:
        rows = self._connection.execute(_PLACED_BY_QUARTER, {"since": microseconds(since)})
        return {int(row.quarter): int(row.orders) for row in rows}

    def taken_by_quarter(self, since: datetime) -> Mapping[int, int]:
        rows = self._connection.execute(_TAKEN_BY_QUARTER, {"since": microseconds(since)})
        return {int(row.quarter): int(row.taken) for row in rows}


def _page(rows: Sequence[sa.Row[Any]], limit: int) -> tuple[Sequence[Decision], str | None]:
    """Of at most ``limit + 1`` decisions the first, and the cursor of what follows them."""
    shown = rows[:limit]
    more = f"{shown[-1].decided_at}.{shown[-1].order_id}" if len(rows) > limit else None
    return [read_decision(row) for row in shown], more
