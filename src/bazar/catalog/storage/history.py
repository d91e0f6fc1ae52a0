"""The history of a book: what staff did to it, from the journal, and what was sold and came back, from the holds."""

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.catalog.domain.errors import BadCursor
from bazar.catalog.storage.schema import books, hold_lines, holds, journal
from bazar.catalog.use_cases.ports import JournalEntry
from bazar.contracts.times import from_microseconds

_DONE = sa.select(
    journal.c.at,
    journal.c.entry_number,
    journal.c.who,
    journal.c.kind,
    journal.c.reason,
    journal.c.price_minor,
    journal.c.stock_change,
    sa.literal("").label("order_id"),
).where(journal.c.item_number == sa.bindparam("item"))
_SOLD = (
    sa.select(
        holds.c.held_at,
        sa.literal(0),
        holds.c.account_id,
        sa.literal("sold"),
        sa.literal(""),
        hold_lines.c.price_minor,
        (-hold_lines.c.quantity),
        holds.c.order_id,
    )
    .join(hold_lines, hold_lines.c.order_id == holds.c.order_id)
    .where(hold_lines.c.item_number == sa.bindparam("item"), holds.c.state.in_(["held", "settled", "returned"]))
)
_RETURNED = (
    sa.select(
        holds.c.changed_at,
        sa.literal(0),
        holds.c.account_id,
        sa.literal("returned"),
        sa.literal(""),
        sa.null().cast(hold_lines.c.price_minor.type),
        hold_lines.c.quantity,
        holds.c.order_id,
    )
    .join(hold_lines, hold_lines.c.order_id == holds.c.order_id)
    .where(hold_lines.c.item_number == sa.bindparam("item"), holds.c.state == "returned")
)
_ALL = sa.union_all(_DONE, _SOLD, _RETURNED).subquery()
_PLACE = (_ALL.c.at, _ALL.c.entry_number, _ALL.c.order_id)
_PAGE = (
    sa.select(_ALL)
    .where(sa.tuple_(*_PLACE) < sa.tuple_(sa.bindparam("at"), sa.bindparam("entry_number"), sa.bindparam("order_id")))
    .order_by(*(column.desc() for column in _PLACE))
    .limit(sa.bindparam("most"))
)
_JOURNAL = (
    sa.select(journal, books.c.title)
    .join(books, books.c.item_number == journal.c.item_number)
    .where(journal.c.entry_number < sa.bindparam("before"))
    .order_by(journal.c.entry_number.desc())
    .limit(sa.bindparam("most"))
)
_NEWEST = (2**62, 0, "")
#: When, the journal's number or 0, the order's id or nothing; what is longer is above 2**63.
_ENTRY_NUMBER = re.compile(r"[0-9]{1,18}")
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\.([a-z2-7]*)")


class HistoryRows:
    """Part of a transaction on the catalog's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def history(self, item_number: int, before: str | None, limit: int) -> tuple[Sequence[JournalEntry], str | None]:
        at, entry_number, order_id = _place(before)
        values = {"at": at, "entry_number": entry_number, "order_id": order_id}
        rows = self._connection.execute(_PAGE, {**values, "item": item_number, "most": limit + 1}).all()
        shown = rows[:limit]
        entries = [_entry(row, item_number, row.order_id or None) for row in shown]
        if len(rows) <= limit:
            return entries, None
        return entries, f"{shown[-1].at}.{shown[-1].entry_number}.{shown[-1].order_id}"

    def journal(
        self, item_number: int | None, before: str | None, limit: int, *, prices_only: bool
    ) -> tuple[Sequence[tuple[JournalEntry, str]], str | None]:
        if before is not None and not _ENTRY_NUMBER.fullmatch(before):
            raise BadCursor(before)
        statement = _JOURNAL
        if item_number is not None:
            statement = statement.where(journal.c.item_number == item_number)
        if prices_only:
            statement = statement.where(journal.c.price_minor.is_not(None))
        values = {"before": _NEWEST[0] if before is None else int(before), "most": limit + 1}
        rows = self._connection.execute(statement, values).all()
        shown = [(_entry(row, row.item_number, None), row.title) for row in rows[:limit]]
        return shown, str(rows[limit - 1].entry_number) if len(rows) > limit else None


def _entry(row: Any, item_number: int, order_id: str | None) -> JournalEntry:
    return JournalEntry(
        item_number=item_number,
        at=from_microseconds(row.at),
        who=row.who,
        kind=row.kind,
        reason=row.reason,
        price_minor=row.price_minor,
        stock_change=row.stock_change,
        order_id=order_id,
    )


def _place(cursor: str | None) -> tuple[int, int, str]:
    if cursor is None:
        return _NEWEST
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise BadCursor(cursor)
    return int(match[1]), int(match[2]), match[3]
