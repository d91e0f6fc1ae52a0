"""Who is nobody, or not the right one, is told so before anything else, and changes nothing."""

from datetime import datetime, timedelta

import pytest
from werkzeug.test import TestResponse

from bad_requests import BOOK, problem, refused_field
from bazar.chassis.bodies import LARGEST_BODY_BYTES
from bazar.chassis.clock import system_clock
from three_services import API, ThreeServices

pytestmark = pytest.mark.usefixtures("unchanged")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", "Bearer a b", "Bearer \xff"]
)
def test_a_token_that_is_none_is_refused(shop: ThreeServices, header: str) -> None:
    answer = shop.call("GET", "/accounts/me", headers={"Authorization": header})
    problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_another_customers_order_is_as_unknown_as_one_that_there_is_not(shop: ThreeServices) -> None:
    problem(shop.call("GET", f"/orders/{'a' * 32}", "other"), 404, "not-found")
    for nonsense in ("a" * 31, "A" * 32, "1" * 32, "x", "%00", "a" * 10_000):
        problem(shop.call("GET", f"/orders/{nonsense}", "staff"), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "field", "allowed"),
    [
        ('{"email":"a@example.org"}', "password", "is missing"),
        ('{"email":"a","password":"violet tables dance"}', "email", "exactly one @"),
        ('{"email":"a\\u0000@example.org","password":"violet tables dance"}', "email", "U+0000"),
        ('{"email":1,"password":"violet tables dance"}', "email", "text"),
        ('{"email":"a@example.org","password":"violet tables dance","role":"admin"}', "role", "unknown field"),
        (f'{{"email":"a@example.org","password":"{"x" * 1001}"}}', "password", "at most 1000"),
    ],
)
def test_a_registration_is_refused_by_field(shop: ThreeServices, body: str, field: str, allowed: str) -> None:
    refused_field(shop.call("POST", "/accounts", body=body), field, allowed)


def test_a_weak_password_is_refused_with_the_reason(shop: ThreeServices) -> None:
    answer = shop.call("POST", "/accounts", json={"email": "a@example.org", "password": "short"})
    assert "15" in problem(answer, 422, "weak-password")["detail"]


def test_an_expired_token_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    moved = timedelta()

    def clock() -> datetime:
        return system_clock() + moved

    shop = ThreeServices(tmp_path_factory.mktemp("aging"), clock)
    assert shop.call("GET", "/accounts/me", "customer").status_code == 200
    moved = timedelta(days=8)
    try:
        problem(shop.call("GET", "/accounts/me", "customer"), 401, "unauthenticated")
        answer = shop.call("POST", "/purchase/1", "customer", headers={"Idempotency-Key": "k"})
        problem(answer, 401, "unauthenticated")
    finally:
        shop.close()


def test_who_may_not_call_hears_that_before_the_body_is_looked_at(shop: ThreeServices) -> None:
    for body in (b"no JSON", b" " * (LARGEST_BODY_BYTES + 1)):
        problem(shop.call("PATCH", f"/books/{BOOK}", body=body), 401, "unauthenticated")
        problem(shop.call("PATCH", f"/books/{BOOK}", "customer", body=body), 403, "forbidden")


@pytest.mark.parametrize(
    ("sent", "status", "name"),
    [({"CONTENT_LENGTH": "100"}, 400, "malformed"), ({"HTTP_TRANSFER_ENCODING": "chunked"}, 411, "length-required")],
    ids=["cut short", "in chunks"],
)
def test_who_may_not_call_hears_that_before_a_body_that_is_not_whole(
    shop: ThreeServices, sent: dict[str, str], status: int, name: str
) -> None:
    def change(item_number: int, who: str | None = None) -> TestResponse:
        return shop.app.test_client(use_cookies=False).patch(
            f"{API}/books/{item_number}",
            data=b'{"stock_change":1}',
            content_type="application/json",
            headers={} if who is None else {"Authorization": f"Bearer {shop.tokens[who]}"},
            environ_overrides={"wsgi.input_terminated": True, **sent},  # as Granian says it
        )

    problem(change(BOOK), 401, "unauthenticated")
    problem(change(BOOK, "customer"), 403, "forbidden")
    problem(change(BOOK + 1, "staff"), 404, "not-found")
    problem(change(BOOK, "staff"), status, name)
