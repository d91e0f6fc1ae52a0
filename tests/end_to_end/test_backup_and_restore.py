"""The drill: a shop is backed up while it sells, goes on selling, is lost, and comes back as of the backup."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
import sqlalchemy as sa

from bazar.chassis.database import Database
from command import run
from postgresql import PostgreSQL
from shop import Answer, Client, Shop
from shop_in_process import books_out_of_balance

pytestmark = pytest.mark.slow

COPIES = 5_000
BUYERS = 3
WAIT_SECONDS = 60
CUSTOMER = "ann@example.org"
SERVICES = ("CATALOG", "ORDER", "FRONTEND")
Settings = Mapping[str, str]
OpenShop = Callable[..., Shop]


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Where the databases of a new shop are, on each kind."""
    if request.param == "sqlite":
        folder = tmp_path / "var"
        return {f"BAZAR_{name}_DATABASE_URL": f"sqlite:///{folder}/{name.lower()}.sqlite3" for name in SERVICES}
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return {f"BAZAR_{name}_DATABASE_URL": server.new_database() for name in SERVICES}


@contextmanager
def database(settings: Settings, service: str) -> Iterator[Database]:
    with closing(Database(settings[f"BAZAR_{service}_DATABASE_URL"])) as opened:
        yield opened


def rows(settings: Settings, service: str, query: str) -> list[Any]:
    with database(settings, service) as opened, opened.reading() as connection:
        return list(connection.execute(sa.text(query)).all())


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


class Sales:
    """Customers who buy one copy after the other until they are told to stop; some cancel what they bought."""

    def __init__(self, shop: Shop, token: str, item: int) -> None:
        self.answers: dict[str, Answer] = {}
        self.cancelled: set[str] = set()
        self._shop, self._token, self._item = shop, token, item
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._buy, args=[number]) for number in range(BUYERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)

    def wait_for(self, more: int) -> None:
        """Until so many more are sold."""
        enough = len(self.answers) + more
        wait_until(lambda: len(self.answers) >= enough)

    def _buy(self, number: int) -> None:
        with closing(self._shop.client(self._token)) as client:
            turn = 0
            while not self._enough.is_set():
                turn += 1
                key = f"{number}-{turn}"
                answer = client.call("POST", f"/purchase/{self._item}", key=key)
                if answer.status == 503:
                    continue
                self.answers[key] = answer
                if turn % 5 == 0:
                    client.call("POST", f"/orders/{answer.json['order_id']}/cancel")
                    self.cancelled.add(key)


def command(shop: Shop, settings: Settings, *arguments: str | Path) -> str:
    """What it says; it must succeed."""
    done = run(*arguments, **settings, BAZAR_DATA_DIR=str(shop.folder), BAZAR_PORT=str(shop.port))
    assert done.returncode == 0, done.stderr
    return done.stdout


def epoch(settings: Settings) -> str:
    return str(rows(settings, "CATALOG", "SELECT epoch FROM feed")[0][0])


def wait_until_compared(settings: Settings) -> None:
    """And until nothing is open any more, nor cancelled and not returned."""
    here = epoch(settings)
    wait_until(lambda: [tuple(row) for row in rows(settings, "ORDER", "SELECT epoch FROM comparison")] == [(here,)])
    wait_until(lambda: not rows(settings, "CATALOG", "SELECT order_id FROM holds WHERE state = 'held'"))
    unreturned = (
        "SELECT order_id FROM cancellations WHERE returned_at IS NULL AND order_id NOT IN "
        "(SELECT order_id FROM stuck_orders)"
    )
    wait_until(lambda: not rows(settings, "ORDER", unreturned))


def assert_that_decisions_and_holds_agree(settings: Settings, but: frozenset[str] = frozenset()) -> None:
    """Invariants 1 to 3, for all orders but these."""
    with database(settings, "CATALOG") as catalog:
        assert books_out_of_balance(catalog) == []
    holds = dict(map(tuple, rows(settings, "CATALOG", "SELECT order_id, state FROM holds")))
    cancelled = {row[0] for row in rows(settings, "ORDER", "SELECT order_id FROM cancellations")}
    decisions = dict(map(tuple, rows(settings, "ORDER", "SELECT order_id, outcome FROM decisions")))
    assert holds.keys() <= decisions.keys()
    for order_id in decisions.keys() - but:
        standing = "returned" if order_id in cancelled else "settled"
        expected = standing if decisions[order_id] == "confirmed" else "released"
        assert holds[order_id] == expected, (order_id, decisions[order_id])


def ask_again(client: Client, item: int, keys: Iterator[str] | list[str]) -> dict[str, Answer]:
    return {key: client.call("POST", f"/purchase/{item}", key=key) for key in keys}


def same(first: Mapping[str, Answer], second: Mapping[str, Answer]) -> bool:
    return {key: (one.status, one.body) for key, one in first.items()} == {
        key: (one.status, one.body) for key, one in second.items()
    }


