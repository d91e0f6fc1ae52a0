"""Who looks at a page, told before the application by the cookies that came: for pages that many share (ADR 0020)."""

from wsgiref.types import WSGIEnvironment

from werkzeug.http import parse_cookie

from bazar.chassis.database import StorageUnavailable
from bazar.chassis.lanes import Lane
from bazar.frontend.domain.accounts import Role
from bazar.frontend.domain.locales import chosen_locale
from bazar.frontend.domain.shared_pages import Kind, Place, Visitor
from bazar.frontend.pages.basket_cookie import BASKET_COOKIE, basket_badge
from bazar.frontend.pages.sessions import GUEST_COOKIE, SESSION_COOKIE, token_for
from bazar.frontend.use_cases.baskets import new_purchase_key
from bazar.frontend.use_cases.visits import Visits

#: Look-ups at a time; whoever finds no place is left to the application, which has lanes of its own.
MOST_AT_ONCE = 12


class Visitors:
    """Asks the front-end's own database, and only where a cookie says that there may be something to find."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits
        self._lane = Lane("visitors", MOST_AT_ONCE)

    def of(self, environ: WSGIEnvironment) -> Visitor | None:
        """Who sent the request; None where the application should see for itself."""
        cookies = parse_cookie(environ)
        session, basket = cookies.get(SESSION_COOKIE), cookies.get(BASKET_COOKIE)
        if not session and not basket:
            return Visitor(Kind.ANYBODY)
        secret = session or cookies.get(GUEST_COOKIE)
        # Without: a basket of an earlier day, whose browser needs a new secret for its forms.
        if secret is None or not self._lane.enter():
            return None
        try:
            visit = self._visits.of(session, basket)
        except StorageUnavailable:
            return None
        finally:
            self._lane.leave()
        if visit is None:
            return Visitor(Kind.ANYBODY)
        in_locale = chosen_locale(environ.get("HTTP_ACCEPT_LANGUAGE"))
        values = {
            Place.COPIES: basket_badge(visit.copies, in_locale),
            Place.FORM_TOKEN: token_for(secret),
            Place.PURCHASE_KEY: new_purchase_key(),
        }
        if visit.person is None:
            return Visitor(Kind.GUEST, values)
        kind = Kind.STAFF if visit.person.role.includes(Role.STAFF) else Kind.CUSTOMER
        return Visitor(kind, {**values, Place.CALLED: visit.person.called})
