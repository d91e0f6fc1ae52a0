"""PostgreSQL databases that keep texts in another encoding than UTF-8 are refused, with the way out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import bazar.order.wiring
from bazar.chassis.database import Database, UnusableDatabase
from bazar.chassis.migrations import migrate_outside
from command import run_here
from postgresql import PostgreSQL

REMEDY = "make it anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"


@pytest.fixture(params=["SQL_ASCII", "LATIN1"])
def url(request: pytest.FixtureRequest, postgresql: PostgreSQL) -> Iterator[str]:
    """An empty database."""
    made = postgresql.new_database_in(request.param)
    yield made
    postgresql.drop_database(made)


def test_a_server_refuses_it_and_makes_no_table(url: str, tmp_path: Path) -> None:
    database = Database(url)
    try:
        with pytest.raises(UnusableDatabase) as refused:
            migrate_outside(database, bazar.order.wiring.MIGRATIONS, tmp_path / "marker")
    finally:
        database.close()
    assert refused.value.detail.startswith("the database keeps texts as ")
    assert refused.value.remedy == REMEDY
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_tells_it(url: str, tmp_path: Path) -> None:
    found = run_here("doctor", BAZAR_DATA_DIR=str(tmp_path / "var"), BAZAR_ORDER_DATABASE_URL=url)
    assert "wrong  database of the order server: the database keeps texts as " in found.output
    assert f"       → {REMEDY}\n" in found.output
