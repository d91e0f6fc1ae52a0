"""A shop window for each test."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bazar.chassis.database import Database
from shop_window import Reader, Shop


@pytest.fixture
def shop(tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[Shop]:
    database = Database(f"sqlite:///{tmp_path}/accounts.sqlite3")
    yield Shop(database, clock)
    database.close()


@pytest.fixture
def guest(shop: Shop) -> Reader:
    return shop.reader()


@pytest.fixture
def customer(shop: Shop) -> Reader:
    return shop.customer()
