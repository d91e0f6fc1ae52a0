"""A database that is locked or full: whoever needs it is told 503, nothing half done stays, and then it goes on."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from bad_requests import problem
from bazar.chassis import database as chassis
from bazar.chassis.database import Database
from bazar.contracts.names import CATALOG, FRONTEND, ORDER
from conftest import MovableClock
from shop_in_process import books_out_of_balance
from three_services import PASSWORD, ThreeServices

MOST_PURCHASES = 2_000

Ask = Callable[[ThreeServices, int, str], TestResponse]


@pytest.fixture
def shop(tmp_path: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreeServices]:
    monkeypatch.setattr(chassis, "SQLITE_BUSY_TIMEOUT_MS", 20)
    opened = ThreeServices(tmp_path, clock)
    yield opened
    opened.close()


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Another process is about to write, and takes its time."""
    with closing(sqlite3.connect(str(database.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(database: Database) -> Iterator[None]:
    """No page can be added: what SQLite says then is what it says when the disk is full."""
    with database._writer.connect() as connection:  # kept, and the next to be given
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    yield
    with database._writer.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 4294967294")


def purchase(shop: ThreeServices, item: int, key: str) -> TestResponse:
    return shop.call("POST", f"/purchase/{item}", "customer", headers={"Idempotency-Key": key})


def change(shop: ThreeServices, item: int, key: str) -> TestResponse:
    headers = {"Idempotency-Key": key}
    return shop.call("PATCH", f"/books/{item}", "staff", json={"stock_change": 1, "reason": "x"}, headers=headers)


def add(shop: ThreeServices, _item: int, _key: str) -> TestResponse:
    book = {"title": "New", "authors": [], "subjects": ["x"], "price": {"amount": 1, "currency": "USD"}, "stock": 1}
    return shop.call("POST", "/books", "staff", json=book)


def cancel(shop: ThreeServices, _item: int, _key: str) -> TestResponse:
    order = shop.call("GET", "/orders", "customer").json["items"][0]  # type: ignore[index]  # JSON or None
    return shop.call("POST", f"/orders/{order['order_id']}/cancel", "customer")


def sign_in(shop: ThreeServices, _item: int, _key: str) -> TestResponse:
    return shop.call("POST", "/tokens", json={"email": "customer@example.org", "password": PASSWORD})


def register(shop: ThreeServices, _item: int, _key: str) -> TestResponse:
    return shop.call("POST", "/accounts", json={"email": "new@example.org", "password": PASSWORD})


def told_to_come_back(answer: TestResponse) -> None:
    problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


def reading_works(shop: ThreeServices, item: int) -> None:
    for path in (f"/info/{item}", "/search?q=noobs", "/search/distributed%20systems"):
        assert shop.call("GET", path).status_code == 200
    for path in ("/orders", "/accounts/me"):
        assert shop.call("GET", path, "customer").status_code == 200


@pytest.mark.parametrize(
    ("service", "ask", "done"),
    [
        (CATALOG, purchase, 201),
        (CATALOG, change, 200),
        (CATALOG, add, 201),
        (ORDER, purchase, 201),
        (ORDER, cancel, 200),
        (FRONTEND, sign_in, 201),
        (FRONTEND, register, 201),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_cannot_be_written_is_told_and_done_once_when_it_is_asked_again(
    shop: ThreeServices, service: str, ask: Ask, done: int
) -> None:
    item = shop.add_book(stock=10)
    shop.index_now()
    assert purchase(shop, item, "before").status_code == 201
    before = shop.everything()
    with locked(shop.databases[service]):
        told_to_come_back(ask(shop, item, "meanwhile"))
        reading_works(shop, item)
    after = shop.everything()
    if (service, ask) == (ORDER, purchase):  # the hold is there, and waits for its decision
        assert {name for name, rows in after.items() if rows != before[name]} <= {
            f"catalog.{table}" for table in ("books", "changes", "feed", "hold_lines", "holds", "journal")
        }
        assert after["order.decisions"] == before["order.decisions"]
    else:
        assert after == before
    for _ in range(2 if ask in (purchase, change) else 1):
        assert ask(shop, item, "meanwhile").status_code == done
    assert books_out_of_balance(shop.databases[CATALOG]) == []
    stock: dict[Any, int] = {purchase: 8, change: 10, cancel: 10}
    assert shop.call("GET", f"/info/{item}").json["quantity"] == stock.get(ask, 9)  # type: ignore[index]  # JSON or None


def test_whoever_is_signed_in_buys_while_nobody_can_sign_in(shop: ThreeServices) -> None:
    item = shop.add_book()
    with locked(shop.databases[FRONTEND]):
        told_to_come_back(sign_in(shop, item, ""))
        assert purchase(shop, item, "meanwhile").status_code == 201


@pytest.mark.parametrize("service", [CATALOG, ORDER])
def test_a_full_disk_at_commit_leaves_nothing_half_done(shop: ThreeServices, service: str) -> None:
    item = shop.add_book(stock=10_000)
    shop.index_now()
    with full(shop.databases[service]):
        bought = 0
        while (answer := purchase(shop, item, f"key-{bought}")).status_code == 201:
            bought += 1
            assert bought < MOST_PURCHASES
        told_to_come_back(answer)
        told_to_come_back(purchase(shop, item, f"key-{bought}"))
        reading_works(shop, item)
        assert books_out_of_balance(shop.databases[CATALOG]) == []
        assert decisions(shop) == bought
    for _ in range(2):
        assert purchase(shop, item, f"key-{bought}").status_code == 201
    assert decisions(shop) == bought + 1
    assert shop.call("GET", f"/info/{item}").json["quantity"] == 10_000 - bought - 1  # type: ignore[index]  # JSON or None
    assert books_out_of_balance(shop.databases[CATALOG]) == []


def decisions(shop: ThreeServices) -> int:
    with shop.databases[ORDER].reading() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM decisions")).scalar_one())
