"""Open shops: one that the tests of a run share, on each kind of database, and others that a test has to itself."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from postgresql import PostgreSQL
from shop import Shop

SERVICES = ("CATALOG", "ORDER", "FRONTEND")

OpenShop = Callable[..., Shop]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop on SQLite with the sample catalogue. Each test brings its own books and customers."""
    opened = Shop(tmp_path_factory.mktemp("shop") / "var")
    yield opened
    opened.stop()


@pytest.fixture(scope="session")
def shop_on_postgresql(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL) -> Iterator[Shop]:
    """The same on PostgreSQL."""
    urls = {f"BAZAR_{service}_DATABASE_URL": postgresql.new_database() for service in SERVICES}
    opened = Shop(tmp_path_factory.mktemp("shop-on-postgresql") / "var", **urls)
    yield opened
    opened.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def each_shop(request: pytest.FixtureRequest) -> Shop:
    """The shop on SQLite, then that on PostgreSQL."""
    opened: Shop = request.getfixturevalue("shop" if request.param == "sqlite" else "shop_on_postgresql")
    return opened


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[OpenShop]:
    """Opens a shop of the test's own: ``open_shop(BAZAR_CURRENCY="EUR")``; a second call is the next start of it."""
    opened: list[Shop] = []

    def open_it(**settings: str) -> Shop:
        opened.append(Shop(tmp_path / "var", **settings))
        return opened[-1]

    yield open_it
    for one in opened:
        if one.process.poll() is None:
            one.stop()
