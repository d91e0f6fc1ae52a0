"""Baskets in SQL: one row each, read and written whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.chassis.database import Database, for_update
from bazar.contracts.books import Money
from bazar.contracts.times import microseconds
from bazar.frontend.domain.basket import Basket, BasketLine
from bazar.frontend.domain.errors import NotSignedIn
from bazar.frontend.storage.accounts import SqlAccountRecords
from bazar.frontend.storage.schema import baskets
from bazar.frontend.use_cases.baskets import Owner

#: Rows that one sweep deletes at most, so that no reader pays for all that came before.
MOST_SWEPT = 100

_FIND = sa.select(baskets.c.purchase_key, baskets.c.lines).where(baskets.c.basket_key == sa.bindparam("key"))
_ADD = sa.text(
    "INSERT INTO baskets (basket_key, account_id, purchase_key, lines, changed_at) "
    "VALUES (:key, :account_id, :purchase_key, :lines, :changed_at) ON CONFLICT (basket_key) DO NOTHING"
).bindparams(sa.bindparam("lines", type_=sa.JSON))
_SAVE = (
    sa.update(baskets)
    .where(baskets.c.basket_key == sa.bindparam("key"))
    .values(
        purchase_key=sa.bindparam("new_purchase_key"),
        lines=sa.bindparam("new_lines", type_=sa.JSON),
        changed_at=sa.bindparam("at"),
    )
)
_REMOVE = sa.delete(baskets).where(baskets.c.basket_key == sa.bindparam("key"))
# Rows that somebody has locked are in use: a sweep does not wait for them. SQLite leaves FOR UPDATE out.
_SWEEP = sa.delete(baskets).where(
    baskets.c.basket_key.in_(
        sa.select(baskets.c.basket_key)
        .where(baskets.c.account_id.is_(None), baskets.c.changed_at < sa.bindparam("before"))
        .order_by(baskets.c.changed_at)
        .limit(MOST_SWEPT)
        .with_for_update(skip_locked=True)
    )
)


class SqlBasketStore:
    """Transactions over baskets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, owner: Owner) -> Basket | None:
        """As it is at this moment; raises StorageUnavailable, as writing does."""
        found = self._database.glance(_FIND, {"key": owner.key})
        return _basket(found[0]) if found else None

    @contextmanager
    def writing(self) -> Iterator["SqlBasketRecords"]:
        """Durable when the block ends, undone by any error."""
        with self._database.writing() as connection:
            yield SqlBasketRecords(connection)


class SqlBasketRecords:
    """The records inside one transaction; see the port for what the methods promise."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.tries = SqlAccountRecords(connection)

    def find(self, owner: Owner) -> Basket | None:
        """The owner's basket, if there is one."""
        row = self._connection.execute(_FIND, {"key": owner.key}).one_or_none()
        return None if row is None else _basket(row)

    def find_to_change(self, owner: Owner, new: Basket, now: datetime) -> Basket:
        """The owner's basket, locked until the transaction ends; raises NotSignedIn for an account that is gone."""
        row = {
            "key": owner.key,
            "account_id": owner.account_id,
            "purchase_key": new.purchase_key,
            "lines": _lines(new),
            "changed_at": microseconds(now),
        }
        try:
            self._connection.execute(_ADD, row)
        except sa.exc.IntegrityError as error:  # deleted since the request was let in
            raise NotSignedIn from error
        return _basket(self._connection.execute(for_update(_FIND, self._connection), {"key": owner.key}).one())

    def save(self, owner: Owner, basket: Basket, now: datetime) -> None:
        """Write it whole."""
        self._connection.execute(
            _SAVE,
            {
                "key": owner.key,
                "new_purchase_key": basket.purchase_key,
                "new_lines": _lines(basket),
                "at": microseconds(now),
            },
        )

    def remove(self, owner: Owner) -> None:
        """Delete it."""
        self._connection.execute(_REMOVE, {"key": owner.key})

    def sweep_guests(self, before: datetime) -> None:
        """Delete up to MOST_SWEPT old ones of guests."""
        self._connection.execute(_SWEEP, {"before": microseconds(before)})


def _lines(basket: Basket) -> list[list[object]]:
    return [
        [line.item_number, line.quantity, line.title, line.price.amount, line.price.currency] for line in basket.lines
    ]


def _basket(row: Any) -> Basket:
    lines = tuple(
        BasketLine(item, quantity, title, Money(amount=amount, currency=currency))
        for item, quantity, title, amount, currency in row.lines
    )
    return Basket(row.purchase_key, lines)
