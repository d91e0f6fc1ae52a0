"""The feed of changes: numbers that become visible in commit order, with the epoch in front."""

import secrets
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.catalog.storage.schema import books, changes, feed
from bazar.chassis.database import Database
from bazar.contracts.books import Change

_READ = sa.select(feed.c.epoch, feed.c.last)
#: Locks the one row until the commit: a bare sequence would let a reader see 2 before 1.
_ADVANCE = sa.update(feed).values(last=feed.c.last + sa.bindparam("count")).returning(feed.c.epoch, feed.c.last)
_VERSIONS = sa.select(books.c.item_number, books.c.version).where(
    books.c.item_number.in_(sa.bindparam("item_numbers", expanding=True))
)
_AFTER = (
    sa.select(changes.c.number, changes.c.item_number, changes.c.version, changes.c.offer_only)
    .where(changes.c.number > sa.bindparam("after"))
    .order_by(changes.c.number)
    .limit(sa.bindparam("most"))
)
_LISTS_CHANGED = sa.select(
    sa.exists()
    .where(
        changes.c.number > sa.bindparam("after"),
        changes.c.number <= sa.bindparam("up_to"),
        sa.not_(sa.func.coalesce(changes.c.offer_only, sa.false())),
    )
    .label("changed")
)
#: ONLY is a word of PostgreSQL's own: quoted, it names the column.
_BEGIN = sa.text('INSERT INTO feed ("only", epoch, last) VALUES (1, :epoch, 0) ON CONFLICT DO NOTHING')


def position(database: Database) -> str:
    """How far the catalog is at this moment."""
    (row,) = database.glance(_READ, {})
    return f"{row.epoch}-{row.last}"


def lists_changed(database: Database, after: int, up_to: int) -> bool:
    """Whether one of the changes after a number, up to another, was more than one of price and copies."""
    (row,) = database.glance(_LISTS_CHANGED, {"after": after, "up_to": up_to})
    return bool(row.changed)


class FeedRows:
    """Part of a transaction on the catalog's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin_feed(self) -> None:
        """Give a new database its epoch."""
        self._connection.execute(_BEGIN, {"epoch": secrets.token_hex(4)})

    def renew_epoch(self) -> None:
        """Of a database that was restored: whoever follows the feed drops what it knows."""
        self._connection.execute(sa.update(feed).values(epoch=secrets.token_hex(4)))

    def position(self) -> str:
        epoch, last = self._connection.execute(_READ).one()
        return f"{epoch}-{last}"

    def changes_after(self, number: int, limit: int) -> tuple[str, int, Sequence[Change]]:
        """Epoch, number of the last change, and at most ``limit`` changes after ``number``."""
        rows = self._connection.execute(_AFTER, {"after": number, "most": limit}).all()
        epoch, last = self._connection.execute(_READ).one()
        found = [
            Change(
                number=row.number,
                item_number=row.item_number,
                version=row.version,
                offer_only=bool(row.offer_only),
            )
            for row in rows
        ]
        return epoch, last, found

    def publish(self, item_numbers: Iterable[int], *, offer_only: bool = False) -> str:
        wanted = sorted(set(item_numbers))
        if not wanted:
            return self.position()
        rows = self._connection.execute(_VERSIONS, {"item_numbers": wanted})
        versions = {row.item_number: row.version for row in rows}
        epoch, last = self._connection.execute(_ADVANCE, {"count": len(wanted)}).one()
        first = last - len(wanted) + 1
        self._connection.execute(
            sa.insert(changes),
            [
                {
                    "number": first + place,
                    "item_number": item_number,
                    "version": versions[item_number],
                    "offer_only": offer_only,
                }
                for place, item_number in enumerate(wanted)
            ],
        )
        return f"{epoch}-{last}"
