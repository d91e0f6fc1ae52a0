"""Whose basket a page shows: the account's, or that of a guest who is known by a cookie."""

from collections.abc import Sequence

from flask import Blueprint, Response, g, request

from bazar.chassis.database import StorageUnavailable
from bazar.frontend.domain.accounts import Person
from bazar.frontend.domain.basket import Basket, BasketLine
from bazar.frontend.domain.shared_pages import Place
from bazar.frontend.pages.people import client_address
from bazar.frontend.pages.sessions import delete_own_cookie, set_own_cookie, shared_page
from bazar.frontend.pages.wording import locale, number_text
from bazar.frontend.use_cases.baskets import GUEST_LIFETIME, Baskets, Owner, new_guest_secret, new_purchase_key

BASKET_COOKIE = "__Host-bazar-basket"


class PageBaskets:
    """Baskets of the pages: one object, given to whoever mounts them."""

    def __init__(self, baskets: Baskets) -> None:
        self._baskets = baskets

    def show(self, pages: Blueprint) -> None:
        """Tell all templates ``basket_copies()`` and ``is_anonymous()``, and keep the cookie.

        A page for an anonymous visitor depends on no cookie: a cache may show the same to all of them. So it has no
        form that changes anything, since that would need a token.
        """
        pages.add_app_template_global(self._copies, "basket_copies")
        pages.add_app_template_global(self.is_anonymous, "is_anonymous")
        pages.after_app_request(self._finish)

    def is_anonymous(self) -> bool:
        """Nobody is signed in, and no basket was begun."""
        return shared_page() is None and self._owner() is None

    def current(self) -> Basket:
        """The basket of whoever looks at the page, perhaps an empty one."""
        owner = self._owner()
        basket = (self._baskets.of(owner) if owner else None) or Basket(new_purchase_key())
        g.page_basket = basket
        return basket

    def put(self, line: BasketLine) -> Basket:
        """These copies more; a guest gets a cookie with the first. Raises BasketFull, TooManyTries."""
        owner = self._owner()
        if owner is not None:
            return self._baskets.put(owner, line, client_address())
        secret = new_guest_secret()
        basket = self._baskets.put(Owner.guest(secret), line, client_address())
        g.basket_secret = secret
        return basket

    def put_at_least(self, person: Person, lines: Sequence[BasketLine]) -> None:
        """So many copies of each at the least, in the basket of who is signed in. Raises BasketFull."""
        self._baskets.put_at_least(Owner.account(person.account_id), lines)

    def set(self, quantities: dict[int, int]) -> None:
        """As many copies as told, of what is in the basket."""
        owner = self._owner()
        if owner is not None:
            self._baskets.set(owner, quantities)

    def join(self, response: Response, person: Person) -> None:
        """What somebody put in as a guest is in the account's basket after signing in."""
        secret = request.cookies.get(BASKET_COOKIE)
        if secret:
            self._baskets.join(Owner.guest(secret), Owner.account(person.account_id))
            delete_own_cookie(response, BASKET_COOKIE)

    def _owner(self) -> Owner | None:
        person: Person | None = g.get("page_person")
        if person is not None:
            return Owner.account(person.account_id)
        secret = g.get("basket_secret") or request.cookies.get(BASKET_COOKIE)
        return Owner.guest(secret) if secret else None

    def _copies(self) -> str:
        """For the head of every page, those that tell of an error too: nothing where it cannot be told."""
        shared = shared_page()
        if shared is not None:
            return shared.marks.of(Place.COPIES)
        if self.is_anonymous() or g.get("page_tells_of_failure"):
            return ""
        g.page_shows_basket = True
        try:
            shown: Basket = g.get("page_basket") or self.current()  # the number beside a basket is that of the basket
            return basket_badge(shown.copies, locale())
        except StorageUnavailable:
            return ""

    def _finish(self, response: Response) -> Response:
        secret = g.get("basket_secret")
        if secret is not None:
            set_own_cookie(response, BASKET_COOKIE, secret, int(GUEST_LIFETIME.total_seconds()))
        if g.get("page_shows_basket"):
            response.headers["Cache-Control"] = "no-store"
        return response


def basket_badge(copies: int, in_locale: str) -> str:
    """What stands beside the word *Basket*; nothing for an empty one."""
    return number_text(copies, in_locale) if copies else ""
