"""What the first start was told holds for later ones: the currency, and whether there is a sample."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import bazar.catalog.wiring
import bazar.order.wiring
from bazar.catalog.storage.store import CatalogStore
from bazar.chassis.database import UnusableDatabase
from bazar.chassis.server import RunningService
from bazar.deployment import prepare_folders
from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.storage.store import OrderStore
from bazar.resources import database
from bazar.settings import Settings
from shop_in_process import NOON


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Settings]:
    """The settings of one shop, changed by what is given."""

    def settings(**given: str) -> Settings:
        made = Settings.from_environment({"BAZAR_DATA_DIR": str(tmp_path / "var"), "BAZAR_SAMPLE": "0", **given})
        prepare_folders(made)
        return made

    return settings


@contextmanager
def running(build: Callable[[Settings], RunningService], settings: Settings) -> Iterator[None]:
    service = build(settings)
    try:
        yield
    finally:
        service.stop()


def has_books(settings: Settings) -> bool:
    own = database(settings, "catalog")
    try:
        with CatalogStore(own).reading() as tx:
            return tx.has_books()
    finally:
        own.close()


def test_a_catalog_in_another_currency_than_its_prices_is_refused(shop: Callable[..., Settings]) -> None:
    with running(bazar.catalog.wiring.build, shop()):
        pass
    with pytest.raises(UnusableDatabase) as refused, running(bazar.catalog.wiring.build, shop(BAZAR_CURRENCY="EUR")):
        pass
    assert refused.value.detail == "its prices are in USD, and BAZAR_CURRENCY is EUR"
    assert refused.value.remedy.startswith("start with BAZAR_CURRENCY=USD")
    with running(bazar.catalog.wiring.build, shop()):
        pass


def test_an_order_server_in_another_currency_than_its_orders_is_refused(shop: Callable[..., Settings]) -> None:
    for currency in ("USD", "EUR"):  # without an order nothing speaks against another one
        with running(bazar.order.wiring.build, shop(BAZAR_CURRENCY=currency)):
            pass
    own = database(shop(), "order")
    with OrderStore(own).writing() as tx:
        tx.decide([Decision("an order", "ann", "hash", Outcome.CONFIRMED, NOON, "USD", (), ())])
    own.close()
    with running(bazar.order.wiring.build, shop()):
        pass
    with pytest.raises(UnusableDatabase, match="its prices are in USD, and BAZAR_CURRENCY is EUR"):
        bazar.order.wiring.build(shop(BAZAR_CURRENCY="EUR"))


@pytest.mark.parametrize("first", ["0", "1"])
def test_whether_there_is_a_sample_is_settled_by_the_first_start(shop: Callable[..., Settings], first: str) -> None:
    for sample in (first, "1", "0"):
        with running(bazar.catalog.wiring.build, shop(BAZAR_SAMPLE=sample)):
            assert has_books(shop()) == (first == "1")
