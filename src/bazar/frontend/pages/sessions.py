"""Who looks at a page, by cookie, and which forms are ours.

A form is believed where its token was derived from the secret that the browser holds in a cookie that no
other site can read or set (``__Host-``, RFC 6265bis section 4.1.3.2), and where the browser does not say that
another site sent it (Fetch Metadata).
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, g, request

from bazar.chassis.bodies import whole_body
from bazar.chassis.web import ProblemTable
from bazar.contracts import problems
from bazar.frontend.domain.accounts import SIGN_IN_LIFETIME, Person, Role, SignInKind
from bazar.frontend.domain.errors import NotAllowed, NotSignedIn, ShopError
from bazar.frontend.domain.shared_pages import ENVIRON_KEY, Place, SharedPage
from bazar.frontend.use_cases.accounts import Accounts, SignedIn

SESSION_COOKIE = "__Host-bazar"
#: A random value for whoever is not signed in, so that the forms to sign in and register are guarded too.
GUEST_COOKIE = "__Host-bazar-guest"
FORM_TOKEN_FIELD = "form_token"  # noqa: S105 - the name of a field, no secret
GUEST_SECRET_BYTES = 32

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: "none": typed or bookmarked by the person. A browser that sends no such header is held by the token alone.
_OWN_SITE = frozenset({None, "same-origin", "none"})


@dataclass(eq=False)
class ForgedForm(ShopError):
    """The form was not made for this browser, or not lately."""


PROBLEMS: ProblemTable = {
    ForgedForm: lambda _error: problems.FORBIDDEN.because(
        "This form was not made for you just now. Load the page again and send it once more."
    ),
}


class PageSessions:
    """Sessions of the pages: one object, given to whoever mounts them."""

    def __init__(self, accounts: Accounts, at_sign_in: Callable[[Response, Person], None]) -> None:
        """``at_sign_in`` is called with the answer to whoever has just signed in."""
        self._accounts = accounts
        self._at_sign_in = at_sign_in

    def guard(self, pages: Blueprint) -> None:
        """Refuse forged forms on all of ``pages`` (ForgedForm), keep the cookies, tell the templates.

        Every template knows ``person`` (a Person or None) and ``form_token()``. A page for an error outside
        of ``pages``, an unknown address say, calls ``person()`` itself before it renders.
        """
        pages.before_request(self._refuse_forged_form)
        pages.before_request(self._look_up_person)
        pages.after_app_request(self._finish)
        pages.app_context_processor(self._for_templates)
        # No value of the context: the templates that others import macros of are then made once, not for each page.
        pages.add_app_template_global(self.form_token, "form_token")

    def person(self) -> Person | None:
        """Who looks at the page, or None; one look-up a request, none without a cookie."""
        if "page_person" not in g:
            shared = shared_page()
            g.page_person = self._signed_in_here() if shared is None else shared.person
        person: Person | None = g.page_person
        return person

    def signed_in(self) -> Person:
        """Who looks at the page; raises NotSignedIn."""
        person = self.person()
        if person is None:
            raise NotSignedIn
        return person

    def require(self, role: Role) -> Person:
        """Who looks at the page, if their role includes ``role``; raises NotSignedIn, NotAllowed."""
        person = self.signed_in()
        if not person.role.includes(role):
            raise NotAllowed(role.value)
        return person

    def start(self, response: Response, signed_in: SignedIn) -> None:
        """Sign the browser in, by a new secret; what it was signed in as before ends."""
        self._end_current()
        set_own_cookie(response, SESSION_COOKIE, signed_in.secret, int(SIGN_IN_LIFETIME.total_seconds()))
        delete_own_cookie(response, GUEST_COOKIE)
        g.page_person, g.new_session = signed_in.person, signed_in.secret
        self._at_sign_in(response, signed_in.person)

    def end(self, response: Response) -> None:
        """Sign the browser out."""
        self._end_current()
        delete_own_cookie(response, SESSION_COOKIE)
        g.page_person = None

    def form_token(self) -> str:
        """The token that each form carries in a hidden field called ``form_token``."""
        shared = shared_page()
        if shared is not None:
            return shared.marks.of(Place.FORM_TOKEN)
        secret = _browser_secret()
        if secret is None:
            secret = g.guest_secret = secrets.token_urlsafe(GUEST_SECRET_BYTES)
        g.page_has_form = True
        return token_for(secret)

    def _signed_in_here(self) -> Person | None:
        secret = request.cookies.get(SESSION_COOKIE)
        return self._accounts.who_is(secret, SignInKind.SESSION) if secret else None

    def _refuse_forged_form(self) -> None:
        if request.method in _SAFE_METHODS:
            return
        if request.headers.get("Sec-Fetch-Site") not in _OWN_SITE:
            raise ForgedForm
        whole_body()  # else half a form would be taken for all of it
        secret = _browser_secret()
        sent = request.form.get(FORM_TOKEN_FIELD, "")
        if secret is None or not hmac.compare_digest(sent.encode(), token_for(secret).encode()):
            raise ForgedForm

    def _look_up_person(self) -> None:
        if not str(request.endpoint).endswith(".static"):
            self.person()

    def _finish(self, response: Response) -> Response:
        guest_secret = g.get("guest_secret")
        if guest_secret is not None:
            set_own_cookie(response, GUEST_COOKIE, guest_secret, None)
        # What is made for one person must not be shown to the next, nor by "back" after signing out.
        if g.get("page_has_form") or (g.get("page_person") is not None and shared_page() is None):
            response.headers["Cache-Control"] = "no-store"
        return response

    def _for_templates(self) -> dict[str, Person | None]:
        # Only what is known already: a page that tells of a database that is away must not ask it.
        return {"person": g.get("page_person")}

    def _end_current(self) -> None:
        secret = request.cookies.get(SESSION_COOKIE)
        if secret:
            self._accounts.sign_out(secret, SignInKind.SESSION)


def set_own_cookie(response: Response, name: str, value: str, max_age_seconds: int | None) -> None:
    """A ``__Host-`` cookie; without an age it ends with the browser's session."""
    response.set_cookie(name, value, max_age=max_age_seconds, path="/", secure=True, httponly=True, samesite="Lax")


def delete_own_cookie(response: Response, name: str) -> None:
    """Let the browser forget it."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")


def _browser_secret() -> str | None:
    known = g.get("new_session") or request.cookies.get(SESSION_COOKIE) or request.cookies.get(GUEST_COOKIE)
    return known or g.get("guest_secret")


def shared_page() -> SharedPage | None:
    """Set where the page at hand is made for all visitors of a kind."""
    found: SharedPage | None = request.environ.get(ENVIRON_KEY)
    return found


def token_for(secret: str) -> str:
    """The token of forms that are shown to the browser with this secret."""
    return hmac.new(secret.encode("utf-8", "surrogatepass"), b"bazar form", hashlib.sha256).hexdigest()
