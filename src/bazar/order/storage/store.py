"""The order server's database as its use cases see it."""

import secrets as random_secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.chassis.database import Database
from bazar.contracts.times import microseconds
from bazar.order.storage.cancellations import CancellationRows
from bazar.order.storage.decisions import DecisionRows
from bazar.order.storage.order_list import OrderListRows
from bazar.order.storage.schema import secrets, stuck_orders

SECRET_BYTES = 32

_MARK_STUCK = sa.text(
    "INSERT INTO stuck_orders (order_id, reason, at) VALUES (:order_id, :reason, :at) ON CONFLICT DO NOTHING"
)
_STUCK = sa.select(stuck_orders.c.order_id).where(
    stuck_orders.c.order_id.in_(sa.bindparam("order_ids", expanding=True))
)
#: ONLY is a word of PostgreSQL's own: quoted, it names the column.
_KEEP_SECRET = sa.text('INSERT INTO secrets ("only", order_ids) VALUES (1, :secret) ON CONFLICT DO NOTHING')


class OrderTransaction(DecisionRows, CancellationRows, OrderListRows):
    """All that can be done in one transaction; each part stands in a file of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def mark_stuck(self, order_id: str, reason: str, at: datetime) -> bool:
        done = self._connection.execute(_MARK_STUCK, {"order_id": order_id, "reason": reason, "at": microseconds(at)})
        return done.rowcount == 1

    def stuck(self, order_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self._connection.execute(_STUCK, {"order_ids": list(order_ids)}).scalars())

    def order_id_secret(self) -> bytes:
        """What order ids are made with; made at the first start."""
        self._connection.execute(_KEEP_SECRET, {"secret": random_secrets.token_bytes(SECRET_BYTES)})
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
