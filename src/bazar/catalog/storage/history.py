"""The history of a book: what staff did to it, from the journal, and what was sold of it, from the holds."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.catalog.domain.errors import BadCursor
from bazar.catalog.storage.schema import hold_lines, holds, journal
from bazar.catalog.use_cases.ports import JournalEntry
from bazar.contracts.times import from_microseconds

_DONE = sa.select(
    journal.c.at,
    sa.cast(journal.c.entry_number, sa.Text).label("ref"),
    journal.c.who,
    journal.c.kind,
    journal.c.reason,
    journal.c.price_minor,
    journal.c.stock_change,
    sa.null().cast(sa.Text).label("order_id"),
).where(journal.c.item_number == sa.bindparam("item"))
_SOLD = (
    sa.select(
        holds.c.held_at,
        holds.c.order_id,
        holds.c.account_id,
        sa.literal("sold"),
        sa.literal(""),
        hold_lines.c.price_minor,
        (-hold_lines.c.quantity),
        holds.c.order_id,
    )
    .join(hold_lines, hold_lines.c.order_id == holds.c.order_id)
    .where(hold_lines.c.item_number == sa.bindparam("item"), holds.c.state.in_(["held", "settled"]))
)
_ALL = sa.union_all(_DONE, _SOLD).subquery()
_PAGE = (
    sa.select(_ALL)
    .where(sa.tuple_(_ALL.c.at, _ALL.c.ref) < sa.tuple_(sa.bindparam("at"), sa.bindparam("ref")))
    .order_by(_ALL.c.at.desc(), _ALL.c.ref.desc())
    .limit(sa.bindparam("most"))
)
_NEWEST = (2**62, "")


class HistoryRows:
    """Part of a transaction on the catalog's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def history(self, item_number: int, before: str | None, limit: int) -> tuple[Sequence[JournalEntry], str | None]:
        at, ref = _position(before)
        values = {"item": item_number, "at": at, "ref": ref, "most": limit + 1}
        rows = self._connection.execute(_PAGE, values).all()
        shown = rows[:limit]
        entries = [
            JournalEntry(
                item_number=item_number,
                at=from_microseconds(row.at),
                who=row.who,
                kind=row.kind,
                reason=row.reason,
                price_minor=row.price_minor,
                stock_change=row.stock_change,
                order_id=row.order_id,
            )
            for row in shown
        ]
        return entries, f"{shown[-1].at}.{shown[-1].ref}" if len(rows) > limit else None


def _position(cursor: str | None) -> tuple[int, str]:
    if cursor is None:
        return _NEWEST
    at, dot, ref = cursor.partition(".")
    if not dot or not (at.isascii() and at.isdigit() and len(at) <= 18):  # noqa: PLR2004 - below 2**63
        raise BadCursor(cursor)
    return int(at), ref
