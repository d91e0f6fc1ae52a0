"""Decisions in SQL: inserted once, read back, never changed."""

import secrets as random_secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.chassis.database import Database
from bazar.contracts.times import from_microseconds, microseconds
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome, ShortLine
from bazar.order.domain.errors import BadCursor
from bazar.order.storage.schema import decisions, secrets, stuck_orders

SECRET_BYTES = 32

_ONE = sa.select(decisions).where(decisions.c.order_id == sa.bindparam("order_id"))
_SOME = sa.select(decisions).where(decisions.c.order_id.in_(sa.bindparam("order_ids", expanding=True)))
_IS_ORDER = decisions.c.outcome == sa.text("'confirmed'")
_OLDER = sa.tuple_(decisions.c.decided_at, decisions.c.order_id) < sa.tuple_(sa.bindparam("at"), sa.bindparam("id"))
_ALL_ORDERS = (
    sa.select(decisions)
    .where(_IS_ORDER, _OLDER)
    .order_by(decisions.c.decided_at.desc(), decisions.c.order_id.desc())
    .limit(sa.bindparam("most"))
)
_ORDERS_OF = _ALL_ORDERS.where(decisions.c.account_id == sa.bindparam("account_id"))
_DECIDE = sa.text(
    "INSERT INTO decisions (order_id, account_id, purchase_hash, outcome, decided_at, currency, lines, shortages) "
    "VALUES (:order_id, :account_id, :purchase_hash, :outcome, :decided_at, :currency, :lines, :shortages) "
    "ON CONFLICT DO NOTHING"
).bindparams(sa.bindparam("lines", type_=sa.JSON), sa.bindparam("shortages", type_=sa.JSON))
_MARK_STUCK = sa.text(
    "INSERT INTO stuck_orders (order_id, reason, at) VALUES (:order_id, :reason, :at) ON CONFLICT DO NOTHING"
)
_STUCK = sa.select(stuck_orders.c.order_id).where(
    stuck_orders.c.order_id.in_(sa.bindparam("order_ids", expanding=True))
)
_NEWEST = (2**62, "")


class OrderTransaction:
    """One transaction on the order server's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def decision(self, order_id: str) -> Decision | None:
        row = self._connection.execute(_ONE, {"order_id": order_id}).one_or_none()
        return None if row is None else _decision(row)

    def decisions(self, order_ids: Sequence[str]) -> Sequence[Decision]:
        return [_decision(row) for row in self._connection.execute(_SOME, {"order_ids": list(order_ids)})]

    def decide(self, decision: Decision) -> Decision:
        self._connection.execute(
            _DECIDE,
            {
                "order_id": decision.order_id,
                "account_id": decision.account_id,
                "purchase_hash": decision.purchase_hash,
                "outcome": decision.outcome.value,
                "decided_at": microseconds(decision.decided_at),
                "currency": decision.currency,
                "lines": [[line.item_number, line.title, line.quantity, line.price_minor] for line in decision.lines],
                "shortages": [[short.item_number, short.requested, short.available] for short in decision.shortages],
            },
        )
        # Read back: where two decide at once, both answer what the first one decided.
        return _decision(self._connection.execute(_ONE, {"order_id": decision.order_id}).one())

    def orders_of(
        self, account_id: str | None, before: str | None, limit: int
    ) -> tuple[Sequence[Decision], str | None]:
        at, order_id = _position(before)
        values: dict[str, Any] = {"at": at, "id": order_id, "most": limit + 1}
        if account_id is None:
            rows = self._connection.execute(_ALL_ORDERS, values).all()
        else:
            rows = self._connection.execute(_ORDERS_OF, {**values, "account_id": account_id}).all()
        shown = rows[:limit]
        older = f"{shown[-1].decided_at}.{shown[-1].order_id}" if len(rows) > limit else None
        return [_decision(row) for row in shown], older

    def mark_stuck(self, order_id: str, reason: str, at: datetime) -> bool:
        done = self._connection.execute(_MARK_STUCK, {"order_id": order_id, "reason": reason, "at": microseconds(at)})
        return done.rowcount == 1

    def stuck(self, order_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self._connection.execute(_STUCK, {"order_ids": list(order_ids)}).scalars())

    def order_id_secret(self) -> bytes:
        """What order ids are made with; made at the first start."""
        self._connection.execute(
            sa.text("INSERT INTO secrets (only, order_ids) VALUES (1, :secret) ON CONFLICT DO NOTHING"),
            {"secret": random_secrets.token_bytes(SECRET_BYTES)},
        )
        return bytes(self._connection.execute(sa.select(secrets.c.order_ids)).scalar_one())


class OrderStore:
    """Opens transactions; a use case decides how far each one goes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def reading(self) -> Iterator[OrderTransaction]:
        with self._database.reading() as connection:
            yield OrderTransaction(connection)

    @contextmanager
    def writing(self) -> Iterator[OrderTransaction]:
        with self._database.writing() as connection:
            yield OrderTransaction(connection)


def _decision(row: Any) -> Decision:
    return Decision(
        order_id=row.order_id,
        account_id=row.account_id,
        purchase_hash=row.purchase_hash,
        outcome=Outcome(row.outcome),
        decided_at=from_microseconds(row.decided_at),
        currency=row.currency,
        lines=tuple(OrderedLine(*line) for line in row.lines),
        shortages=tuple(ShortLine(*short) for short in row.shortages),
    )


def _position(cursor: str | None) -> tuple[int, str]:
    if cursor is None:
        return _NEWEST
    at, dot, order_id = cursor.partition(".")
    if not dot or not (at.isascii() and at.isdigit() and len(at) <= 18):  # noqa: PLR2004 - below 2**63
        raise BadCursor(cursor)
    return int(at), order_id
