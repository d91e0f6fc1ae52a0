"""The list of orders in SQL: confirmed decisions, newest first, page by page."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.order.domain.decisions import Decision
from bazar.order.domain.errors import BadCursor
from bazar.order.storage.decisions import read_decision
from bazar.order.storage.schema import cancellations, decisions

_OLDER = sa.tuple_(decisions.c.decided_at, decisions.c.order_id) < sa.tuple_(sa.bindparam("at"), sa.bindparam("id"))
_ALL = (
    sa.select(decisions)
    .where(decisions.c.outcome == sa.text("'confirmed'"), _OLDER)
    .order_by(decisions.c.decided_at.desc(), decisions.c.order_id.desc())
    .limit(sa.bindparam("most"))
)
_OF_ACCOUNT = _ALL.where(decisions.c.account_id == sa.bindparam("account_id"))
_LAST_SOLD = (
    sa.select(decisions.c.lines)
    .where(
        decisions.c.outcome == sa.text("'confirmed'"),
        ~sa.exists().where(cancellations.c.order_id == decisions.c.order_id),
    )
    .order_by(decisions.c.decided_at.desc(), decisions.c.order_id.desc())
    .limit(sa.bindparam("most"))
)
_NEWEST = (2**62, "")
#: When, and the order's id; what is longer is above 2**63.
_CURSOR = re.compile(r"([0-9]{1,18})\.([a-z2-7]*)")


class OrderListRows:
    """Part of a transaction on the order server's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def orders_of(
        self, account_id: str | None, before: str | None, limit: int
    ) -> tuple[Sequence[Decision], str | None]:
        at, order_id = read_cursor(before)
        values: dict[str, Any] = {"at": at, "id": order_id, "most": limit + 1}
        if account_id is None:
            rows = self._connection.execute(_ALL, values).all()
        else:
            rows = self._connection.execute(_OF_ACCOUNT, {**values, "account_id": account_id}).all()
        shown = rows[:limit]
        older = f"{shown[-1].decided_at}.{shown[-1].order_id}" if len(rows) > limit else None
        return [read_decision(row) for row in shown], older

    def last_sold(self, orders: int) -> Iterable[tuple[int, int]]:
        for lines in self._connection.execute(_LAST_SOLD, {"most": orders}).scalars():
            for item_number, _title, quantity, _price in lines:
                yield item_number, quantity


def read_cursor(cursor: str | None) -> tuple[int, str]:
    """When, and which order: what comes next is older. Raises BadCursor."""
    if cursor is None:
        return _NEWEST
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise BadCursor(cursor)
    return int(match[1]), match[2]
