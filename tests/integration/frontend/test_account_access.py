"""Who reaches which route of the API: on trial routes, one for each kind of rule."""

from collections.abc import Mapping

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from bazar.chassis.web import Readiness, new_app
from bazar.frontend.api.authentication import PROBLEMS, Access, MissingRule, guard_api, require, signed_in
from bazar.frontend.domain.accounts import Role, SignInKind
from bazar.frontend.use_cases.accounts import Accounts

ACCESS_OF_TRIAL_ROUTES = {
    "for_all": Access.ALL,
    "for_signed_in": Access.SIGNED_IN,
    "for_staff": Access.STAFF,
    "for_admin": Access.ADMIN,
}


class Shop:
    """The trial routes, and the accounts behind them."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.app = new_app("shop", PROBLEMS, lambda: Readiness(ready=True, parts={}), {})
        more = {"asks_who": Access.ALL, "more_for_staff": Access.SIGNED_IN}
        guard_api(self.app, accounts, {**ACCESS_OF_TRIAL_ROUTES, **more})
        _add_trial_routes(self.app)

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def token_of(self, role: Role, kind: SignInKind = SignInKind.TOKEN) -> str:
        email, password = f"{role.value}@example.org", "violet tables dance"
        self.accounts.create_account(email, password, role)
        return self.accounts.sign_in(email, password, kind, "127.0.0.1").secret


def _add_trial_routes(app: Flask) -> None:
    def answer() -> Response:
        return Response(status=204)

    for endpoint in ACCESS_OF_TRIAL_ROUTES:
        app.add_url_rule(f"/api/v1/{endpoint}", endpoint, answer, methods=["GET", "POST"])
    app.add_url_rule("/api/v1/forgotten", "forgotten", answer)
    app.add_url_rule("/outside", "outside", answer)
    app.add_url_rule("/api/v1/asks_who", "asks_who", lambda: signed_in().email)
    app.add_url_rule("/api/v1/more_for_staff", "more_for_staff", lambda: require(Role.STAFF).email)


@pytest.fixture
def shop(accounts: Accounts) -> Shop:
    return Shop(accounts)


def bearing(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer none",
        "Bearer \xe4\xf6",
        "Basic {token}",
        "{token}",
        "Bearer {token} more",
    ],
)
def test_only_a_bearer_token_signs_in(shop: Shop, header: str) -> None:
    token = shop.token_of(Role.CUSTOMER)
    sent = {"Authorization": header.format(token=token)}
    response = shop.client().get("/api/v1/for_signed_in", headers=sent)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_the_scheme_is_read_without_case(shop: Shop) -> None:
    sent = {"Authorization": f"bearer {shop.token_of(Role.CUSTOMER)}"}
    assert shop.client().get("/api/v1/for_signed_in", headers=sent).status_code == 204


def test_cookies_and_secrets_of_pages_open_nothing_here(shop: Shop) -> None:
    client = shop.client()
    session = shop.token_of(Role.CUSTOMER, SignInKind.SESSION)
    client.set_cookie("__Host-bazar", session, secure=True)
    assert client.get("/api/v1/for_signed_in", base_url="https://localhost").status_code == 401
    assert client.get("/api/v1/for_signed_in", headers=bearing(session)).status_code == 401


@pytest.mark.parametrize(
    ("role", "reached"),
    [
        (None, ["for_all"]),
        (Role.CUSTOMER, ["for_all", "for_signed_in"]),
        (Role.STAFF, ["for_all", "for_signed_in", "for_staff"]),
        (Role.ADMIN, ["for_all", "for_signed_in", "for_staff", "for_admin"]),
    ],
)
def test_each_role_reaches_what_its_rule_lets_it(shop: Shop, role: Role | None, reached: list[str]) -> None:
    headers = bearing(shop.token_of(role)) if role else {}
    refused = 401 if role is None else 403
    for name in ACCESS_OF_TRIAL_ROUTES:
        response = shop.client().get(f"/api/v1/{name}", headers=headers)
        assert response.status_code == (204 if name in reached else refused), name


def test_who_may_not_call_is_told_so_before_the_body_is_looked_at(shop: Shop) -> None:
    body = {"data": b"[" * 1000, "content_type": "text/plain"}
    assert shop.client().post("/api/v1/for_staff", **body).status_code == 401
    customer = bearing(shop.token_of(Role.CUSTOMER))
    refused = shop.client().post("/api/v1/for_staff", headers=customer, **body)
    assert (refused.status_code, "staff" in refused.text) == (403, True)


def test_a_route_may_ask_for_more_than_its_rule(shop: Shop) -> None:
    client = shop.client()
    staff, customer = (bearing(shop.token_of(role)) for role in (Role.STAFF, Role.CUSTOMER))
    assert client.get("/api/v1/more_for_staff", headers=staff).text == "staff@example.org"
    assert client.get("/api/v1/more_for_staff", headers=customer).status_code == 403


def test_nobody_is_looked_up_on_a_route_for_all(shop: Shop) -> None:
    staff = bearing(shop.token_of(Role.STAFF))
    assert shop.client().get("/api/v1/asks_who", headers=staff).status_code == 401


def test_a_route_without_a_rule_is_closed_to_everybody(shop: Shop) -> None:
    for headers in ({}, bearing(shop.token_of(Role.ADMIN))):
        assert shop.client().get("/api/v1/forgotten", headers=headers).status_code == 500
    with pytest.raises(MissingRule), shop.app.test_request_context("/api/v1/forgotten"):
        shop.app.preprocess_request()


def test_routes_outside_the_api_are_none_of_its_business(shop: Shop) -> None:
    assert shop.client().get("/outside").status_code == 204
    assert shop.client().get("/healthz").status_code == 200
    assert shop.client().get("/api/v1/unknown").status_code == 404
