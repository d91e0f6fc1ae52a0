"""Databases of the catalog and of the order server, brought to their current schema."""

from collections.abc import Callable
from pathlib import Path

import pytest

import bazar.catalog.migrations
import bazar.order.migrations
from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.look_up import LookUp
from bazar.chassis.database import Database
from bazar.order.storage.store import OrderStore
from shop_in_process import CURRENCY, noon


@pytest.fixture
def catalog_database(new_database: Callable[[Path], Database]) -> Database:
    return new_database(Path(bazar.catalog.migrations.__path__[0]))


@pytest.fixture
def order_database(new_database: Callable[[Path], Database]) -> Database:
    return new_database(Path(bazar.order.migrations.__path__[0]))


@pytest.fixture
def catalog_store(catalog_database: Database) -> CatalogStore:
    """A catalog without books."""
    store = CatalogStore(catalog_database)
    with store.writing() as tx:
        tx.begin_feed()
    return store


@pytest.fixture
def keep_stock(catalog_store: CatalogStore) -> KeepStock:
    return KeepStock(catalog_store, noon, CURRENCY)


@pytest.fixture
def hold_copies(catalog_store: CatalogStore) -> HoldCopies:
    return HoldCopies(catalog_store, noon)


@pytest.fixture
def look_up(catalog_store: CatalogStore) -> LookUp:
    return LookUp(catalog_store, CURRENCY)


@pytest.fixture
def order_store(order_database: Database) -> OrderStore:
    return OrderStore(order_database)
