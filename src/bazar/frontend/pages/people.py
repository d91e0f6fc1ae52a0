"""Register, sign in, sign out."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request

from bazar.chassis.web import RETRY_AFTER_SECONDS
from bazar.contracts import problems
from bazar.contracts.accounts import Credentials, Registration
from bazar.contracts.wire import Invalid, convert
from bazar.frontend.domain.accounts import InvalidField, SignInKind, TooBusy, TooManyTries, WrongCredentials
from bazar.frontend.domain.passwords import FEWEST_CHARACTERS, WeakPassword
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.accounts import Accounts, SignedIn

HOME = "/"

#: What keeps somebody from registering or signing in, other than a mistake in our code.
REFUSALS = (Invalid, InvalidField, WeakPassword, WrongCredentials, TooManyTries, TooBusy)


def add_people_pages(pages: Blueprint, accounts: Accounts, sessions: PageSessions) -> None:
    """``/register``, ``/sign-in`` and ``/sign-out``."""

    @pages.get("/register")
    def register_form() -> Response:
        return _form("register.html") if sessions.person() is None else _go(_next_address())

    @pages.post("/register")
    def register() -> Response:
        try:
            asked = convert(_fields("email", "password", "name"), Registration)
            accounts.register(asked.email, asked.password, asked.name, _client_address())
        except REFUSALS as error:
            return _refused("register.html", error)
        try:
            signed_in = _signed_in(accounts, asked.email, asked.password)
        except REFUSALS:
            # Most likely the address had an account before, with another password.
            return _go(f"/sign-in?{urlencode({'registered': 1, 'next': _next_address()})}")
        return _started(sessions, signed_in)

    @pages.get("/sign-in")
    def sign_in_form() -> Response:
        return _form("sign_in.html") if sessions.person() is None else _go(_next_address())

    @pages.post("/sign-in")
    def sign_in() -> Response:
        try:
            asked = convert(_fields("email", "password"), Credentials)
            signed_in = _signed_in(accounts, asked.email, asked.password)
        except REFUSALS as error:
            return _refused("sign_in.html", error)
        return _started(sessions, signed_in)

    @pages.post("/sign-out")
    def sign_out() -> Response:
        response = _go(HOME)
        sessions.end(response)
        return response


def own_address(text: str) -> str:
    """``text`` where it is a path of this shop, else the home page: nobody is sent to another site.

    Browsers read ``\\`` as ``/`` and leave out control characters (WHATWG URL, section 4.4), so that ``/\\t/host``
    would be another host.
    """
    other = urlsplit(text) if text.isprintable() and "\\" not in text and text.startswith("/") else None
    return text if other and not other.scheme and not other.netloc and not text.startswith("//") else HOME


def _signed_in(accounts: Accounts, email: str, password: str) -> SignedIn:
    return accounts.sign_in(email, password, SignInKind.SESSION, _client_address())


def _started(sessions: PageSessions, signed_in: SignedIn) -> Response:
    response = _go(_next_address())
    sessions.start(response, signed_in)
    return response


def _refused(template: str, error: Exception) -> Response:
    status, retry_after_seconds = problems.INVALID.status, None
    if isinstance(error, TooManyTries):
        status, retry_after_seconds = problems.TOO_MANY_REQUESTS.status, error.retry_after_seconds
    elif isinstance(error, TooBusy):
        status, retry_after_seconds = problems.UNAVAILABLE.status, RETRY_AFTER_SECONDS
    # A weak password says why; a field of the contract says which and why, as the domain's own does.
    field = "password" if isinstance(error, WeakPassword) else getattr(error, "field", "")
    reason = error.reason.value if isinstance(error, WeakPassword) else getattr(error, "detail", "")
    response = _form(template, refusal=type(error).__name__, field=field, reason=reason)
    response.status_code = status
    if retry_after_seconds is not None:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response


def _form(template: str, **values: Any) -> Response:
    page = render_template(
        template,
        next=_next_address(),
        email=request.form.get("email", ""),
        name=request.form.get("name", ""),
        registered="registered" in request.args,
        fewest_characters=FEWEST_CHARACTERS,
        **values,
    )
    return make_response(page)


def _fields(*names: str) -> dict[str, str]:
    return {name: request.form.get(name, "") for name in names}


def _next_address() -> str:
    return own_address(request.form.get("next") or request.args.get("next") or HOME)


def _client_address() -> str:
    return request.remote_addr or ""


def _go(address: str) -> Response:
    return make_response(redirect(address, 303))
