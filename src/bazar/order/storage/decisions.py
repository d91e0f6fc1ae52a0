"""Decisions in SQL: inserted once, read back, never changed."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.contracts.times import from_microseconds, microseconds
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome, ShortLine
from bazar.order.storage.order_states import note_placed
from bazar.order.storage.schema import decisions

_ONE = sa.select(decisions).where(decisions.c.order_id == sa.bindparam("order_id"))
_SOME = sa.select(decisions).where(decisions.c.order_id.in_(sa.bindparam("order_ids", expanding=True)))
_CURRENCY = sa.select(decisions.c.currency).limit(1)
_DECIDE = sa.text(
    "INSERT INTO decisions "
    "(order_id, account_id, purchase_hash, outcome, decided_at, currency, lines, shortages, position) VALUES "
    "(:order_id, :account_id, :purchase_hash, :outcome, :decided_at, :currency, :lines, :shortages, :position) "
    "ON CONFLICT DO NOTHING"
).bindparams(sa.bindparam("lines", type_=sa.JSON), sa.bindparam("shortages", type_=sa.JSON))


class DecisionRows:
    """Part of a transaction on the order server's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def decision(self, order_id: str) -> Decision | None:
        row = self._connection.execute(_ONE, {"order_id": order_id}).one_or_none()
        return None if row is None else read_decision(row)

    def decisions(self, order_ids: Sequence[str]) -> Sequence[Decision]:
        return [read_decision(row) for row in self._connection.execute(_SOME, {"order_ids": list(order_ids)})]

    def currency_of_orders(self) -> str | None:
        """The one that decisions are in; None where there is none yet."""
        return self._connection.execute(_CURRENCY).scalar_one_or_none()

    def decide(self, proposed: Sequence[Decision]) -> dict[str, Decision]:
        if not proposed:
            return {}
        # Ascending: two that insert the same ones at once do not wait for each other in a ring.
        self._connection.execute(_DECIDE, [_row(decision) for decision in sorted(proposed, key=_order_id)])
        # Read back: where two decide at once, both answer what the first one decided.
        decided = {decision.order_id: decision for decision in self.decisions([*map(_order_id, proposed)])}
        note_placed(self._connection, decided.values())
        return decided


def _order_id(decision: Decision) -> str:
    return decision.order_id


def _row(decision: Decision) -> dict[str, Any]:
    return {
        "order_id": decision.order_id,
        "account_id": decision.account_id,
        "purchase_hash": decision.purchase_hash,
        "outcome": decision.outcome.value,
        "decided_at": microseconds(decision.decided_at),
        "currency": decision.currency,
        "lines": [[line.item_number, line.title, line.quantity, line.price_minor] for line in decision.lines],
        "shortages": [[short.item_number, short.requested, short.available] for short in decision.shortages],
        "position": decision.position,
    }


def read_decision(row: Any) -> Decision:
    """The decision of a row."""
    return Decision(
        order_id=row.order_id,
        account_id=row.account_id,
        purchase_hash=row.purchase_hash,
        outcome=Outcome(row.outcome),
        decided_at=from_microseconds(row.decided_at),
        currency=row.currency,
        lines=tuple(OrderedLine(*line) for line in row.lines),
        shortages=tuple(ShortLine(*short) for short in row.shortages),
        position=row.position,
    )
