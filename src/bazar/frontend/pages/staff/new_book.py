"""Add a book."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from bazar.contracts.amounts import read_price
from bazar.contracts.books import AddBook, BookSummary, HistoryQuery, NewBook
from bazar.contracts.wire import Invalid, convert
from bazar.frontend.domain.errors import NeighbourAway
from bazar.frontend.pages import positions
from bazar.frontend.pages.staff import doubts
from bazar.frontend.pages.staff.door import StaffDoor
from bazar.frontend.pages.staff.fields import FormMark, Shown, detail_readers, gather, new_key, read_copies
from bazar.frontend.pages.staff.refusals import REFUSALS, Sent, ask_again, refused, unreadable
from bazar.frontend.use_cases.ports import Catalog

#: By a double click, by Back, or after a while without an answer.
SENT_AGAIN_WITHIN = timedelta(minutes=10)


def add_new_book_pages(
    pages: Blueprint, catalog: Catalog, door: StaffDoor, currency: str, clock: Callable[[], datetime]
) -> None:
    """``/staff/books/new``. ``clock`` gives the time in UTC."""

    def form(sent: Sent | None = None) -> Response:
        page = render_template("staff_new_book.html", sent=sent, texts=Shown(), currency=currency, key=new_key)
        return make_response(page, sent.status if sent else 200)

    def was_just_added(other: BookSummary, book: NewBook, actor: str) -> bool:
        """By this form most likely, which is sent again then: the catalog answers as it did before."""
        if other.title != book.title:
            return False
        history = catalog.history(other.item_number, HistoryQuery(), g.deadline).answer.items
        added = (datetime.fromisoformat(one.at) for one in history if one.kind == "added" and one.who == actor)
        return any(clock() - at < SENT_AGAIN_WITHIN for at in added)

    @pages.get("/staff/books/new", endpoint="staff_books_new")
    def new() -> Response:
        return form()

    @pages.post("/staff/books/new", endpoint="staff_books_add")
    def add() -> Response:
        actor = door.bookseller().account_id
        try:
            key = convert({"key": request.form.get("key", "")}, FormMark).key
        except Invalid:
            return form(unreadable("new"))
        try:
            book = _book(request.form, currency)
            same_isbn = doubts.of_isbn(catalog, book.isbn)
            if not any(was_just_added(other, book, actor) for doubt in same_isbn for other in doubt.others):
                doubts.ask_about((*doubts.of_price(book.price), *same_isbn), request.form)
            seen = catalog.add_book(AddBook(actor=actor, book=book, idempotency_key=key), g.deadline)
        except REFUSALS as error:
            return form(refused("new", error, key))
        except NeighbourAway:
            return ask_again(request.path)
        positions.note(seen.position)
        address = url_for("pages.staff_books_one", item_number=seen.answer.item_number, done="added")
        return make_response(redirect(address, 303))


def _book(typed: Mapping[str, str], currency: str) -> NewBook:
    """Raises Mistakes, with those of all fields."""
    read = gather(
        {
            **detail_readers(typed),
            "price": lambda: read_price(typed.get("price", ""), currency),
            "stock": lambda: read_copies(typed.get("stock", "")),
        }
    )
    return NewBook(**read)
