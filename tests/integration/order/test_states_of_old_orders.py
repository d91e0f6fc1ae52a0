"""Orders of before the counter get a state when the database is brought to the current schema."""

import shutil
from pathlib import Path

import sqlalchemy as sa

import bazar.order.migrations
from bazar.chassis.database import Database
from bazar.chassis.migrations import migrate
from bazar.order.storage.store import OrderStore
from holding import order_id

MIGRATIONS = Path(bazar.order.migrations.__path__[0])
_DECISION = sa.text(
    "INSERT INTO decisions (order_id, account_id, purchase_hash, outcome, decided_at, currency, lines, shortages) "
    "VALUES (:id, 'ann', 'hash', :outcome, :at, 'USD', '[]', '[]')"
)


def test_orders_of_before_are_placed_or_cancelled(database: Database, tmp_path: Path) -> None:
    before = tmp_path / "before"
    shutil.copytree(MIGRATIONS, before, ignore=shutil.ignore_patterns("000[4-9]*", "__pycache__"))
    migrate(database, before)
    with database.writing() as connection:
        for number, outcome in enumerate(("confirmed", "confirmed", "out-of-stock")):
            connection.execute(_DECISION, {"id": order_id(number), "outcome": outcome, "at": number})
        cancelled = sa.text("INSERT INTO cancellations (order_id, cancelled_at, actor) VALUES (:id, 1, 'ann')")
        connection.execute(cancelled, {"id": order_id(1)})
    migrate(database, MIGRATIONS)
    with OrderStore(database).reading() as tx:
        states = tx.states([order_id(number) for number in range(3)])
        listed, _ = tx.orders_in_state("placed", None, 10)
    assert states == {order_id(0): "placed", order_id(1): "cancelled"}
    assert [one.order_id for one in listed] == [order_id(0)]
