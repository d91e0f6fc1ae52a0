"""Register, sign in, sign out."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from bazar.contracts.accounts import Credentials, Registration
from bazar.contracts.wire import convert
from bazar.frontend.domain.accounts import Person, Role, SignInKind
from bazar.frontend.domain.passwords import FEWEST_CHARACTERS
from bazar.frontend.domain.second_factor import CodeNeeded, HalfSignInEnded
from bazar.frontend.pages.refusals import REFUSALS, refused
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.accounts import Accounts, SignedIn

HOME = "/"


def add_people_pages(pages: Blueprint, accounts: Accounts, sessions: PageSessions) -> None:
    """``/register``, ``/sign-in``, its second step ``/sign-in/code``, and ``/sign-out``."""
    _add_sign_in_pages(pages, accounts, sessions)

    @pages.get("/register")
    def register_form() -> Response:
        return _form("register.html") if sessions.person() is None else _go(_next_address())

    @pages.post("/register")
    def register() -> Response:
        try:
            asked = convert(_fields("email", "password", "name"), Registration)
            accounts.register(asked.email, asked.password, asked.name, client_address())
        except REFUSALS as error:
            return _refused("register.html", error)
        try:
            signed_in = _signed_in(accounts, asked.email, asked.password)
        except (*REFUSALS, CodeNeeded):
            # Most likely the address had an account before, with another password.
            return _go(f"/sign-in?{urlencode({'registered': 1, 'next': _next_address()})}")
        return _started(sessions, signed_in)

    @pages.post("/sign-out")
    def sign_out() -> Response:
        response = _go(HOME)
        sessions.end(response)
        return response


def _add_sign_in_pages(pages: Blueprint, accounts: Accounts, sessions: PageSessions) -> None:
    @pages.get("/sign-in")
    def sign_in_form() -> Response:
        return _form("sign_in.html") if sessions.person() is None else _go(_next_address())

    @pages.post("/sign-in")
    def sign_in() -> Response:
        try:
            asked = convert(_fields("email", "password"), Credentials)
            signed_in = _signed_in(accounts, asked.email, asked.password)
        except CodeNeeded as error:
            return _form("sign_in_code.html", half_secret=error.half_secret)
        except REFUSALS as error:
            return _refused("sign_in.html", error)
        return _started(sessions, signed_in)

    @pages.post("/sign-in/code")
    def sign_in_with_code() -> Response:
        half_secret = request.form.get("half_secret", "")
        try:
            signed_in = accounts.finish_sign_in(half_secret, request.form.get("code", ""))
        except HalfSignInEnded as error:
            return _refused("sign_in.html", error)
        except REFUSALS as error:
            return _refused("sign_in_code.html", error, half_secret=half_secret)
        return _started(sessions, signed_in)


def own_address(text: str) -> str:
    """``text`` where it is a path of this shop, else the home page: nobody is sent to another site.

    Browsers read ``\\`` as ``/`` and leave out control characters (WHATWG URL, section 4.4), so that ``/\\t/host``
    would be another host. What begins with one ``/`` has neither scheme nor host: nothing is left to be parsed, and
    no parser to choke on ``//[``.
    """
    is_path = text.startswith("/") and not text.startswith("//") and text.isprintable() and "\\" not in text
    return text if is_path else HOME


def _signed_in(accounts: Accounts, email: str, password: str) -> SignedIn:
    return accounts.sign_in(email, password, SignInKind.SESSION, client_address())


def _started(sessions: PageSessions, signed_in: SignedIn) -> Response:
    response = _go(_first_address(signed_in.person))
    sessions.start(response, signed_in)
    return response


def _refused(template: str, error: Exception, **values: Any) -> Response:
    return refused(template, error, **_values(), **values)


def _form(template: str, **values: Any) -> Response:
    return make_response(render_template(template, **_values(), **values))


def _values() -> dict[str, Any]:
    return {
        "next": _next_address(),
        "email": request.form.get("email", ""),
        "name": request.form.get("name", ""),
        "registered": "registered" in request.args,
        "renewed": "renewed" in request.args,
        "fewest_characters": FEWEST_CHARACTERS,
    }


def _fields(*names: str) -> dict[str, str]:
    return {name: request.form.get(name, "") for name in names}


def _next_address() -> str:
    return own_address(request.form.get("next") or request.args.get("next") or HOME)


def _first_address(person: Person) -> str:
    """Where the person was going; who went nowhere in particular and works here, to what there is to do today."""
    asked = _next_address()
    return url_for("pages.staff") if asked == HOME and person.role.includes(Role.STAFF) else asked


def client_address() -> str:
    """The IP address of who asks; behind a trusted proxy the person's."""
    return request.remote_addr or ""


def _go(address: str) -> Response:
    return make_response(redirect(address, 303))
