"""kill -9 of each process of an open shop: it is back within seconds, has kept its promises and sells again."""

import http.client
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bazar.chassis.pidfile import live_processes
from processes import wait_until
from shop import Answer, Client, Shop

SERVICES = ("catalog", "order", "frontend")
#: From the kill until a purchase that began at once was answered: two restarts in a row pause for a second.
BACK_SECONDS = 20
PAUSE_SECONDS = 0.05


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Open for the tests of this file, which kill its processes."""
    opened = Shop(tmp_path_factory.mktemp("killed-shop") / "var")
    yield opened
    assert opened.stop() == 0


@pytest.fixture(scope="module")
def token(shop: Shop) -> str:
    return shop.customer("patient@example.org")


def processes_of(shop: Shop, service: str) -> tuple[int, int]:
    """Master and worker of a server."""
    master = live_processes(shop.folder / "run")[service]
    (worker,) = map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split())
    return master, worker


def until_it_is_answered(client: Client, method: str, path: str, **options: str) -> Answer:
    """Again and again with the same key while the outcome is unknown: broken connections and 503."""
    deadline = time.monotonic() + BACK_SECONDS
    while True:
        try:
            answer = client.call(method, path, **options)
        except (OSError, http.client.HTTPException):
            client.close()
        else:
            if answer.status != http.HTTPStatus.SERVICE_UNAVAILABLE:
                return answer
            assert answer.headers["retry-after"]
        assert time.monotonic() < deadline, "it did not come back"
        time.sleep(PAUSE_SECONDS)


@pytest.mark.parametrize("which", ["master", "worker"])
@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_process_comes_back_and_sells_once(shop: Shop, token: str, service: str, which: str) -> None:
    item = shop.add_book(stock=5, title=f"{which} of the {service} server")
    client = shop.client(token)
    assert client.call("POST", f"/purchase/{item}", key=f"before {service} {which}".replace(" ", "-")).status == 201
    before = processes_of(shop, service)
    os.kill(before[which == "worker"], signal.SIGKILL)
    key = f"during-{service}-{which}"
    answer = until_it_is_answered(client, "POST", f"/purchase/{item}", key=key)
    assert answer.status == 201, answer
    # A killed master's worker may have answered: it finishes what it has and then goes too.
    wait_until(lambda: not set(before) & set(shop.processes()))
    wait_until(lambda: live_processes(shop.folder / "run").get(service) not in (None, before[0]))
    replay = until_it_is_answered(client, "POST", f"/purchase/{item}", key=key)
    assert (replay.status, replay.body) == (201, answer.body)
    assert until_it_is_answered(client, "GET", f"/info/{item}").json["quantity"] == 3
    bought = [
        order["order_id"]
        for order in until_it_is_answered(client, "GET", "/orders?limit=100").json["items"]
        if order["lines"][0]["item_number"] == item
    ]
    assert len(bought) == len(set(bought)) == 2
    client.close()


def test_the_other_servers_were_not_touched(shop: Shop) -> None:
    said = shop.output()
    for service in SERVICES:
        assert said.count(f"The {service} server ended") <= 2
    assert "Traceback" not in said
