"""Who may do what: every route of the front-end by role and owner, every internal route by caller.

What is not named is denied. The tables here say what is meant; they are no copy that follows the code.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from bad_requests import problem, refused_field
from bazar.chassis.service_api import ServiceApi
from bazar.chassis.web import Readiness, new_app
from bazar.contracts.books import Empty
from bazar.contracts.call import Call
from bazar.contracts.calls import CALLS
from bazar.contracts.names import CATALOG, FRONTEND, OPERATOR, ORDER
from bazar.frontend.api.authentication import API_PREFIX
from bazar.frontend.domain.accounts import SignInKind
from bazar.frontend.pages.sessions import SESSION_COOKIE
from bazar.frontend.wiring import ACCESS
from three_services import API, PUBLIC_URL, ThreeServices

NOBODY = "nobody"
#: "customer" owns the order of these tests, "other" is another customer.
WHO = (NOBODY, "customer", "other", "staff", "admin")
EVERYBODY = frozenset(WHO)
SIGNED_IN = EVERYBODY - {NOBODY}
STAFF = frozenset({"staff", "admin"})
ADMIN = frozenset({"admin"})
OWNER_AND_STAFF = STAFF | {"customer"}

#: Who gets past the door; nobody else does: 401, or 403 for whoever is signed in.
ROUTES: Mapping[str, frozenset[str]] = {
    "GET /search": EVERYBODY,
    "GET /search/{subject}": EVERYBODY,
    "GET /info/{item_number}": EVERYBODY,
    "GET /openapi.json": EVERYBODY,
    "GET /docs": EVERYBODY,
    "POST /accounts": EVERYBODY,
    "POST /tokens": EVERYBODY,
    "GET /accounts/me": SIGNED_IN,
    "DELETE /tokens/current": SIGNED_IN,
    "POST /purchase/{item_number}": SIGNED_IN,
    "POST /orders": SIGNED_IN,
    "GET /orders": SIGNED_IN,
    "GET /orders/{order_id}": SIGNED_IN,
    "POST /orders/{order_id}/cancel": SIGNED_IN,
    "POST /orders/{order_id}/settle": STAFF,
    "POST /books": STAFF,
    "PATCH /books/{item_number}": STAFF,
    "DELETE /books/{item_number}": STAFF,
    "GET /books/{item_number}/history": STAFF,
}
#: Who sees a page; nobody else does, but is sent to sign in, or told that it is for others. Forms are refused to all
#: without their token.
PAGES: Mapping[str, frozenset[str]] = {
    "GET /": EVERYBODY,
    "GET /search": EVERYBODY,
    "GET /subjects/{subject}": EVERYBODY,
    "GET /books/{item_number}": EVERYBODY,
    "GET /books/{item_number}/buy": EVERYBODY,
    "POST /books/{item_number}/buy": frozenset(),
    "GET /books/{item_number}/basket": EVERYBODY,
    "POST /books/{item_number}/basket": frozenset(),
    "GET /basket": EVERYBODY,
    "POST /basket": frozenset(),
    "POST /basket/remove": frozenset(),
    "POST /basket/adjust": frozenset(),
    "GET /basket/buy": EVERYBODY,
    "POST /basket/buy": frozenset(),
    "GET /new": EVERYBODY,
    "GET /bestsellers": EVERYBODY,
    "GET /suggest": EVERYBODY,
    "GET /orders": SIGNED_IN,
    "GET /orders/{order_id}": SIGNED_IN,
    "POST /orders/{order_id}/cancel": frozenset(),
    "POST /orders/{order_id}/again": frozenset(),
    "GET /staff": STAFF,
    "GET /staff/orders": STAFF,
    "GET /staff/orders/{order_id}": STAFF,
    "POST /staff/orders/{order_id}/ready": frozenset(),
    "POST /staff/orders/{order_id}/collected": frozenset(),
    "POST /staff/orders/{order_id}/cancel": frozenset(),
    "POST /staff/orders/{order_id}/settle": frozenset(),
    "GET /about": EVERYBODY,
    "GET /subjects": EVERYBODY,
    "GET /register": EVERYBODY,
    "POST /register": frozenset(),
    "GET /sign-in": EVERYBODY,
    "POST /sign-in": frozenset(),
    "POST /sign-in/code": frozenset(),
    "POST /sign-out": frozenset(),
    "GET /account": SIGNED_IN,
    "POST /account/name": frozenset(),
    "POST /account/password": frozenset(),
    "GET /account/data": SIGNED_IN,
    "GET /account/delete": SIGNED_IN,
    "POST /account/delete": frozenset(),
    "GET /account/deleted": EVERYBODY,
    "GET /account/second-factor": STAFF,
    "POST /account/second-factor": frozenset(),
    "POST /account/second-factor/confirm": frozenset(),
    "POST /account/second-factor/off": frozenset(),
    "GET /account/links": STAFF,
    "POST /account/links": frozenset(),
    "GET /new-password": EVERYBODY,
    "POST /new-password": frozenset(),
    "GET /admin/accounts": ADMIN,
    "GET /admin/accounts/find": ADMIN,
    "POST /admin/accounts": frozenset(),
    "GET /admin/accounts/{account_id}": ADMIN,
    "POST /admin/accounts/{account_id}/role": frozenset(),
    "POST /admin/accounts/{account_id}/sessions": frozenset(),
    "POST /admin/accounts/{account_id}/second-factor": frozenset(),
    "GET /problems/{name}": EVERYBODY,
    "GET /static/{path}": EVERYBODY,
    "GET /staff/books": STAFF,
    "GET /staff/journal": STAFF,
    "GET /staff/journal/orders": STAFF,
    "GET /staff/import": STAFF,
    "GET /staff/import/sample.csv": STAFF,
    "POST /staff/import": frozenset(),
    "POST /staff/import/preview": frozenset(),
    "GET /staff/books/new": STAFF,
    "GET /staff/books/low": STAFF,
    "POST /staff/books/new": frozenset(),
    "GET /staff/books/{item_number}": STAFF,
    "POST /staff/books/{item_number}/details": frozenset(),
    "POST /staff/books/{item_number}/price": frozenset(),
    "POST /staff/books/{item_number}/goods-in": frozenset(),
    "POST /staff/books/{item_number}/stock-take": frozenset(),
    "GET /staff/books/{item_number}/withdraw": STAFF,
    "POST /staff/books/{item_number}/withdraw": frozenset(),
}
#: Open to whoever reaches the port.
HEALTH = {"healthz", "readyz", "metrics_page"}
UNKNOWN_BOOK = 999_999
NO_ACCOUNT = "a" * 26

IDENTITIES = (FRONTEND, CATALOG, ORDER, OPERATOR)
CALLERS: Mapping[str, frozenset[str]] = {
    "catalog GET /books/{item_number}": frozenset({FRONTEND}),
    "catalog GET /books": frozenset({FRONTEND}),
    "catalog GET /low-stock": frozenset({FRONTEND}),
    "catalog GET /search": frozenset({FRONTEND}),
    "catalog GET /newest": frozenset({FRONTEND}),
    "catalog POST /books/by-number": frozenset({FRONTEND}),
    "catalog GET /suggestions": frozenset({FRONTEND}),
    "catalog GET /subjects": frozenset({FRONTEND}),
    "catalog GET /changes": frozenset({FRONTEND}),
    "catalog POST /books": frozenset({FRONTEND}),
    "catalog PATCH /books/{item_number}": frozenset({FRONTEND, OPERATOR}),
    "catalog DELETE /books/{item_number}": frozenset({FRONTEND}),
    "catalog GET /books/{item_number}/history": frozenset({FRONTEND}),
    "catalog GET /journal": frozenset({FRONTEND}),
    "catalog POST /imports": frozenset({FRONTEND, OPERATOR}),
    "catalog POST /imports/preview": frozenset({FRONTEND}),
    "catalog POST /imports/withdraw": frozenset({OPERATOR}),
    "catalog POST /holds": frozenset({ORDER}),
    "catalog POST /holds/settle": frozenset({ORDER}),
    "catalog POST /holds/release": frozenset({ORDER}),
    "catalog POST /holds/return": frozenset({ORDER}),
    "catalog GET /holds/open": frozenset({ORDER}),
    "catalog GET /holds": frozenset({ORDER}),
    "order POST /orders": frozenset({FRONTEND}),
    "order GET /orders": frozenset({FRONTEND}),
    "order GET /orders/stuck": frozenset({FRONTEND}),
    "order GET /orders/{order_id}": frozenset({FRONTEND}),
    "order GET /journal": frozenset({FRONTEND}),
    "order GET /orders/open": frozenset({FRONTEND}),
    "order GET /orders/at-counter": frozenset({FRONTEND}),
    "order GET /orders/{order_id}/life": frozenset({FRONTEND}),
    "order POST /orders/{order_id}/move": frozenset({FRONTEND}),
    "order GET /figures": frozenset({FRONTEND}),
    "order GET /best-sellers": frozenset({FRONTEND}),
    "order POST /orders/{order_id}/cancel": frozenset({FRONTEND}),
    "order POST /orders/{order_id}/settle": frozenset({FRONTEND}),
}


@pytest.fixture(scope="module")
def order_id(shop: ThreeServices) -> str:
    """An order of the customer."""
    item_number = shop.add_book()
    answer = shop.call("POST", f"/purchase/{item_number}", "customer", headers={"Idempotency-Key": "first"})
    return str(answer.json["order_id"])  # type: ignore[index]  # JSON or None


def routes_of(app: Flask) -> Iterator[tuple[str, str]]:
    """(endpoint, ``METHOD /path/{placeholder}``) of every route."""
    for rule in app.url_map.iter_rules():
        path = "".join(f"{{{part}}}" if dynamic else part for dynamic, part in rule._trace).removeprefix("|")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield rule.endpoint, f"{method} {path}"


def knock(shop: ThreeServices, verb: str, path: str, who: str, order_id: str) -> TestResponse:
    """Ask in such a way that whoever gets in changes nothing."""
    address = path.format(subject="x", item_number=UNKNOWN_BOOK, order_id=order_id)
    headers = {} if who == NOBODY else {"Authorization": f"Bearer {shop.sign_in(who)}"}
    return shop.call(verb, address, body=b"no JSON", headers=headers)


def look(shop: ThreeServices, verb: str, path: str, who: str, order_id: str) -> TestResponse:
    """Ask for a page, as a browser with the cookie of this person and without a form's token."""
    address = path.format(
        subject="x", item_number=UNKNOWN_BOOK, order_id=order_id, account_id=NO_ACCOUNT, name="invalid", path="x.css"
    )
    cookie = {} if who == NOBODY else {"Cookie": f"{SESSION_COOKIE}={shop.sign_in(who, SignInKind.SESSION)}"}
    return shop.app.test_client(use_cookies=False).open(address, base_url=PUBLIC_URL, method=verb, headers=cookie)


