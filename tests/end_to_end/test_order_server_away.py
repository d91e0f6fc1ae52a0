"""The order server is down, or stands still: purchases are told at once, and whoever reads is not kept from it."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from bazar.chassis.lanes import MANY_TIMES, MOST_PLACES, PLACES_PER_SLOT
from shop import Answer, Shop

pytestmark = pytest.mark.slow

WAIT_SECONDS = 30
THREADS = 2
AT_WORK = MANY_TIMES * THREADS
WAITING = min(PLACES_PER_SLOT * AT_WORK, MOST_PLACES)
READS = 20


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop(tmp_path / "var", BAZAR_THREADS=str(THREADS))
    yield opened
    assert opened.stop() == 0


@pytest.fixture
def shop_without_orders(tmp_path: Path) -> Iterator[Shop]:
    """Its front-end looks for the order server where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    opened = Shop(tmp_path / "var", BAZAR_ORDER_URL=f"https://127.0.0.1:{port}")
    yield opened
    opened.stop()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def reading_works(shop: Shop, item: int) -> None:
    with closing(shop.client()) as reader:
        for _ in range(READS):
            for path in (f"/info/{item}", "/search?q=xen", "/search/undergraduate%20school"):
                assert reader.call("GET", path).status == 200


def told_to_come_back(answer: Answer) -> None:
    assert answer.status == 503, answer
    assert answer.json["type"] == "/problems/unavailable"
    assert int(answer.headers["retry-after"]) >= 1


def test_while_it_is_down_readers_read_and_readyz_says_what_is_away(shop_without_orders: Shop) -> None:
    shop = shop_without_orders
    item, token = shop.add_book(5), shop.customer("ann@example.org")
    with closing(shop.client(token)) as buyer:
        told_to_come_back(buyer.call("POST", f"/purchase/{item}", key="one"))
        told_to_come_back(buyer.call("GET", "/orders"))
    reading_works(shop, item)
    state = shop.probe("/readyz")
    assert (state.status, state.json["parts"]["order"]) == (200, "does not answer")
    assert (state.json["parts"]["catalog"], state.json["parts"]["database"]) == ("ok", "ok")


def test_while_it_stands_still_readers_read_and_too_many_buyers_are_told_at_once(shop: Shop) -> None:
    item, token = shop.add_book(1_000), shop.customer("ann@example.org")

    def buy(key: str) -> Answer:
        with closing(shop.client(token)) as client:
            return client.call("POST", f"/purchase/{item}", key=key)

    assert buy("before").status == 201
    with shop.standing_still("order"), ThreadPoolExecutor(AT_WORK + WAITING + READS) as buyers:
        flood: list[Future[Answer]] = [
            buyers.submit(buy, f"key-{number}") for number in range(AT_WORK + WAITING + READS)
        ]
        wait_until(lambda: any(answer.done() for answer in flood))
        reading_works(shop, item)
        state = shop.probe("/readyz")
        assert (state.status, state.json["parts"]["order"]) == (200, "does not answer")
        for answer in flood:
            told_to_come_back(answer.result(WAIT_SECONDS))
    refused = 'bazar_requests_refused_total{lane="orders",reason="full"}'
    assert refused in shop.probe("/metrics").body.decode()
    wait_until(lambda: buy("key-0").status == 201)
    outcomes = Counter(until_it_is_answered(lambda number=number: buy(f"key-{number}")).status for number in range(10))  # type: ignore[misc]  # a default binds it
    assert outcomes == {201: 10}


def until_it_is_answered(ask: Callable[[], Answer]) -> Answer:
    deadline = time.monotonic() + WAIT_SECONDS
    while (answer := ask()).status == 503:
        assert time.monotonic() < deadline, "it did not come back"
        time.sleep(0.05)
    return answer
