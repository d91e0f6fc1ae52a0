"""Overload: what a server does not take on is told at once, in its lane; deadlines that passed are not worked for."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from bad_requests import problem
from bazar.chassis import lanes as lanes_module
from bazar.chassis.admission import LONGEST_RETRY_AFTER_SECONDS
from bazar.chassis.headers import REMAINING_MS
from bazar.chassis.lanes import FEW_SLOTS, MANY_TIMES, MOST_PLACES, PLACES_PER_SLOT, Lane, Lanes, most_threads
from bazar.chassis.web import Readiness, new_app
from bazar.contracts import calls
from bazar.contracts.call import Call
from bazar.contracts.names import CATALOG, FRONTEND, ORDER
from bazar.frontend.api.lanes import lanes as lanes_of_frontend
from bazar.frontend.domain.shop_identity import ShopIdentity
from bazar.frontend.gateways.catalog_service import CatalogService
from bazar.frontend.gateways.order_service import OrderService
from bazar.frontend.pages.my_orders import CustomersTime
from bazar.frontend.storage.baskets import SqlBasketStore
from bazar.frontend.use_cases.baskets import Baskets
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.wiring import frontend_app, people_of
from bazar.settings import Settings
from conftest import MovableClock
from three_services import CURRENCY, CUSTOMERS_TIME, PUBLIC_URL, InProcessClient, ThreeServices

WAIT_SECONDS = 30.0
#: Threads that are left when all lanes are full.
TELLING = 8
SLOTS = 1
AT_WORK = MANY_TIMES * SLOTS
WAITING = min(PLACES_PER_SLOT * AT_WORK, MOST_PLACES)


class Hanging:
    """An order server that accepts calls and answers when it is told to; a WSGI application."""

    def __init__(self, app: Flask) -> None:
        self.go_on = threading.Event()
        self._app = app

    def __call__(self, environ: Any, start_response: Any) -> Any:
        assert self.go_on.wait(WAIT_SECONDS)
        return self._app(environ, start_response)


@pytest.fixture
def shop(tmp_path: Path, clock: MovableClock) -> Iterator[ThreeServices]:
    opened = ThreeServices(tmp_path, clock)
    yield opened
    opened.close()


@pytest.fixture
def order_server(shop: ThreeServices) -> Iterator[Hanging]:
    """It hangs, and the front-end has the smallest lanes."""
    hanging = Hanging(shop.order_app)

    def token(audience: str) -> str:
        return shop.service_token(FRONTEND, audience)

    orders = OrderService(InProcessClient(ORDER, hanging, token))
    orders.start()
    shop.app = frontend_app(
        people=shop.people,
        baskets=Baskets(SqlBasketStore(shop.databases[FRONTEND]), shop.clock),
        catalog=CatalogService(InProcessClient(CATALOG, shop.catalog_app, token)),
        orders=orders,
        readiness=lambda: Readiness(ready=True, parts={}),
        customers_time=CustomersTime(CUSTOMERS_TIME, shop.clock),
        public_url=PUBLIC_URL,
        currency=CURRENCY,
        identity=ShopIdentity("Bazar"),
        slots=SLOTS,
    )
    yield hanging
    hanging.go_on.set()
    orders.stop()


@pytest.fixture
def customers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(AT_WORK + WAITING + 20) as threads:
        yield threads


def await_full_lane(shop: ThreeServices) -> None:
    """Until as many purchases as can be are at work."""
    lanes: Lanes = shop.app.extensions["lanes"]
    deadline = time.monotonic() + WAIT_SECONDS
    while lanes.all["orders"].at_work < AT_WORK:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)


def buy(shop: ThreeServices, item: int, key: str, body: bytes = b'{"quantity":1}') -> TestResponse:
    return shop.call("POST", f"/purchase/{item}", "customer", body=body, headers={"Idempotency-Key": key})


def refused(answer: TestResponse) -> None:
    problem(answer, 503, "unavailable")
    assert 1 <= int(answer.headers["Retry-After"]) <= LONGEST_RETRY_AFTER_SECONDS
    assert answer.headers["Cache-Control"] == "no-store"


def test_of_a_flood_of_purchases_those_at_work_are_answered_and_the_rest_is_told(
    shop: ThreeServices, order_server: Hanging, customers: ThreadPoolExecutor
) -> None:
    item = shop.add_book(stock=100)

    def ask(key: str) -> Future[TestResponse]:
        return customers.submit(buy, shop, item, key)

    at_work = [ask(f"at-work-{number}") for number in range(AT_WORK)]
    await_full_lane(shop)
    for turned_away in [ask(f"too-much-{number}") for number in range(WAITING + 10)]:
        refused(turned_away.result(WAIT_SECONDS))
        protecting = turned_away.result().headers.getlist("X-Content-Type-Options")
        assert protecting == ["nosniff"]  # though Flask never saw the request
    order_server.go_on.set()
    assert {answer.result(WAIT_SECONDS).status_code for answer in at_work} == {201}
    refusals = 'bazar_requests_refused_total{lane="orders",reason="full"}'
    assert f"{refusals} {WAITING + 10}.0" in shop.app.test_client().get("/metrics").text
    again = buy(shop, item, "too-much-0")
    assert again.status_code == 201, "a refusal uses up no key"


def test_purchases_that_wait_for_the_order_server_keep_nobody_from_reading(
    shop: ThreeServices, order_server: Hanging, customers: ThreadPoolExecutor
) -> None:
    item = shop.add_book()
    at_work = [customers.submit(buy, shop, item, f"key-{number}") for number in range(AT_WORK)]
    await_full_lane(shop)
    refused(shop.call("GET", "/orders", "customer"))
    for path in (f"/info/{item}", "/search?q=noobs", "/search/distributed%20systems"):
        assert shop.call("GET", path).status_code == 200
    assert shop.call("PATCH", f"/books/{item}", "staff", json={"stock_change": 1}).status_code == 200
    for path in ("/healthz", "/readyz", "/metrics", "/new", f"/books/{item}"):
        assert shop.app.test_client().get(path).status_code == 200
    order_server.go_on.set()
    assert {answer.result(WAIT_SECONDS).status_code for answer in at_work} == {201}


def test_the_body_of_a_refused_request_is_taken_in_so_that_the_connection_stays(
    shop: ThreeServices, order_server: Hanging, customers: ThreadPoolExecutor
) -> None:
    item = shop.add_book()
    at_work = [customers.submit(buy, shop, item, f"key-{number}") for number in range(AT_WORK)]
    await_full_lane(shop)
    body = BytesIO(b"no JSON at all")
    refused(shop.app.test_client().post(f"/api/v1/purchase/{item}", input_stream=body, content_length=14))
    assert body.read() == b""
    order_server.go_on.set()
    assert {answer.result(WAIT_SECONDS).status_code for answer in at_work} == {201}


@pytest.mark.parametrize("call", [calls.HOLD, calls.CHANGE_BOOK, calls.PLACE_ORDERS], ids=lambda call: call.path)
def test_a_call_whose_time_has_passed_is_not_even_read(shop: ThreeServices, call: Call[Any, Any]) -> None:
    app = shop.catalog_app if call.service == CATALOG else shop.order_app
    path = call.path_for(item_number=1)
    sent: dict[str, Any] = {"data": b"no JSON", "content_type": "application/json"}
    token = {"Authorization": f"Bearer {shop.service_token(min(call.callers), call.service)}"}
    late = app.test_client().open(path, method=call.method, headers={**token, REMAINING_MS: "0"}, **sent)
    refused(late)
    in_time = app.test_client().open(path, method=call.method, headers={**token, REMAINING_MS: "5000"}, **sent)
    assert in_time.status_code == 400


def test_strangers_cannot_say_how_long_they_wait(shop: ThreeServices) -> None:
    item = shop.add_book()
    assert shop.call("GET", f"/info/{item}", headers={REMAINING_MS: "0"}).status_code == 200


def test_a_request_that_fails_gives_its_slot_back() -> None:
    app = new_app("tiny", {}, lambda: Readiness(ready=True, parts={}), {}, lanes=Lanes({"a": 1}, lambda *_: "a"))

    @app.get("/fails")
    def fails() -> str:
        raise ZeroDivisionError

    assert [app.test_client().get("/fails").status_code for _ in range(3)] == [500] * 3


def test_what_needs_the_order_server_has_a_lane_of_its_own(shop: ThreeServices) -> None:
    lanes = lanes_of_frontend(SLOTS)
    found: dict[str, set[str]] = {name: set() for name in lanes.all}
    for rule in shop.app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            found[lanes.of(method, rule.rule).name].add(f"{method} {rule.rule}")
    orders = {
        "POST /api/v1/purchase/<item_number:item_number>",
        *("POST /books/<item_number:item_number>/buy", "POST /basket/buy"),
        *("POST /api/v1/orders", "GET /api/v1/orders", "GET /orders", "GET /account/data"),
        *("GET /staff", "GET /staff/orders", "GET /staff/journal/orders"),
        *("GET /api/v1/orders/<order_id:order_id>", "GET /orders/<order_id:order_id>"),
        "POST /api/v1/orders/<order_id:order_id>/cancel",
    }
    assert orders <= found["orders"]
    assert all("/orders/" in route for route in found["orders"] - orders)
    assert not [route for name in found.keys() - {"orders"} for route in found[name] if "orders" in route]
    assert all(route.startswith("GET ") for route in found["reads"])


def test_thirty_at_once_are_let_in_to_sign_in_and_find_a_place_to_wait_for_a_hash(shop: ThreeServices) -> None:
    settings = Settings.from_environment({})
    hasher = people_of(settings, shop.databases[FRONTEND]).accounts._hasher
    assert isinstance(hasher, PasswordHasher)
    of_accounts = ("/account/password", "/account/delete", "/account/second-factor/confirm")
    for path in (
        "/api/v1/tokens",
        "/api/v1/accounts",
        "/sign-in",
        "/register",
        "/new-password",
        "/admin/accounts",
        *of_accounts,
    ):
        lane = lanes_of_frontend(settings.threads).of("POST", path)
        assert all(lane.enter() for _ in range(30))
        assert lane.slots <= hasher.places


def test_threads_are_enough_for_full_lanes_and_for_telling_the_rest(shop: ThreeServices) -> None:
    for app in (shop.app, shop.catalog_app, shop.order_app):
        lanes: Lanes = app.extensions["lanes"]
        full = sum(lane.slots + lane.places for lane in [*lanes.all.values(), Lane("watching", FEW_SLOTS)])
        assert most_threads(lanes_module.SLOTS) - full >= TELLING