def sign_in_for(path: str, order_id: str) -> str:
    address = path.format(order_id=order_id, account_id=NO_ACCOUNT, item_number=UNKNOWN_BOOK)
    return f"/sign-in?{urlencode({'next': address})}"


def test_every_route_of_the_api_is_in_the_table_and_has_a_rule(shop: ThreeServices) -> None:
    found = {route.replace(API, ""): endpoint for endpoint, route in routes_of(shop.app) if f" {API_PREFIX}" in route}
    assert found.keys() == ROUTES.keys()
    assert set(found.values()) == ACCESS.keys()


def test_all_other_routes_are_pages_or_tell_of_health(shop: ThreeServices) -> None:
    others = {route: endpoint for endpoint, route in routes_of(shop.app) if f" {API_PREFIX}" not in route}
    pages = {route for route, endpoint in others.items() if endpoint.startswith("pages.")}
    assert pages == PAGES.keys()
    assert {endpoint for route, endpoint in others.items() if route not in pages} == HEALTH


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("route", ROUTES)
def test_only_who_may_gets_past_the_door(shop: ThreeServices, order_id: str, route: str, who: str) -> None:
    verb, path = route.split()
    for method in (verb, "HEAD") if verb == "GET" else (verb,):
        before = shop.everything()
        status = knock(shop, method, path, who, order_id).status_code
        if who in ROUTES[route]:
            assert status not in {401, 403}
        else:
            assert status == (401 if who == NOBODY else 403)
        assert shop.everything() == before


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("route", [route for route in ROUTES if "{item_number}" in route or "{order_id}" in route])
@pytest.mark.parametrize("bad", ["0", "01", "abc", "9" * 20, "٣"])
def test_an_address_that_names_nothing_is_a_404_only_to_who_may_ask(
    shop: ThreeServices, route: str, who: str, bad: str
) -> None:
    verb, path = route.split()
    headers = {} if who == NOBODY else {"Authorization": f"Bearer {shop.sign_in(who)}"}
    answer = shop.call(verb, path.format(item_number=bad, order_id=bad), headers=headers)
    expected = 404 if who in ROUTES[route] else 401 if who == NOBODY else 403
    assert answer.status_code == expected


