"""The API of accounts over a real database: what callers send, and what they are told to the letter."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
import pyotp
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bazar.chassis.web import Readiness, new_app
from bazar.contracts.times import rfc3339
from bazar.frontend.api import accounts as accounts_api
from bazar.frontend.api import authentication
from bazar.frontend.api.authentication import guard_api
from bazar.frontend.domain.accounts import SIGN_IN_LIFETIME
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.people import People
from bazar.frontend.use_cases.tries import Limits

EMAIL, PASSWORD, WRONG = "ann@example.org", "violet tables dance", "violet tables sing"
HOME = "127.0.0.1"


class MovableClock(Protocol):
    """The clock of the fixture."""

    now: datetime

    def __call__(self) -> datetime: ...

    def advance(self, **by: float) -> None: ...


#: Makes the application with the limits it is given.
OpenShop = Callable[[Limits], FlaskClient]


def client_of(accounts: Accounts) -> FlaskClient:
    problems = {**accounts_api.PROBLEMS, **authentication.PROBLEMS}
    app = new_app("shop", problems, lambda: Readiness(ready=True, parts={}), {})
    guard_api(app, accounts, accounts_api.ACCESS)
    app.register_blueprint(accounts_api.routes(accounts))
    return app.test_client()


@pytest.fixture
def open_shop(store: SqlAccountStore, hasher: PasswordHasher, clock: MovableClock) -> OpenShop:
    return lambda limits: client_of(Accounts(store, hasher, clock, limits))


@pytest.fixture
def client(accounts: Accounts) -> FlaskClient:
    return client_of(accounts)


def register(client: FlaskClient, email: str = EMAIL, password: str = PASSWORD) -> TestResponse:
    return client.post("/api/v1/accounts", json={"email": email, "password": password, "name": "Ann Lee"})


def sign_in(client: FlaskClient, email: str = EMAIL, password: str = PASSWORD) -> TestResponse:
    return client.post("/api/v1/tokens", json={"email": email, "password": password})


def bearing(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def problem(response: TestResponse, status: int, name: str) -> dict[str, Any]:
    """The members of the problem document that the answer must be."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = msgspec.json.decode(response.data)
    assert (document["type"], document["status"]) == (f"/problems/{name}", status)
    return document


def test_a_person_registers_signs_in_is_known_and_signs_out(client: FlaskClient, clock: MovableClock) -> None:
    registered = register(client, "Ann@Example.org")
    assert (registered.status_code, registered.json) == (201, {"email": "Ann@Example.org"})

    signed_in = sign_in(client)
    assert signed_in.status_code == 201
    assert signed_in.headers["Cache-Control"] == "no-store"
    assert signed_in.json is not None
    token = signed_in.json["token"]
    assert signed_in.json == {"token": token, "expires_at": rfc3339(clock.now + SIGN_IN_LIFETIME)}

    me = client.get("/api/v1/accounts/me", headers=bearing(token))
    assert me.status_code == 200
    assert me.json == {"email": "Ann@Example.org", "name": "Ann Lee", "role": "customer"}
    assert me.headers["Cache-Control"] == "no-store"

    signed_out = client.delete("/api/v1/tokens/current", headers=bearing(token))
    assert (signed_out.status_code, signed_out.data) == (204, b"")
    problem(client.get("/api/v1/accounts/me", headers=bearing(token)), 401, "unauthenticated")
    problem(client.delete("/api/v1/tokens/current", headers=bearing(token)), 401, "unauthenticated")


def test_the_name_may_be_left_out(client: FlaskClient) -> None:
    assert client.post("/api/v1/accounts", json={"email": EMAIL, "password": PASSWORD}).status_code == 201
    me = client.get("/api/v1/accounts/me", headers=bearing(sign_in(client).json["token"]))  # type: ignore[index]  # JSON or None
    assert me.json == {"email": EMAIL, "name": "", "role": "customer"}


def test_a_taken_address_is_answered_like_a_new_one_and_stays_as_it_is(client: FlaskClient) -> None:
    new = register(client)
    taken = register(client, EMAIL, "another long secret")
    assert (taken.status_code, taken.json) == (new.status_code, new.json) == (201, {"email": EMAIL})
    assert set(taken.headers.keys()) == set(new.headers.keys())
    problem(sign_in(client, EMAIL, "another long secret"), 401, "unauthenticated")
    assert sign_in(client).status_code == 201


