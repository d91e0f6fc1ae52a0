"""Cancellations in SQL: inserted once beside the decision, which never changes."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.contracts.times import microseconds
from bazar.order.domain.decisions import Decision
from bazar.order.storage.decisions import read_decision
from bazar.order.storage.order_states import note_state
from bazar.order.storage.schema import cancellations, decisions, stuck_orders

_CANCEL = sa.text(
    "INSERT INTO cancellations (order_id, cancelled_at, actor, reason) VALUES (:order_id, :at, :actor, :reason) "
    "ON CONFLICT DO NOTHING"
)
_CANCELLED = sa.select(cancellations.c.order_id).where(
    cancellations.c.order_id.in_(sa.bindparam("order_ids", expanding=True))
)
#: Those that are stuck wait for a person: asking again would give the same answer.
_UNRETURNED = (
    sa.select(decisions)
    .join(cancellations, cancellations.c.order_id == decisions.c.order_id)
    .where(
        cancellations.c.returned_at.is_(None),
        ~sa.exists().where(stuck_orders.c.order_id == cancellations.c.order_id),
    )
    .order_by(cancellations.c.order_id)
    .limit(sa.bindparam("most"))
)
_MARK_RETURNED = (
    sa.update(cancellations)
    .where(
        cancellations.c.order_id.in_(sa.bindparam("order_ids", expanding=True)), cancellations.c.returned_at.is_(None)
    )
    .values(returned_at=sa.bindparam("at"))
)


class CancellationRows:
    """Part of a transaction on the order server's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def cancel(self, order_id: str, actor: str, at: datetime, reason: str = "") -> bool:
        values = {"order_id": order_id, "actor": actor, "at": microseconds(at), "reason": reason or None}
        is_new = self._connection.execute(_CANCEL, values).rowcount == 1
        if is_new:
            note_state(self._connection, order_id, "cancelled")
        return is_new

    def cancelled(self, order_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self._connection.execute(_CANCELLED, {"order_ids": list(order_ids)}).scalars())

    def unreturned(self, limit: int) -> Sequence[Decision]:
        return [read_decision(row) for row in self._connection.execute(_UNRETURNED, {"most": limit})]

    def mark_returned(self, order_ids: Sequence[str], at: datetime) -> None:
        self._connection.execute(_MARK_RETURNED, {"order_ids": list(order_ids), "at": microseconds(at)})
