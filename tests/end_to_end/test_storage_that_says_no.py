"""Databases that are locked, full or away for a while: the shop says so, loses nothing, and comes back by itself."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bazar.chassis.database import Database
from postgresql import PostgreSQL
from shop import Answer, Client, Shop

pytestmark = pytest.mark.slow

SERVICES = ("CATALOG", "ORDER", "FRONTEND")
AWAY_SECONDS = 30
PAUSE_SECONDS = 0.2
#: From the last fault on, everything is settled within this (docs/life-of-a-purchase.md).
SETTLED_SECONDS = 60
STOCK = 100_000
DISK = "24m"


def wait_until(condition: Callable[[], object], seconds: float = SETTLED_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@contextmanager
def opened(folder: Path, **settings: str) -> Iterator[Shop]:
    shop = Shop(folder, **settings)
    try:
        yield shop
    finally:
        shop.stop()


class Buyer:
    """Buys one copy after the other, each with a key of its own, and remembers what it was told."""

    def __init__(self, shop: Shop, item: int, token: str) -> None:
        self._client = shop.client(token)
        self._path = f"/purchase/{item}"
        self.told: dict[str, Answer] = {}

    def buy(self) -> Answer:
        """The answer to a new purchase: 201, or 503 that says when to come back."""
        return self._ask(f"key-{len(self.told)}")

    def ask_again(self) -> None:
        """Have every purchase answered; what was confirmed before is confirmed by the same bytes."""
        for key, told in list(self.told.items()):
            wait_until(lambda key=key: self._ask(key).status == 201)  # type: ignore[misc]  # a default binds it
            if told.status == 201:
                assert self.told[key].body == told.body

    def orders(self) -> set[str]:
        """The ids of the orders that it was told of."""
        return {answer.json["order_id"] for answer in self.told.values() if answer.status == 201}

    def close(self) -> None:
        self._client.close()

    def _ask(self, key: str) -> Answer:
        answer = self._client.call("POST", self._path, key=key)
        assert answer.status in {201, 503}, answer
        if answer.status == 503:
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.headers["content-type"] == "application/problem+json"
        self.told[key] = answer
        return answer


def status(client: Client, path: str) -> int:
    return client.call("GET", path).status


@contextmanager
def interrupted(shop: Shop) -> Iterator[tuple[Buyer, int]]:
    """A buyer and an item number; in the block the database says no. Then all that must hold again is looked at."""
    item, token = shop.add_book(STOCK, "Before"), shop.customer("ann@example.org")
    processes = set(shop.processes())
    with closing(Buyer(shop, item, token)) as buyer, closing(shop.client(shop.staff())) as staff:
        assert buyer.buy().status == 201
        yield buyer, item
        wait_until(lambda: buyer.buy().status == 201)
        buyer.ask_again()
        wait_until(lambda: status(staff, f"/info/{item}") == 200)
        assert staff.call("GET", f"/info/{item}").json["quantity"] == STOCK - len(buyer.told)
        assert buyer.orders() == set(all_orders(staff))
        change: dict[str, Any] = {"title": "Afterwards", "reason": "the index goes on"}
        wait_until(lambda: staff.call("PATCH", f"/books/{item}", change).status == 200)
        wait_until(lambda: staff.call("GET", "/search?q=afterwards").json["total"] == 1)
        assert shop.customer("ben@example.org")
    assert set(shop.processes()) == processes, "nobody had to be started again"


def all_orders(staff: Client) -> list[str]:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = staff.call("GET", f"/orders?limit=100&cursor={cursor}").json
        found += [order["order_id"] for order in page["items"]]
        cursor = page["next"]
    assert len(found) == len(set(found))
    return found


def everything_is_settled(catalog_url: str) -> None:
    database = Database(catalog_url)
    states = sa.text("SELECT DISTINCT state FROM holds")

    def found() -> set[str]:
        with database.reading() as connection:
            return set(connection.execute(states).scalars())

    wait_until(lambda: found() == {"settled"})
    database.close()


@pytest.mark.parametrize("service", ["catalog", "order"])
def test_a_database_that_another_process_keeps_locked(tmp_path: Path, service: str) -> None:
    with opened(tmp_path / "var") as shop:
        with interrupted(shop) as (buyer, item):
            with closing(sqlite3.connect(shop.folder / f"{service}.sqlite3", isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                told = [buyer.buy().status for _ in range(2)]
                with closing(shop.client()) as client:
                    assert status(client, f"/info/{item}") == 200
                other.execute("ROLLBACK")
            assert told == [503, 503]
        everything_is_settled(f"sqlite:///{shop.folder}/catalog.sqlite3")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk; tests/component/test_storage_that_says_no.py needs none")
    folder = tmp_path / "var"
    folder.mkdir(mode=0o700)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_full(small_disk: Path) -> None:
    with opened(small_disk) as shop:
        with interrupted(shop) as (buyer, item):
            filler = small_disk / "filler"
            with pytest.raises(OSError, match="No space left"):
                filler.write_bytes(bytes(os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize + 1))
            while buyer.buy().status == 201:  # logs of the databases have some room left
                pass
            with closing(shop.client()) as client:
                assert status(client, f"/info/{item}") == 200
            filler.unlink()
        everything_is_settled(f"sqlite:///{shop.folder}/catalog.sqlite3")


@pytest.fixture
def own_postgresql(postgresql: PostgreSQL) -> Iterator[PostgreSQL]:
    """A server that only this test uses."""
    assert postgresql  # where there is none, this is skipped
    server = PostgreSQL()
    yield server
    server.stop()


def test_a_postgresql_that_is_away_for_a_while(tmp_path: Path, own_postgresql: PostgreSQL) -> None:
    urls = {f"BAZAR_{service}_DATABASE_URL": own_postgresql.new_database() for service in SERVICES}
    with opened(tmp_path / "var", **urls) as shop:
        with interrupted(shop) as (buyer, item):
            own_postgresql.take_away()
            over = time.monotonic() + AWAY_SECONDS
            with closing(shop.client()) as client:
                while time.monotonic() < over:
                    assert buyer.buy().status == 503
                    read = client.call("GET", f"/info/{item}")
                    assert (read.status, read.headers["retry-after"]) == (503, "1")
                    assert shop.probe("/healthz").status == 200
                    state = shop.probe("/readyz")
                    assert (state.status, state.json["parts"]["database"]) == (503, "does not answer")
                    time.sleep(PAUSE_SECONDS)
            own_postgresql.bring_back()
        everything_is_settled(urls["BAZAR_CATALOG_DATABASE_URL"])
