"""The order server's database as its use cases see it."""

import secrets as random_secrets
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.chassis.database import Database
from bazar.order.storage.cancellations import CancellationRows
from bazar.order.storage.comparison import ComparisonRows
from bazar.order.storage.counter import CounterRows
from bazar.order.storage.decisions import DecisionRows
from bazar.order.storage.deeds import DeedRows
from bazar.order.storage.order_list import OrderListRows
from bazar.order.storage.order_states import OrderStateRows
from bazar.order.storage.schema import secrets
from bazar.order.storage.stuck import StuckRows

SECRET_BYTES = 32

#: ONLY is a word of PostgreSQL's own: quoted, it names the column.
_KEEP_SECRET = sa.text('INSERT INTO secrets ("only", order_ids) VALUES (1, :secret) ON CONFLICT DO NOTHING')


class OrderTransaction(
    DecisionRows, CancellationRows, OrderListRows, StuckRows, ComparisonRows, CounterRows, OrderStateRows, DeedRows
):
    """All that can be done in one transaction; each part stands in a file of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

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
