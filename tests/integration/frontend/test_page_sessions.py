"""Cookies and forms of the pages, on a small set of pages of their own."""

import pytest
from flask import Blueprint, Response, render_template_string, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bazar.chassis.web import Readiness, new_app
from bazar.frontend.api import authentication
from bazar.frontend.domain.accounts import SignInKind
from bazar.frontend.pages import sessions as page_sessions
from bazar.frontend.pages.sessions import GUEST_COOKIE, SESSION_COOKIE, PageSessions
from bazar.frontend.use_cases.accounts import Accounts

EMAIL, PASSWORD = "ann@example.org", "violet tables dance"
BASE = "https://localhost:8443"


@pytest.fixture
def accounts(accounts: Accounts) -> Accounts:
    """The shop with Ann in it."""
    accounts.register(EMAIL, PASSWORD, "Ann", "127.0.0.1")
    return accounts


@pytest.fixture
def client(accounts: Accounts) -> FlaskClient:
    problems = {**authentication.PROBLEMS, **page_sessions.PROBLEMS}
    app = new_app("shop", problems, lambda: Readiness(ready=True, parts={}), {})
    sessions = PageSessions(accounts, at_sign_in=lambda _response, _person: None)
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def home() -> str:
        return render_template_string("{{ person.name if person else 'nobody' }}")

    @pages.get("/form")
    def form() -> str:
        return render_template_string("{{ form_token() }}")

    @pages.get("/orders")
    def orders() -> str:
        return sessions.signed_in().email

    @pages.post("/sign-in")
    def sign_in() -> Response:
        response = Response("in")
        asked = request.form
        sessions.start(response, accounts.sign_in(asked["email"], asked["password"], SignInKind.SESSION, ""))
        return response

    @pages.post("/sign-out")
    def sign_out() -> Response:
        response = Response("out")
        sessions.end(response)
        return response

    sessions.guard(pages)
    app.register_blueprint(pages)
    return app.test_client()


def get(client: FlaskClient, path: str) -> TestResponse:
    return client.get(path, base_url=BASE)


def post(client: FlaskClient, path: str, token: str | None, site: str | None = "same-origin") -> TestResponse:
    fields = {"email": EMAIL, "password": PASSWORD} | ({} if token is None else {"form_token": token})
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    return client.post(path, data=fields, headers=headers, base_url=BASE)


def sign_in(client: FlaskClient) -> TestResponse:
    return post(client, "/sign-in", get(client, "/form").text)


def cookie(client: FlaskClient, name: str) -> str | None:
    found = client.get_cookie(name)
    return found.value if found else None


def test_who_signs_in_is_known_to_the_pages_until_signing_out(client: FlaskClient) -> None:
    assert get(client, "/").text == "nobody"
    assert sign_in(client).status_code == 200
    assert get(client, "/").text == "Ann"
    assert get(client, "/orders").text == EMAIL
    assert post(client, "/sign-out", get(client, "/form").text).status_code == 200
    assert get(client, "/").text == "nobody"
    assert get(client, "/orders").status_code == 401


def test_the_cookies_are_for_this_host_over_tls_and_not_for_scripts(client: FlaskClient) -> None:
    form = get(client, "/form")
    started = post(client, "/sign-in", form.text)
    for response, name in ((form, GUEST_COOKIE), (started, SESSION_COOKIE)):
        header = next(line for line in response.headers.getlist("Set-Cookie") if line.startswith(f"{name}="))
        attributes = {part.strip() for part in header.split(";")}
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= attributes
        assert not any(part.startswith("Domain") for part in attributes)


def test_a_page_without_a_form_sets_no_cookie(client: FlaskClient) -> None:
    assert get(client, "/").headers.getlist("Set-Cookie") == []


def test_one_guest_keeps_one_secret(client: FlaskClient) -> None:
    assert get(client, "/form").text == get(client, "/form").text


def test_signing_in_makes_a_new_secret_and_ends_the_old(client: FlaskClient, accounts: Accounts) -> None:
    sign_in(client)
    before = cookie(client, SESSION_COOKIE)
    assert cookie(client, GUEST_COOKIE) is None
    sign_in(client)
    after = cookie(client, SESSION_COOKIE)
    assert before is not None
    assert after not in {None, before}
    assert accounts.who_is(before, SignInKind.SESSION) is None


def test_signing_out_ends_the_session_itself(client: FlaskClient, accounts: Accounts) -> None:
    sign_in(client)
    secret = cookie(client, SESSION_COOKIE)
    post(client, "/sign-out", get(client, "/form").text)
    assert secret is not None
    assert accounts.who_is(secret, SignInKind.SESSION) is None
    assert cookie(client, SESSION_COOKIE) is None


@pytest.mark.parametrize("token", [None, "", "0" * 64, "\u00e4"])
def test_a_form_without_the_right_token_is_refused(client: FlaskClient, token: str | None) -> None:
    get(client, "/form")
    assert post(client, "/sign-in", token).status_code == 403


def test_a_form_from_a_browser_without_cookies_is_refused(client: FlaskClient) -> None:
    token = get(client, "/form").text
    client.delete_cookie(GUEST_COOKIE)
    assert post(client, "/sign-in", token).status_code == 403


def test_a_token_is_good_for_one_browser_and_until_it_signs_in(
    client: FlaskClient,
) -> None:
    token = get(client, "/form").text
    stranger = client.application.test_client()
    get(stranger, "/form")
    assert post(stranger, "/sign-in", token).status_code == 403
    assert post(client, "/sign-in", token).status_code == 200
    assert post(client, "/sign-out", token).status_code == 403


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("none", 200), (None, 200)])
def test_a_form_that_another_site_sends_is_refused_though_its_token_fits(
    client: FlaskClient, site: str | None, status: int
) -> None:
    assert post(client, "/sign-in", get(client, "/form").text, site).status_code == status


def test_a_token_of_the_api_is_no_session(client: FlaskClient, accounts: Accounts) -> None:
    token = accounts.sign_in(EMAIL, PASSWORD, SignInKind.TOKEN, "").secret
    client.set_cookie(SESSION_COOKIE, token, domain="localhost", secure=True)
    assert get(client, "/").text == "nobody"
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/orders", headers=headers, base_url=BASE).status_code == 401


def test_what_is_made_for_one_person_is_not_kept_by_caches(client: FlaskClient) -> None:
    assert "Cache-Control" not in get(client, "/").headers
    assert get(client, "/form").headers["Cache-Control"] == "no-store"
    sign_in(client)
    assert get(client, "/").headers["Cache-Control"] == "no-store"


def test_answers_outside_the_pages_carry_no_cookie(client: FlaskClient) -> None:
    assert get(client, "/healthz").headers.getlist("Set-Cookie") == []
