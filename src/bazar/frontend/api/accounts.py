"""Register, sign in, sign out, and who am I."""

from flask import Blueprint, Response, request

from bazar.chassis.web import RETRY_AFTER_SECONDS, ProblemTable, body_bytes, json_response
from bazar.contracts import problems
from bazar.contracts.accounts import Credentials, Me, Registered, Registration, Token
from bazar.contracts.problems import Problem, invalid
from bazar.contracts.times import rfc3339
from bazar.contracts.wire import parse
from bazar.frontend.api.authentication import API_PREFIX, Access, AccessTable, bearer_secret, signed_in
from bazar.frontend.domain.account_care import LastAdmin, LinkEnded, NotForOneself, UnknownAccount
from bazar.frontend.domain.accounts import (
    AccountExists,
    InvalidField,
    SignInKind,
    TooBusy,
    TooManyTries,
    WrongCredentials,
)
from bazar.frontend.domain.errors import NotSignedIn
from bazar.frontend.domain.passwords import WeakPassword
from bazar.frontend.domain.second_factor import CodeNeeded, HalfSignInEnded, WrongCode
from bazar.frontend.use_cases.accounts import Accounts

ACCESS: AccessTable = {
    "accounts.register": Access.ALL,
    "accounts.sign_in": Access.ALL,
    "accounts.sign_out": Access.SIGNED_IN,
    "accounts.me": Access.SIGNED_IN,
}


def routes(accounts: Accounts) -> Blueprint:
    """The routes, for ``app.register_blueprint``.

    Limits count by ``remote_addr``: behind a trusted proxy, what stands before Flask sets it to the person's.
    """
    api = Blueprint("accounts", __name__, url_prefix=API_PREFIX)

    @api.post("/accounts")
    def register() -> Response:
        asked = parse(body_bytes(), Registration)
        email = accounts.register(asked.email, asked.password, asked.name, request.remote_addr or "")
        return json_response(Registered(email=email.text), status=201, Cache_Control="no-store")

    @api.post("/tokens")
    def sign_in() -> Response:
        asked = parse(body_bytes(), Credentials)
        new = accounts.sign_in(asked.email, asked.password, SignInKind.TOKEN, request.remote_addr or "", asked.code)
        token = Token(token=new.secret, expires_at=rfc3339(new.expires_at))
        return json_response(token, status=201, Cache_Control="no-store")

    @api.delete("/tokens/current")
    def sign_out() -> Response:
        secret = bearer_secret()
        if secret is None:
            raise NotSignedIn
        accounts.sign_out(secret, SignInKind.TOKEN)
        return Response(status=204)

    @api.get("/accounts/me")
    def me() -> Response:
        person = signed_in()
        answer = Me(email=person.email, name=person.name, role=person.role.value)
        return json_response(answer, Cache_Control="no-store")

    return api


def _of_weak_password(error: WeakPassword) -> Problem:
    return problems.WEAK_PASSWORD.because(error.reason.value)


def _of_wrong_credentials(_error: WrongCredentials) -> Problem:
    return problems.UNAUTHENTICATED.because("No account has this address with this password.")


def _of_too_many_tries(error: TooManyTries) -> Problem:
    seconds = error.retry_after_seconds
    return problems.TOO_MANY_REQUESTS.because(f"Please try again in {seconds} s.", seconds)


def _of_too_busy(_error: TooBusy) -> Problem:
    return problems.UNAVAILABLE.because("Too many people are signing in at this moment.", RETRY_AFTER_SECONDS)


PROBLEMS: ProblemTable = {
    InvalidField: lambda error: invalid(error.field, error.detail),
    WeakPassword: _of_weak_password,
    WrongCredentials: _of_wrong_credentials,
    TooManyTries: _of_too_many_tries,
    TooBusy: _of_too_busy,
    AccountExists: lambda error: invalid("email", f"{error.email} has an account already."),
    CodeNeeded: lambda _: problems.CODE_NEEDED.because("Send `code` with address and password."),
    WrongCode: lambda _: problems.CODE_NEEDED.because("The code is wrong, or was used."),
    HalfSignInEnded: lambda _: problems.UNAUTHENTICATED.because("Begin again with address and password."),
    LastAdmin: lambda _: problems.LAST_ADMIN.because("The shop would be left without an admin."),
    NotForOneself: lambda _: problems.FORBIDDEN.because("Another admin does this, or whoever runs the shop."),
    LinkEnded: lambda _: problems.NOT_FOUND.because("The link was used, or is too old."),
    UnknownAccount: lambda _: problems.NOT_FOUND.because("There is no such account."),
}