@pytest.mark.parametrize("who", WHO)
def test_an_order_is_seen_by_its_owner_and_staff_alone(shop: ThreeServices, order_id: str, who: str) -> None:
    asked = None if who == NOBODY else who
    one, listed = shop.call("GET", f"/orders/{order_id}", asked), shop.call("GET", "/orders", asked)
    if who == NOBODY:
        assert (one.status_code, listed.status_code) == (401, 401)
        return
    ids = [order["order_id"] for order in listed.json["items"]]  # type: ignore[index]  # JSON or None
    if who in OWNER_AND_STAFF:
        assert (one.status_code, ids) == (200, [order_id])
    else:
        assert (one.status_code, ids) == (404, [])
        nowhere = shop.call("GET", f"/orders/{'a' * 32}", asked)
        assert one.data == nowhere.data, "the answer tells that there is such an order"


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("route", PAGES)
def test_only_who_may_sees_a_page(shop: ThreeServices, order_id: str, route: str, who: str) -> None:
    verb, path = route.split()
    before = shop.everything()
    answer = look(shop, verb, path, who, order_id)
    if who in PAGES[route]:
        assert answer.status_code in {200, 303, 404, 422}
        assert not answer.headers.get("Location", "").startswith("/sign-in")
    elif verb == "GET" and who == NOBODY:
        assert (answer.status_code, answer.headers["Location"]) == (303, sign_in_for(path, order_id))
    elif verb == "GET" and path.startswith("/staff"):
        assert answer.status_code == 404  # a customer is not told what booksellers have
    else:
        assert answer.status_code == 403
    assert shop.everything() == before


