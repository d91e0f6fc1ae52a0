"""Buy a book at once, on its page. The form carries all that makes a repetition the same purchase."""

from typing import Annotated

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from msgspec import Meta

from bazar.contracts.books import MOST_COPIES_A_LINE, Money, PriceMinor
from bazar.contracts.purchasing import Line, PlaceOrder
from bazar.contracts.text import IDEMPOTENCY_KEY, Currency
from bazar.contracts.wire import Invalid, PublicRequest, convert
from bazar.frontend.domain.errors import KeyReused, NeighbourAway, NotBought
from bazar.frontend.domain.money import times
from bazar.frontend.pages import positions
from bazar.frontend.pages.books import BookPages
from bazar.frontend.pages.errors import sign_in_and_come_back
from bazar.frontend.pages.notices import INVALID, Notice, SameAgain, answer_with, notice_of
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.ports import Orders


class BuyForm(PublicRequest, frozen=True):
    """What the form sends: ``key`` makes it one purchase however often it is sent, ``price`` is what was shown."""

    key: Annotated[str, Meta(pattern=IDEMPOTENCY_KEY)]
    quantity: Annotated[int, Meta(ge=1, le=MOST_COPIES_A_LINE)]
    price: PriceMinor
    currency: Currency

    @property
    def expected_total(self) -> Money:
        """What the reader agreed to pay."""
        return times(Money(amount=self.price, currency=self.currency), self.quantity)


def add_buying_pages(pages: Blueprint, books: BookPages, orders: Orders, sessions: PageSessions) -> None:
    """The form on the page of a book."""

    @pages.get("/books/<item_number:item_number>/buy")
    def back_to_book(item_number: int) -> Response:
        # Whoever reloads the address of the form, after signing in say.
        return make_response(redirect(url_for("pages.book", item_number=item_number), 303))

    @pages.post("/books/<item_number:item_number>/buy")
    def buy(item_number: int) -> Response:
        person = sessions.person()
        if person is None:
            return sign_in_and_come_back(url_for("pages.book", item_number=item_number))
        sent = {name: request.form.get(name, "") for name in BuyForm.__struct_fields__}
        try:
            form = convert(sent, BuyForm)
        except Invalid:
            return say(item_number, INVALID)
        purchase = PlaceOrder(
            account_id=person.account_id,
            idempotency_key=form.key,
            lines=(Line(item_number=item_number, quantity=form.quantity),),
            expected_total=form.expected_total,
        )
        try:
            seen = orders.place(purchase, g.deadline)
        except (NotBought, KeyReused, NeighbourAway) as error:
            again = SameAgain(url_for("pages.buy", item_number=item_number), sent)
            return say(item_number, notice_of(error, again))
        positions.note(seen.position)
        return make_response(redirect(url_for("pages.order", order_id=seen.answer.order_id, bought=1), 303))

    def say(item_number: int, notice: Notice) -> Response:
        """The book's page with the notice; where the catalog is away, the notice alone."""
        try:
            page = books.page(item_number, notice)
        except NeighbourAway:
            back = url_for("pages.book", item_number=item_number)
            page = render_template("purchase.html", notice=notice, back=back, titles={})
        return answer_with(page, notice)