def stuck(client: Client) -> list[Any]:
    found: list[Any] = []
    place: str | None = ""
    while place is not None:
        page = client.call("GET", f"/orders?status=stuck&limit=100{place}").json
        found += page["items"]
        place = page["next"] and f"&cursor={page['next']}"
    return found


def test_a_shop_that_is_lost_comes_back_as_of_its_backup(
    open_shop: OpenShop, settings: dict[str, str], tmp_path: Path
) -> None:
    shop, copies = open_shop(**settings), tmp_path / "copies"
    item, token, admin = shop.add_book(COPIES, title="Kept"), shop.customer(CUSTOMER), shop.admin
    assert admin is not None
    with Sales(shop, token, item) as sales:
        sales.wait_for(more=30)
        before, cancelled_before = dict(sales.answers), set(sales.cancelled)
        command(shop, settings, "backup", copies)
        assert len(sales.answers) > len(before), "nobody could buy while the backup was made"
        sales.wait_for(more=30)
    assert {answer.status for answer in sales.answers.values()} == {201}
    refused = run("restore", copies, **settings, BAZAR_DATA_DIR=str(shop.folder), BAZAR_PORT=str(shop.port))
    assert "Error: stop the shop first" in refused.stderr
    shop.stop()
    was = epoch(settings)
    command(shop, settings, "restore", copies)

    shop = open_shop(**settings)
    assert epoch(settings) != was
    with closing(shop.client(token)) as signed_in_before:
        assert signed_in_before.call("GET", "/accounts/me").status == 401
    with closing(shop.client(shop.sign_in(CUSTOMER))) as client:
        assert same(before, ask_again(client, item, list(before)))
        wait_until_compared(settings)
        assert_that_decisions_and_holds_agree(settings)
        for key in cancelled_before:
            assert client.call("GET", f"/orders/{before[key].json['order_id']}").json["status"] == "cancelled"
        # What came after the backup is bought now or was before, once and for good.
        later = ask_again(client, item, [key for key in sales.answers if key not in before])
        assert {answer.status for answer in later.values()} <= {201, 409}
        assert same(later, ask_again(client, item, list(later)))
        found = client.call("GET", "/search?q=kept").json["items"]
        assert found[0]["item_number"] == item
        assert found[0]["quantity"] == client.call("GET", f"/info/{item}").json["quantity"]
    wait_until_compared(settings)
    assert_that_decisions_and_holds_agree(settings)
    with closing(shop.client(shop.sign_in(*admin))) as staff:
        assert stuck(staff) == []


def test_with_the_catalog_alone_of_an_older_state_orders_without_copies_are_shown_and_ended(
    open_shop: OpenShop, settings: dict[str, str], tmp_path: Path
) -> None:
    shop, copies = open_shop(**settings), tmp_path / "copies"
    item, token, admin = shop.add_book(COPIES, title="Kept"), shop.customer(CUSTOMER), shop.admin
    assert admin is not None
    with Sales(shop, token, item) as sales:
        sales.wait_for(more=30)
        command(shop, settings, "backup", copies)
        sales.wait_for(more=30)
    shop.stop()
    command(shop, settings, "restore", copies, "--only", "catalog")
    kept = {row[0] for row in rows(settings, "CATALOG", "SELECT order_id FROM holds")}
    lost = {answer.json["order_id"] for answer in sales.answers.values()} - kept
    assert lost

    shop = open_shop(**settings)
    with closing(shop.client(token)) as client:  # the front-end's database stayed, and its sign-ins
        assert same(sales.answers, ask_again(client, item, list(sales.answers)))
    wait_until_compared(settings)
    with closing(shop.client(shop.sign_in(*admin))) as staff:
        shown = {order["order_id"]: order for order in stuck(staff)}
        assert shown.keys() == lost
        assert all("a hold that is not there" in order["reason"] for order in shown.values())
        assert_that_decisions_and_holds_agree(settings, but=frozenset(lost))
        standing = [order_id for order_id, order in sorted(shown.items()) if order["status"] == "confirmed"][::2]
        for order_id in lost:
            action = "settle" if order_id in standing else "cancel"
            ended = staff.call("POST", f"/orders/{order_id}/{action}", {"reason": "counted"})
            assert ended.status == 200
            assert action == "cancel" or "take them out of the stock by hand" in ended.json["note"]
        quantity = staff.call("GET", f"/info/{item}").json["quantity"]
        corrected = staff.call("PATCH", f"/books/{item}", {"stock_change": -len(standing), "reason": "handed out"})
        assert corrected.json["quantity"] == quantity - len(standing)
        wait_until_compared(settings)
        assert stuck(staff) == []
        statuses = {order_id: staff.call("GET", f"/orders/{order_id}").json["status"] for order_id in lost}
        assert {order_id for order_id, status in statuses.items() if status == "confirmed"} == set(standing)
    with database(settings, "CATALOG") as catalog:
        assert books_out_of_balance(catalog) == []