def test_a_wrong_password_and_an_unknown_address_are_told_in_the_same_words(client: FlaskClient) -> None:
    register(client)
    wrong, unknown = sign_in(client, EMAIL, WRONG), sign_in(client, "ben@example.org", PASSWORD)
    assert problem(wrong, 401, "unauthenticated") == problem(unknown, 401, "unauthenticated")
    assert wrong.headers["WWW-Authenticate"] == "Bearer"


def test_a_weak_password_is_refused_with_the_reason(client: FlaskClient) -> None:
    for password, reason in (("short", "15 characters"), ("correcthorsebatterystaple", "guessed first")):
        assert reason in problem(register(client, EMAIL, password), 422, "weak-password")["detail"]
    problem(sign_in(client, EMAIL, "short"), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("", b"[]"),
        ("", b"null"),
        ("", b'"ann"'),
        ("email", b"{}"),
        ("password", b'{"email": "ann@example.org"}'),
        ("email", b'{"email": 1, "password": "violet tables dance"}'),
        ("email", b'{"email": null, "password": "violet tables dance"}'),
        ("email", b'{"email": "ann", "password": "violet tables dance"}'),
        ("email", b'{"email": "ann@example.org\\u0000", "password": "violet tables dance"}'),
        ("email", b'{"email": "' + b"a" * 2000 + b'@example.org", "password": "violet tables dance"}'),
        ("password", b'{"email": "ann@example.org", "password": true}'),
        ("password", b'{"email": "ann@example.org", "password": 123456789012345}'),
        ("password", b'{"email": "ann@example.org", "password": ["violet tables dance"]}'),
        ("password", b'{"email": "ann@example.org", "password": "violet tables\\u0000 dance"}'),
        ("password", b'{"email": "ann@example.org", "password": "' + b"ab cd " * 200 + b'"}'),
        ("role", b'{"email": "ann@example.org", "password": "violet tables dance", "role": "admin"}'),
        ("account_id", b'{"email": "ann@example.org", "password": "violet tables dance", "account_id": "x"}'),
        (
            "x",
            b'{"email": "ann@example.org", "password": "violet tables dance", "x": ' + b"[" * 500_000 + b"}",
        ),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "body",
)
@pytest.mark.parametrize("path", ["/api/v1/accounts", "/api/v1/tokens"])
def test_a_field_that_does_not_fit_is_named(client: FlaskClient, path: str, field: str, body: bytes) -> None:
    response = client.post(path, data=body, content_type="application/json")
    assert problem(response, 422, "invalid")["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"email=ann@example.org",
        b'{"email": "ann@example.org"',
        b'{"email": NaN, "password": "violet tables dance"}',
        b'{"email": "\xff\xfe@example.org", "password": "violet tables dance"}',
        b'{"email": "\\ud800@example.org", "password": "violet tables dance"}',
        b'{"email": "ann@example.org", "password": "violet tables \\udfff dance"}',
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/accounts", "/api/v1/tokens"])
def test_what_is_no_json_cannot_be_read(client: FlaskClient, path: str, body: bytes) -> None:
    problem(client.post(path, data=body, content_type="application/json"), 400, "malformed")


@pytest.mark.parametrize("depth", [1_000, 1_000_000])
def test_deep_nesting_is_refused(client: FlaskClient, depth: int) -> None:
    response = client.post("/api/v1/tokens", data=b"[" * depth, content_type="application/json")
    assert response.status_code in {400, 422}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "", "text/xml"])
@pytest.mark.parametrize("path", ["/api/v1/accounts", "/api/v1/tokens"])
def test_a_body_that_is_not_labelled_as_json_is_not_read(client: FlaskClient, path: str, content_type: str) -> None:
    body = b'{"email": "ann@example.org", "password": "violet tables dance"}'
    problem(client.post(path, data=body, content_type=content_type), 415, "unsupported-media-type")


def test_a_body_of_more_than_a_mebibyte_is_refused(client: FlaskClient) -> None:
    body = b'{"email": "' + b"a" * 2**20 + b'"}'
    problem(client.post("/api/v1/accounts", data=body, content_type="application/json"), 413, "too-large")


def test_methods_that_do_not_fit_are_told_which_do(client: FlaskClient) -> None:
    response = client.put("/api/v1/tokens", json={})
    problem(response, 405, "method-not-allowed")
    assert response.headers["Allow"] == "OPTIONS, POST"


