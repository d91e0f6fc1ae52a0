"""Orders that recovery could not finish, in SQL, and the journal of how people ended that."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.contracts.times import from_microseconds, microseconds
from bazar.order.storage.decisions import read_decision
from bazar.order.storage.order_list import read_cursor
from bazar.order.storage.schema import decisions, journal, stuck_orders
from bazar.order.use_cases.ports import Ending, Stuck

#: What a person has ended is not stuck again for the same reason.
_MARK = sa.text(
    "INSERT INTO stuck_orders (order_id, reason, at) SELECT :order_id, :reason, CAST(:at AS BIGINT) WHERE NOT EXISTS "
    "(SELECT 1 FROM journal WHERE journal.order_id = :order_id AND journal.reason = :reason) ON CONFLICT DO NOTHING"
)
_STUCK = sa.select(stuck_orders.c.order_id).where(
    stuck_orders.c.order_id.in_(sa.bindparam("order_ids", expanding=True))
)
_PAGE = (
    sa.select(decisions, stuck_orders.c.reason, stuck_orders.c.at)
    .join(stuck_orders, stuck_orders.c.order_id == decisions.c.order_id)
    .where(
        sa.tuple_(stuck_orders.c.at, stuck_orders.c.order_id) < sa.tuple_(sa.bindparam("since"), sa.bindparam("id")),
    )
    .order_by(stuck_orders.c.at.desc(), stuck_orders.c.order_id.desc())
    .limit(sa.bindparam("most"))
)
_COUNT = sa.text("SELECT count(*) FROM (SELECT 1 FROM stuck_orders LIMIT :most) AS counted")
_END = (
    sa.delete(stuck_orders)
    .where(stuck_orders.c.order_id == sa.bindparam("of_order"))
    .returning(stuck_orders.c.reason, stuck_orders.c.at)
)
_LAST_ACTION = (
    sa.select(journal.c.action)
    .where(journal.c.order_id == sa.bindparam("order_id"))
    .order_by(journal.c.entry_number.desc())
    .limit(1)
)
_RETURNS_ENDED = sa.select(journal.c.order_id).where(
    journal.c.order_id.in_(sa.bindparam("order_ids", expanding=True)), journal.c.is_cancelled
)


class StuckRows:
    """Part of a transaction on the order server's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def mark_stuck(self, order_id: str, reason: str, at: datetime) -> bool:
        done = self._connection.execute(_MARK, {"order_id": order_id, "reason": reason, "at": microseconds(at)})
        return done.rowcount == 1

    def stuck(self, order_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self._connection.execute(_STUCK, {"order_ids": list(order_ids)}).scalars())

    def count_stuck(self, most: int) -> int:
        return int(self._connection.execute(_COUNT, {"most": most}).scalar_one())

    def stuck_page(self, before: str | None, limit: int) -> tuple[Sequence[Stuck], str | None]:
        since, order_id = read_cursor(before)
        rows = self._connection.execute(_PAGE, {"since": since, "id": order_id, "most": limit + 1}).all()
        shown = rows[:limit]
        older = f"{shown[-1].at}.{shown[-1].order_id}" if len(rows) > limit else None
        return [Stuck(read_decision(row), row.reason, from_microseconds(row.at)) for row in shown], older

    def end_stuck(self, ending: Ending) -> bool:
        was = self._connection.execute(_END, {"of_order": ending.order_id}).one_or_none()
        if was is None:
            return False
        self._connection.execute(
            sa.insert(journal),
            {
                "order_id": ending.order_id,
                "at": microseconds(ending.at),
                "who": ending.who,
                "action": ending.action,
                "in_words": ending.in_words,
                "reason": was.reason,
                "stuck_since": was.at,
                "is_cancelled": ending.is_cancelled,
            },
        )
        return True

    def last_ending(self, order_id: str) -> str | None:
        return self._connection.execute(_LAST_ACTION, {"order_id": order_id}).scalar_one_or_none()

    def returns_ended(self, order_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self._connection.execute(_RETURNS_ENDED, {"order_ids": list(order_ids)}).scalars())