@pytest.mark.parametrize("who", sorted(SIGNED_IN))
def test_the_page_of_an_order_is_its_owners_alone(shop: ThreeServices, order_id: str, who: str) -> None:
    one = look(shop, "GET", "/orders/{order_id}", who, order_id)
    listed = look(shop, "GET", "/orders", who, order_id)
    assert one.status_code == (200 if who == "customer" else 404)
    assert (order_id in listed.text) is (who == "customer")


@pytest.mark.parametrize("who", sorted(SIGNED_IN))
def test_a_cookie_opens_no_call_and_a_token_no_page(shop: ThreeServices, order_id: str, who: str) -> None:
    cookie = {"Cookie": f"{SESSION_COOKIE}={shop.sign_in(who, SignInKind.SESSION)}"}
    assert shop.call("GET", "/accounts/me", headers=cookie).status_code == 401
    session = {"Authorization": f"Bearer {shop.sign_in(who, SignInKind.SESSION)}"}
    assert shop.call("GET", "/accounts/me", headers=session).status_code == 401
    token = {"Authorization": f"Bearer {shop.tokens[who]}", "Cookie": f"{SESSION_COOKIE}={shop.tokens[who]}"}
    assert shop.app.test_client(use_cookies=False).get(f"/orders/{order_id}", headers=token).status_code == 303


