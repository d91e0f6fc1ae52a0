"""What people did to orders, in SQL: moves, cancellations, and how stuck orders ended, as one list by time.

Each kind stands in a table of its own with an index by time; of each the newest are read, and the newest of those told.
"""

import re
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.contracts.times import from_microseconds
from bazar.order.domain.errors import BadCursor
from bazar.order.storage.schema import cancellations, journal, moves
from bazar.order.use_cases.ports import Deed

_CURSOR = sa.tuple_(sa.bindparam("before"), sa.bindparam("before_id"), sa.bindparam("before_what"))
_ENDED = sa.case((journal.c.action == sa.text("'settle'"), sa.text("'settled'")), else_=sa.text("'given-up'"))


def _newest(
    at: sa.ColumnElement[int],
    order_id: sa.ColumnElement[str],
    what: sa.ColumnElement[str],
    who: sa.ColumnElement[str],
    in_words: sa.ColumnElement[str],
) -> sa.Select[int, str, str, str, str]:
    """Of one table; a cancellation and the end of what was stuck may have one time, so that ``what`` is in the key."""
    return (
        sa.select(at.label("at"), order_id.label("id"), what.label("what"), who.label("who"), in_words.label("words"))
        .where(sa.tuple_(at, order_id, what) < _CURSOR)
        .order_by(at.desc(), order_id.desc(), sa.desc("what"))
        .limit(sa.bindparam("most"))
    )


DEEDS_BY_TABLE = (
    _newest(moves.c.at, moves.c.order_id, moves.c.moved_to, moves.c.who, sa.literal_column("''")),
    _newest(
        cancellations.c.cancelled_at,
        cancellations.c.order_id,
        sa.literal_column("'cancelled'", sa.Text),
        cancellations.c.actor,
        sa.func.coalesce(cancellations.c.reason, sa.text("''")),
    ),
    _newest(journal.c.at, journal.c.order_id, _ENDED, journal.c.who, journal.c.in_words),
)
_NEWEST = (2**62, "", "")
#: When, the order's id, and what was done; what is longer is above 2**63.
_CURSOR_TEXT = re.compile(r"([0-9]{1,18})\.([a-z2-7]*)\.([a-z-]*)")


class DeedRows:
    """Part of a transaction on the order server's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def deeds(self, before: str | None, limit: int) -> tuple[Sequence[Deed], str | None]:
        at, order_id, what = _read_cursor(before)
        values = {"before": at, "before_id": order_id, "before_what": what, "most": limit + 1}
        rows = [row for source in DEEDS_BY_TABLE for row in self._connection.execute(source, values)]
        rows.sort(key=lambda row: (row.at, row.id, row.what), reverse=True)
        shown = rows[:limit]
        more = f"{shown[-1].at}.{shown[-1].id}.{shown[-1].what}" if len(rows) > limit else None
        return [Deed(row.id, row.what, from_microseconds(row.at), row.who, row.words) for row in shown], more


def _read_cursor(cursor: str | None) -> tuple[int, str, str]:
    if cursor is None:
        return _NEWEST
    match = _CURSOR_TEXT.fullmatch(cursor)
    if match is None:
        raise BadCursor(cursor)
    return int(match[1]), match[2], match[3]
