"""The basket: put books in, change it, see what has changed of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from msgspec import Meta

from bazar.chassis.web import json_response
from bazar.contracts.books import MOST_COPIES_A_LINE, ItemNumber, NumbersQuery
from bazar.contracts.purchasing import MOST_LINES
from bazar.contracts.wire import Invalid, PublicRequest, convert
from bazar.frontend.domain.accounts import Person
from bazar.frontend.domain.basket import Basket, BasketFull, BasketLine, CheckedBasket, checked
from bazar.frontend.domain.errors import NeighbourAway
from bazar.frontend.pages import positions
from bazar.frontend.pages.basket_cookie import PageBaskets
from bazar.frontend.pages.books import BookPages
from bazar.frontend.pages.notices import FULL, INVALID, Notice, answer_with
from bazar.frontend.use_cases.ports import Catalog

#: The field of this name and a book's number holds its copies, and the one after it those that the sum was shown for.
COPIES_FIELD = "copies-"
SHOWN_FIELD = "shown-"
JSON = "application/json"


class PutForm(PublicRequest, frozen=True):
    """So many copies to be put in."""

    quantity: Annotated[int, Meta(ge=1, le=MOST_COPIES_A_LINE)]


class CopiesOf(PublicRequest, frozen=True):
    """So many copies of a book in the basket; 0 takes it out."""

    item_number: ItemNumber
    quantity: Annotated[int, Meta(ge=0, le=MOST_COPIES_A_LINE)]


class BasketForm(PublicRequest, frozen=True):
    """The basket as the reader wants it."""

    lines: Annotated[tuple[CopiesOf, ...], Meta(max_length=MOST_LINES)]


class BasketPages:
    """Shows the basket; whoever sells it may show it with a notice of what became of that."""

    def __init__(self, baskets: PageBaskets, catalog: Catalog, books: BookPages) -> None:
        self._baskets = baskets
        self._catalog = catalog
        self._books = books

    def mount(self, pages: Blueprint) -> None:
        """``/basket`` and the forms on it, and ``/books/<item_number>/basket``."""
        self._mount_putting(pages)
        self._mount_changing(pages)

        @pages.get("/basket")
        def basket() -> Response:
            response = make_response(self.page())
            response.headers["Cache-Control"] = "no-store"
            return response

    def _mount_putting(self, pages: Blueprint) -> None:
        @pages.get("/books/<item_number:item_number>/basket")
        def put_form(item_number: int) -> str:
            # The way of whoever has no script and no basket yet: pages for everybody have no form with a token.
            return self._put_form(item_number)

        @pages.post("/books/<item_number:item_number>/basket")
        def put(item_number: int) -> Response:
            try:
                quantity = _quantity(request.form)
            except Invalid:
                return answer_with(self._put_form(item_number, INVALID), INVALID)
            book = self._books.find(item_number)
            try:
                basket = self._baskets.put(BasketLine(item_number, quantity, book.title, book.price))
            except BasketFull:
                return answer_with(self.page(FULL), FULL)
            if request.accept_mimetypes.best == JSON:
                return json_response({"copies": basket.copies}, Cache_Control="no-store")
            return _to_basket()

    def _mount_changing(self, pages: Blueprint) -> None:
        @pages.post("/basket")
        def change() -> Response:
            return self.keep(sent_lines(), _to_basket)

        @pages.post("/basket/remove")
        def remove() -> Response:
            number = request.form.get("item_number", "")
            others = [line for line in sent_lines() if line["item_number"] != number]
            return self.keep([*others, {"item_number": number, "quantity": "0"}], _to_basket)

        @pages.post("/basket/adjust")
        def adjust() -> Response:
            def keep_what_is_there() -> Response:
                there = self._checked(self._baskets.current())
                self._baskets.set({line.line.item_number: line.available for line in there.lines})
                return _to_basket()

            return self.keep(sent_lines(), keep_what_is_there)

    def keep(self, lines: list[dict[str, str]], go_on: Callable[[], Response]) -> Response:
        """Have as many copies in the basket as a form says, whichever of its buttons was pressed, and go on.

        Where a number does not fit, nothing changes and the page says so.
        """
        try:
            form = convert({"lines": lines}, BasketForm)
        except Invalid:
            return answer_with(self.page(INVALID), INVALID)
        self._baskets.set({line.item_number: line.quantity for line in form.lines})
        return go_on()

    def put_at_least(self, person: Person, lines: Sequence[BasketLine]) -> Response:
        """So many copies of each in the basket of who is signed in, and show it: who sends it twice has no more."""
        try:
            self._baskets.put_at_least(person, lines)
        except BasketFull:
            return answer_with(self.page(FULL), FULL)
        return _to_basket()

    def page(self, notice: Notice | None = None) -> str:
        """The page; while the catalog is away, with titles and prices as the reader last saw them."""
        kept = self._baskets.current()
        try:
            basket = self._checked(kept)
        except NeighbourAway:
            basket = None
        titles = {line.item_number: line.title for line in kept.lines}
        return render_template("basket.html", basket=basket, kept=kept, titles=titles, notice=notice)

    def _checked(self, basket: Basket) -> CheckedBasket:
        numbers = tuple(line.item_number for line in basket.lines)
        if not numbers:
            return checked(basket, ())
        seen = self._catalog.books_by_number(NumbersQuery(item_numbers=numbers, limit=MOST_LINES), g.deadline)
        positions.note(seen.position)
        return checked(basket, seen.answer.items)

    def _put_form(self, item_number: int, notice: Notice | None = None) -> str:
        try:
            quantity = _quantity(request.args)
        except Invalid:
            quantity = 1
        return render_template("put.html", book=self._books.find(item_number), quantity=quantity, notice=notice)


def sent_lines(field: str = COPIES_FIELD) -> list[dict[str, str]]:
    """Item numbers and copies as a form of the basket names them."""
    return [
        {"item_number": name.removeprefix(field), "quantity": value}
        for name, value in request.form.items()
        if name.startswith(field)
    ]


def _quantity(sent: Mapping[str, str]) -> int:
    return convert({"quantity": sent.get("quantity", "")}, PutForm).quantity


def _to_basket() -> Response:
    return make_response(redirect(url_for("pages.basket"), 303))
