"""One book as booksellers see it: what there is to do with it, and what became of a form that was sent."""

from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request

from bazar.contracts.books import Book, HistoryQuery
from bazar.contracts.wire import convert
from bazar.frontend.domain.errors import UnknownBook
from bazar.frontend.pages import positions
from bazar.frontend.pages.staff.chronicle import Chronicle
from bazar.frontend.pages.staff.fields import DETAILS, new_key, shown_by, texts_of
from bazar.frontend.pages.staff.price_line import price_line
from bazar.frontend.pages.staff.refusals import Sent
from bazar.frontend.use_cases.ports import Catalog


class StaffBookPage:
    """Shows a book to booksellers; whoever changes it may show it with the form that changed nothing."""

    def __init__(self, catalog: Catalog, chronicle: Chronicle) -> None:
        self._catalog = catalog
        self._chronicle = chronicle

    def mount(self, pages: Blueprint) -> None:
        """``/staff/books/<item_number>``."""

        @pages.get("/staff/books/<item_number:item_number>", endpoint="staff_books_one")
        def one(item_number: int) -> Response:
            return self.show(item_number)

    def find(self, item_number: int) -> Book:
        """The book as it is now; raises UnknownBook, NeighbourAway."""
        seen = self._catalog.book(item_number, g.deadline)
        positions.note(seen.position)
        return seen.answer

    def show(self, item_number: int, sent: Sent | None = None) -> Response:
        """The page, of a withdrawn book its history alone; raises UnknownBook, NeighbourAway."""
        try:
            book = self.find(item_number)
        except UnknownBook:
            last = self._chronicle.last_line(item_number)
            if last is None:
                raise
            return make_response(render_template("staff_withdrawn.html", title=last.title, **self._past(item_number)))
        page = render_template(
            "staff_book.html",
            book=book,
            texts=texts_of(book),
            sent=sent,
            key=new_key,
            shown={"details": shown_by(*DETAILS), "price": shown_by("price"), "stock-take": shown_by("stock")},
            **self._past(item_number),
        )
        return make_response(page, sent.status if sent else 200)

    def _past(self, item_number: int) -> dict[str, Any]:
        cursor = convert({"cursor": request.args.get("cursor") or None}, HistoryQuery).cursor
        prices = self._chronicle.prices(item_number)
        return {
            "item_number": item_number,
            "done": request.args.get("done"),
            "history": self._chronicle.history(item_number, cursor),
            "cursor": cursor,
            "prices": prices,
            "line": price_line([step.price.amount for step in prices]) if prices else "",
        }
