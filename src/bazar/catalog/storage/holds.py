"""Holds and the shelf they take copies from, in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.catalog.domain.holds import HoldState
from bazar.catalog.storage.schema import books, hold_lines, holds
from bazar.catalog.use_cases.ports import ShelfState, StoredHold, StoredLine
from bazar.chassis.database import for_update, insert_new
from bazar.contracts.times import microseconds

_ADD = insert_new(holds, holds.c.order_id)
_COLUMNS = (holds.c.order_id, holds.c.account_id, holds.c.purchase_hash, holds.c.state)
_SOME = (
    sa.select(*_COLUMNS)
    .where(holds.c.order_id.in_(sa.bindparam("order_ids", expanding=True)))
    .order_by(holds.c.order_id)
)
_OPEN = (
    sa.select(*_COLUMNS)
    .where(holds.c.state == sa.text("'held'"), holds.c.order_id > sa.bindparam("after"))
    .order_by(holds.c.order_id)
    .limit(sa.bindparam("most"))
)
_SET_STATE = (
    sa.update(holds)
    .where(holds.c.order_id.in_(sa.bindparam("order_ids", expanding=True)))
    .values(state=sa.bindparam("to"), changed_at=sa.bindparam("at"))
)
_DROP = sa.delete(holds).where(holds.c.order_id == sa.bindparam("order_id"))
_LINES = (
    sa.select(
        hold_lines.c.order_id,
        hold_lines.c.item_number,
        hold_lines.c.title,
        hold_lines.c.quantity,
        hold_lines.c.price_minor,
        hold_lines.c.available,
    )
    .where(hold_lines.c.order_id.in_(sa.bindparam("order_ids", expanding=True)))
    .order_by(hold_lines.c.order_id, hold_lines.c.item_number)
)
_ADD_LINE = sa.insert(hold_lines)
_SHELVES = (
    sa.select(books.c.item_number, books.c.title, books.c.price_minor, books.c.stock)
    .where(books.c.item_number.in_(sa.bindparam("item_numbers", expanding=True)), books.c.withdrawn_at.is_(None))
    .order_by(books.c.item_number)
)
_TAKE = (
    sa.update(books)
    .where(books.c.item_number == sa.bindparam("item"), books.c.stock >= sa.bindparam("copies"))
    .values(stock=books.c.stock - sa.bindparam("copies"), version=books.c.version + 1)
)
_PUT_BACK = (
    sa.update(books)
    .where(books.c.item_number == sa.bindparam("item"))
    .values(stock=books.c.stock + sa.bindparam("copies"), version=books.c.version + 1)
)


class HoldRows:
    """Part of a transaction on the catalog's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_holds(self, holds: Sequence[StoredHold], at: datetime) -> frozenset[str]:
        if not holds:
            return frozenset()
        now = microseconds(at)
        rows = [
            {
                "order_id": hold.order_id,
                "account_id": hold.account_id,
                "purchase_hash": hold.purchase_hash,
                "state": hold.state.value,
                "held_at": now,
                "changed_at": now,
            }
            for hold in holds
        ]
        return frozenset(self._connection.execute(_ADD[self._connection.dialect.name], rows).scalars())

    def drop_new_hold(self, order_id: str) -> None:
        self._connection.execute(_DROP, {"order_id": order_id})

    def holds_for_update(self, order_ids: Sequence[str]) -> Mapping[str, StoredHold]:
        rows = self._connection.execute(for_update(_SOME, self._connection), {"order_ids": list(order_ids)})
        return {row.order_id: _hold(row) for row in rows}

    def add_hold_lines(self, lines: Mapping[str, Sequence[StoredLine]]) -> None:
        rows = [
            {
                "order_id": order_id,
                "item_number": line.item_number,
                "title": line.title,
                "quantity": line.quantity,
                "price_minor": line.price_minor,
                "available": line.available,
            }
            for order_id, of_order in lines.items()
            for line in of_order
        ]
        if rows:
            self._connection.execute(_ADD_LINE, rows)

    def hold_lines(self, order_ids: Sequence[str]) -> Mapping[str, Sequence[StoredLine]]:
        lines: dict[str, list[StoredLine]] = {order_id: [] for order_id in order_ids}
        for order_id, *line in self._connection.execute(_LINES, {"order_ids": list(order_ids)}):
            lines[order_id].append(StoredLine(*line))
        return lines

    def set_hold_state(self, order_ids: Sequence[str], state: HoldState, at: datetime) -> None:
        if order_ids:
            values = {"order_ids": list(order_ids), "to": state.value, "at": microseconds(at)}
            self._connection.execute(_SET_STATE, values)

    def open_holds(self, after: str, limit: int) -> Sequence[StoredHold]:
        return [_hold(row) for row in self._connection.execute(_OPEN, {"after": after, "most": limit})]

    def shelves_for_update(self, item_numbers: Sequence[int]) -> Mapping[int, ShelfState]:
        rows = self._connection.execute(for_update(_SHELVES, self._connection), {"item_numbers": list(item_numbers)})
        return {row.item_number: ShelfState(*row) for row in rows}

    def take_from_shelves(self, copies: Mapping[int, int]) -> bool:
        return not copies or self._connection.execute(_TAKE, _rows(copies)).rowcount == len(copies)

    def put_back_on_shelves(self, copies: Mapping[int, int]) -> None:
        if copies:
            self._connection.execute(_PUT_BACK, _rows(copies))


def _rows(copies: Mapping[int, int]) -> list[dict[str, int]]:
    return [{"item": item_number, "copies": number} for item_number, number in sorted(copies.items())]


def _hold(row: Any) -> StoredHold:
    return StoredHold(row.order_id, row.account_id, row.purchase_hash, HoldState(row.state))
