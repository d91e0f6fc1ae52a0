"""A database that was there and is gone is said, and never replaced by an empty one."""

from pathlib import Path

import pytest

import bazar.order.wiring
from bazar.chassis.database import Database
from bazar.chassis.migrations import DatabaseGone, migrate_outside


def opened(file: Path, marker: Path) -> None:
    database = Database(f"sqlite:///{file}")
    try:
        migrate_outside(database, bazar.order.wiring.MIGRATIONS, marker)
    finally:
        database.close()


@pytest.mark.parametrize("loss", ["removed", "emptied"])
def test_a_lost_database_is_refused_until_the_marker_is_removed(tmp_path: Path, loss: str) -> None:
    file, marker = tmp_path / "order.sqlite3", tmp_path / "order.database"
    opened(file, marker)
    opened(file, marker)
    for part in tmp_path.glob("order.sqlite3*"):
        part.unlink()
    if loss == "emptied":
        file.touch()
    for _ in range(2):
        with pytest.raises(DatabaseGone, match="gone or empty"):
            opened(file, marker)
    if loss == "removed":
        assert [path.name for path in tmp_path.iterdir()] == ["order.database"]
    marker.unlink()
    opened(file, marker)


def test_a_database_from_before_the_marker_is_taken_as_it_is(tmp_path: Path) -> None:
    file, marker = tmp_path / "order.sqlite3", tmp_path / "order.database"
    opened(file, marker)
    marker.unlink()
    opened(file, marker)
    assert marker.exists()
