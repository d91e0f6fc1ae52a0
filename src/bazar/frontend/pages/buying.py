"""One book, and buying it. The form carries all that makes a repetition the same purchase."""

import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from msgspec import Meta

from bazar.chassis.web import RETRY_AFTER_SECONDS
from bazar.contracts import problems
from bazar.contracts.books import MOST_COPIES_A_LINE, Book, Money, PriceMinor
from bazar.contracts.purchasing import Line, PlaceOrder
from bazar.contracts.text import IDEMPOTENCY_KEY, Currency
from bazar.contracts.wire import Invalid, PublicRequest, convert
from bazar.frontend.domain.errors import KeyReused, NeighbourAway, NotBought
from bazar.frontend.domain.money import times
from bazar.frontend.pages import positions
from bazar.frontend.pages.errors import sign_in_and_come_back
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.ports import Catalog, Orders

KEY_BYTES = 18


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


@dataclass(frozen=True)
class Notice:
    """What is said of a purchase that gave no order; the template has the words.

    ``why`` beyond those of NotBought: ``invalid`` (the form), ``key-reused``, ``unknown`` (no answer in time: then
    ``again`` is the form to be sent once more, as it was).
    """

    why: Literal["out-of-stock", "price-changed", "order-cancelled", "invalid", "key-reused", "unknown"]
    status: int
    requested: int = 1
    available: int = 0
    again: BuyForm | None = None


def add_buying_pages(pages: Blueprint, catalog: Catalog, orders: Orders, sessions: PageSessions) -> None:
    """``/books/<item_number>``, and the form on it."""

    @pages.get("/books/<item_number:item_number>")
    def book(item_number: int) -> str:
        return _book_page(_seen(catalog, item_number), None)

    @pages.get("/books/<item_number:item_number>/buy")
    def back_to_book(item_number: int) -> Response:
        # Whoever reloads the address of the form, after signing in say.
        return make_response(redirect(url_for("pages.book", item_number=item_number), 303))

    @pages.post("/books/<item_number:item_number>/buy")
    def buy(item_number: int) -> Response:
        person = sessions.person()
        if person is None:
            return sign_in_and_come_back(url_for("pages.book", item_number=item_number))
        try:
            form = convert(_fields(), BuyForm)
        except Invalid:
            return _say(catalog, item_number, Notice("invalid", problems.INVALID.status))
        purchase = PlaceOrder(
            account_id=person.account_id,
            idempotency_key=form.key,
            lines=(Line(item_number=item_number, quantity=form.quantity),),
            expected_total=form.expected_total,
        )
        try:
            seen = orders.place(purchase, g.deadline)
        except (NotBought, KeyReused, NeighbourAway) as error:
            return _say(catalog, item_number, _notice(error, form))
        positions.note(seen.position)
        return make_response(redirect(url_for("pages.order", order_id=seen.answer.order_id, bought=1), 303))


def _notice(error: NotBought | KeyReused | NeighbourAway, form: BuyForm) -> Notice:
    if isinstance(error, NeighbourAway):
        return Notice("unknown", problems.UNAVAILABLE.status, again=form)
    if isinstance(error, KeyReused):
        return Notice("key-reused", problems.KEY_REUSED.status)
    available = int(error.lines[0]["available"]) if error.lines else 0
    return Notice(error.why, problems.OUT_OF_STOCK.status, requested=form.quantity, available=available)


def _say(catalog: Catalog, item_number: int, notice: Notice) -> Response:
    """The book's page with the notice; where the catalog is away, the notice alone."""
    try:
        page = _book_page(_seen(catalog, item_number), notice)
    except NeighbourAway:
        page = render_template("purchase.html", item_number=item_number, notice=notice)
    response = make_response(page, notice.status)
    response.headers["Cache-Control"] = "no-store"
    if notice.status == problems.UNAVAILABLE.status:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _seen(catalog: Catalog, item_number: int) -> Book:
    seen = catalog.book(item_number, g.deadline)
    positions.note(seen.position)
    return seen.answer


def _book_page(book: Book, notice: Notice | None) -> str:
    return render_template(
        "book.html",
        book=book,
        notice=notice,
        key=secrets.token_urlsafe(KEY_BYTES),
        most_copies=min(book.quantity, MOST_COPIES_A_LINE),
    )


def _fields() -> dict[str, Any]:
    return {name: request.form.get(name, "") for name in BuyForm.__struct_fields__}