def test_a_token_ends(client: FlaskClient, clock: MovableClock) -> None:
    register(client)
    token = sign_in(client).json["token"]  # type: ignore[index]  # JSON or None
    clock.advance(seconds=SIGN_IN_LIFETIME.total_seconds() - 1)
    assert client.get("/api/v1/accounts/me", headers=bearing(token)).status_code == 200
    clock.advance(seconds=1)
    problem(client.get("/api/v1/accounts/me", headers=bearing(token)), 401, "unauthenticated")


def test_one_address_is_told_when_to_try_again(open_shop: OpenShop, clock: MovableClock) -> None:
    client = open_shop(Limits(2, 2, 0))
    clock.advance(seconds=20)
    for attempt, statuses in ((register, [201, 201]), (sign_in, [201, 201])):
        assert [attempt(client).status_code for _ in range(2)] == statuses
        refused = attempt(client)
        problem(refused, 429, "too-many-requests")
        assert refused.headers["Retry-After"] == "40"
        assert attempt(client).status_code == 429
    clock.advance(seconds=40)
    assert sign_in(client).status_code == 201


def test_one_account_is_guessed_at_so_often_and_then_closed_to_right_guesses_too(open_shop: OpenShop) -> None:
    client = open_shop(Limits(0, 0, 2))
    register(client)
    assert [sign_in(client, EMAIL, WRONG).status_code for _ in range(3)] == [401, 401, 429]
    problem(sign_in(client), 429, "too-many-requests")


def test_a_shop_too_busy_to_hash_says_when_to_come_back(store: SqlAccountStore, clock: MovableClock) -> None:
    hasher = PasswordHasher(slots=1, waiting=0)
    client = client_of(Accounts(store, hasher, clock, Limits()))
    with hasher._slot():
        for refused in (register(client), sign_in(client)):
            problem(refused, 503, "unavailable")
            assert refused.headers["Retry-After"] == "1"
    assert register(client).status_code == 201


def test_one_address_registered_twice_at_the_same_moment_makes_one_account(client: FlaskClient) -> None:
    barrier = threading.Barrier(2)

    def attempt(password: str) -> int:
        barrier.wait()
        return register(client.application.test_client(), EMAIL, password).status_code

    passwords = ["violet tables dance", "another long secret"]
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(attempt, passwords)) == [201, 201]
    assert sorted(sign_in(client, EMAIL, password).status_code for password in passwords) == [201, 401]


def test_an_account_with_a_second_factor_is_asked_for_a_code(
    store: SqlAccountStore, hasher: PasswordHasher, clock: MovableClock
) -> None:
    people = People.over(store, hasher, clock, Limits(0, 0, 0))
    client = client_of(people.accounts)
    register(client)
    ann = people.staff_accounts.find(EMAIL)
    people.second_factors.begin(ann)
    setting_up = people.second_factors.setting_up(ann)
    assert setting_up is not None
    totp = pyotp.TOTP(setting_up.secret)
    people.second_factors.confirm(ann, PASSWORD, totp.at(clock()), "127.0.0.1")
    clock.advance(seconds=30)
    credentials = {"email": EMAIL, "password": PASSWORD}
    asked = problem(client.post("/api/v1/tokens", json=credentials), 401, "code-needed")
    assert asked["detail"] == "Send `code` with address and password."
    for wrong in ("", "x", totp.at(clock() - timedelta(seconds=300))):
        told = problem(client.post("/api/v1/tokens", json={**credentials, "code": wrong}), 401, "code-needed")
        assert told["detail"] == "The code is wrong, or was used."
    code = totp.at(clock())
    wrong_password = {"email": EMAIL, "password": WRONG, "code": code}
    problem(client.post("/api/v1/tokens", json=wrong_password), 401, "unauthenticated")
    assert client.post("/api/v1/tokens", json={**credentials, "code": code}).status_code == 201
    problem(client.post("/api/v1/tokens", json={**credentials, "code": code}), 401, "code-needed")
    problem(client.post("/api/v1/tokens", json={**credentials, "code": 123456}), 422, "invalid")


def test_without_a_second_factor_a_code_changes_nothing(client: FlaskClient) -> None:
    register(client)
    for code in (None, "", "123456"):
        asked = {"email": EMAIL, "password": PASSWORD, "code": code}
        assert client.post("/api/v1/tokens", json=asked).status_code == 201
