"""A shop of three services in one process, one for each file of tests."""

from collections.abc import Iterator

import pytest

from bad_requests import BOOK, STOCK
from bazar.chassis.clock import system_clock
from three_services import ThreeServices


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeServices]:
    """A shop without a book."""
    shop = ThreeServices(tmp_path_factory.mktemp("shop"), system_clock)
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def stocked(shop: ThreeServices) -> ThreeServices:
    """The shop with one book on the shelf."""
    assert shop.add_book(stock=STOCK, subjects=["TCP/IP"]) == BOOK
    shop.index_now()
    return shop


@pytest.fixture
def unchanged(stocked: ThreeServices) -> Iterator[None]:
    """Whatever the test asks: stock, orders, accounts and all else stay as they are."""
    before = stocked.everything()
    yield
    assert stocked.everything() == before