@pytest.mark.parametrize("who", ["customer", "staff", "admin"])
def test_what_a_body_says_of_account_role_or_price_is_refused(shop: ThreeServices, order_id: str, who: str) -> None:
    assert order_id
    for field in ("account_id", "role", "price"):
        answer = shop.call("POST", "/purchase/1", who, json={field: "admin"}, headers={"Idempotency-Key": field})
        assert answer.status_code == 422


def test_every_internal_route_is_in_the_table_of_calls_and_in_ours(shop: ThreeServices) -> None:
    found = {
        f"{service} {route}"
        for service, app in ((CATALOG, shop.catalog_app), (ORDER, shop.order_app))
        for endpoint, route in routes_of(app)
        if endpoint not in HEALTH
    }
    assert found == CALLERS.keys() == {f"{call.service} {call.method} {call.path}" for call in CALLS}


@pytest.mark.parametrize("caller", IDENTITIES)
@pytest.mark.parametrize("route", CALLERS)
def test_a_service_answers_the_callers_of_the_table_and_no_other(shop: ThreeServices, route: str, caller: str) -> None:
    service, verb, path = route.split()
    before = shop.everything()
    for method in (verb, "HEAD") if verb == "GET" else (verb,):
        status = call_internally(shop, service, method, path, shop.service_token(caller, service))
        if caller in CALLERS[route]:
            assert status not in {401, 403}
        else:
            assert status == 403
    assert shop.everything() == before


@pytest.mark.parametrize("route", CALLERS)
def test_without_a_token_for_this_service_nobody_is_answered(shop: ThreeServices, route: str) -> None:
    service, verb, path = route.split()
    elsewhere = ORDER if service == CATALOG else CATALOG
    for caller in CALLERS[route]:
        token = shop.service_token(caller, elsewhere)
        assert call_internally(shop, service, verb, path, token) == 401
    assert call_internally(shop, service, verb, path, None) == 401
    assert call_internally(shop, service, verb, path, "nonsense") == 401
    assert call_internally(shop, service, verb, path, shop.tokens["admin"]) == 401


def test_a_call_that_names_no_caller_answers_nobody() -> None:
    class Trusting:
        """Believes whatever the token says."""

        def caller(self, token: str) -> str:
            return token

    app = new_app("tiny", {}, lambda: Readiness(ready=True, parts={}), {})
    forgotten = Call("tiny", "GET", "/forgotten", Empty, Empty, callers=frozenset())
    ServiceApi(app, Trusting()).serve(forgotten, lambda _: Empty())
    for caller in IDENTITIES:
        answer = app.test_client(use_cookies=False).get("/forgotten", headers={"Authorization": f"Bearer {caller}"})
        assert answer.status_code == 403


def test_the_history_of_a_withdrawn_book_is_there_whatever_is_wrong_with_the_request(shop: ThreeServices) -> None:
    gone = shop.add_book()
    assert shop.call("DELETE", f"/books/{gone}", "staff").status_code == 204
    refused_field(shop.call("GET", f"/books/{gone}/history?limit=0", "staff"), "limit")
    assert shop.call("GET", f"/books/{gone}/history?limit=1", "staff").status_code == 200
    problem(shop.call("GET", f"/books/{gone + 1}/history?limit=0", "staff"), 404, "not-found")


def call_internally(shop: ThreeServices, service: str, verb: str, path: str, token: str | None) -> int:
    """The status that a service answers; whoever gets in is told that the body is no JSON, or of an unknown book."""
    app = shop.catalog_app if service == CATALOG else shop.order_app
    address = path.format(item_number=UNKNOWN_BOOK, order_id="a" * 32)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body = b"no JSON"
    answer = app.test_client(use_cookies=False).open(
        address, method=verb, headers=headers, data=body, content_type="application/json"
    )
    return answer.status_code
