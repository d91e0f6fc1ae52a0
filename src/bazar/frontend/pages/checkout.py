"""Buy what is in the basket: one form, one key, one order, however often it is sent."""

from typing import Annotated

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from msgspec import Meta

from bazar.chassis.database import StorageUnavailable
from bazar.chassis.logging import get_logger
from bazar.contracts.purchasing import MOST_LINES, ExpectedTotal, Line, LineRequest, PlaceOrder, canonical_lines
from bazar.contracts.text import IDEMPOTENCY_KEY
from bazar.contracts.wire import Invalid, PublicRequest, convert
from bazar.frontend.domain.accounts import Person
from bazar.frontend.domain.errors import KeyReused, NeighbourAway, NotBought, UnknownBook
from bazar.frontend.pages import positions
from bazar.frontend.pages.basket import SHOWN_FIELD, BasketPages, CopiesOf, sent_lines
from bazar.frontend.pages.errors import sign_in_and_come_back
from bazar.frontend.pages.notices import INVALID, OTHER_NUMBERS, Notice, SameAgain, answer_with, notice_of
from bazar.frontend.pages.sessions import FORM_TOKEN_FIELD, PageSessions
from bazar.frontend.use_cases.baskets import Baskets, Owner
from bazar.frontend.use_cases.ports import Orders

_log = get_logger(__name__)


class CheckoutForm(PublicRequest, frozen=True):
    """Books and copies as typed and as they were shown, what the latter cost together, and the key of this purchase."""

    key: Annotated[str, Meta(pattern=IDEMPOTENCY_KEY)]
    lines: Annotated[tuple[CopiesOf, ...], Meta(min_length=1, max_length=MOST_LINES)]
    shown: Annotated[tuple[LineRequest, ...], Meta(max_length=MOST_LINES)]
    expected_total: ExpectedTotal

    @property
    def is_as_shown(self) -> bool:
        """Whether the sum that the reader saw is that of what is typed."""
        typed = [(line.item_number, line.quantity) for line in self.lines]
        return typed == [(line.item_number, line.quantity) for line in self.shown]

    def quantities(self) -> dict[int, int]:
        """Copies by item number."""
        return {line.item_number: line.quantity for line in self.lines}


class Checkout:
    """Sells a basket."""

    def __init__(self, baskets: Baskets, basket_pages: BasketPages, orders: Orders, sessions: PageSessions) -> None:
        self._baskets = baskets
        self._basket_pages = basket_pages
        self._orders = orders
        self._sessions = sessions

    def mount(self, pages: Blueprint) -> None:
        """The form that buys."""

        @pages.get("/basket/buy")
        def back_to_basket() -> Response:
            # Whoever reloads the address of the form, after signing in say.
            return make_response(redirect(url_for("pages.basket"), 303))

        @pages.post("/basket/buy")
        def buy_basket() -> Response:
            person = self._sessions.person()
            if person is None:
                return self._basket_pages.keep(sent_lines(), lambda: sign_in_and_come_back(url_for("pages.basket")))
            try:
                form = _sent()
            except Invalid:
                return answer_with(self._basket_pages.page(INVALID), INVALID)
            return self._buy(person, form) if form.is_as_shown else self._show_sum(sent_lines())

    def _show_sum(self, lines: list[dict[str, str]]) -> Response:
        """Nobody buys for a sum that was not shown."""
        pages = self._basket_pages
        return pages.keep(lines, lambda: answer_with(pages.page(OTHER_NUMBERS), OTHER_NUMBERS))

    def _buy(self, person: Person, form: CheckoutForm) -> Response:
        owner = Owner.account(person.account_id)
        try:
            seen = self._orders.place(_purchase(person, form), g.deadline)
        except NeighbourAway as error:
            return _unknown(notice_of(error, _same_again()))
        except (NotBought, KeyReused, UnknownBook) as error:
            notice = notice_of(error, _same_again())
            if not isinstance(error, UnknownBook):  # nothing was decided: the key is as good as new
                self._baskets.refused(owner, form.key)
            return answer_with(self._basket_pages.page(notice), notice)
        positions.note(seen.position)
        try:
            self._baskets.bought(owner, form.quantities(), form.key)
        except StorageUnavailable as error:
            # The order stands, and the basket keeps its key: buying it once more would answer with the same order.
            _log.warning("basket_not_emptied", order_id=seen.answer.order_id, detail=str(error))
        return make_response(redirect(url_for("pages.order", order_id=seen.answer.order_id, bought=1), 303))


def _purchase(person: Person, form: CheckoutForm) -> PlaceOrder:
    return PlaceOrder(
        account_id=person.account_id,
        idempotency_key=form.key,
        lines=canonical_lines(Line(item_number=line.item_number, quantity=line.quantity) for line in form.lines),
        expected_total=form.expected_total,
    )


def _sent() -> CheckoutForm:
    total = {name: request.form.get(name, "") for name in ("amount", "currency")}
    sent = {"key": request.form.get("key", ""), "lines": sent_lines(), "shown": sent_lines(SHOWN_FIELD)}
    return convert({**sent, "expected_total": total}, CheckoutForm)


def _same_again() -> SameAgain:
    fields = {name: value for name, value in request.form.items() if name != FORM_TOKEN_FIELD}
    return SameAgain(url_for("pages.buy_basket"), fields)


def _unknown(notice: Notice) -> Response:
    # Not on the page of the basket: what could be changed there would make another purchase of it.
    return answer_with(render_template("purchase.html", notice=notice, back=url_for("pages.basket"), titles={}), notice)
