"""The forms that change a book: its details, its price, copies that came, copies that were counted, and taking it out.

A form says which values it showed. Where somebody else has changed one of those that it is about, nothing changes and
the bookseller is told; what it is not about, a sale beside a new title say, is in nobody's way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from bazar.contracts.amounts import read_price
from bazar.contracts.books import Book, BookChange, ChangeBook, WithdrawBook
from bazar.contracts.wire import Invalid, Malformed, convert, parse
from bazar.frontend.domain.errors import NeighbourAway, StaleVersion, UnknownBook
from bazar.frontend.pages import positions
from bazar.frontend.pages.optional import OPTIONAL_FOR_STAFF_SECONDS, optional_deadline
from bazar.frontend.pages.staff import doubts
from bazar.frontend.pages.staff.book_page import StaffBookPage
from bazar.frontend.pages.staff.door import StaffDoor
from bazar.frontend.pages.staff.fields import (
    DETAILS,
    FormMark,
    Mistakes,
    Shown,
    detail_readers,
    gather,
    plain,
    read_copies,
    read_reason,
    texts_of,
)
from bazar.frontend.pages.staff.open_orders import open_orders_with
from bazar.frontend.pages.staff.refusals import (
    REFUSALS,
    ChangedMeanwhile,
    Difference,
    ask_again,
    refused,
    unreadable,
)
from bazar.frontend.pages.wording import price_text
from bazar.frontend.use_cases.ports import Catalog, Orders

#: How often a change that is about nothing that others have changed is sent with the newer version. At once, without a
#: pause that spreads (jitter): each try has lost to a change that was made, so somebody gets on, and reading the book
#: anew is what takes the time between two.
MOST_TRIES = 4
#: Of those that have a book which is taken out.
MOST_ORDERS_SHOWN = 10


@dataclass(frozen=True)
class Wish:
    """What a form asks for; ``about``: the fields that must be as it showed them.

    ``is_count``: it is in the journal also where it changes nothing.
    """

    change: Mapping[str, Any]
    about: tuple[str, ...] = ()
    is_count: bool = False


class BookChanges:
    """Mounts the forms."""

    def __init__(self, catalog: Catalog, orders: Orders, page: StaffBookPage, door: StaffDoor, currency: str) -> None:
        self._catalog = catalog
        self._orders = orders
        self._page = page
        self._door = door
        self._currency = currency

    def mount(self, pages: Blueprint) -> None:
        """``/staff/books/<item_number>/…``: details, price, goods-in, stock-take, withdraw."""

        @pages.post("/staff/books/<item_number:item_number>/details", endpoint="staff_books_details")
        def details(item_number: int) -> Response:
            return self._answer(item_number, "details", lambda typed, shown: self._details(item_number, typed, shown))

        @pages.post("/staff/books/<item_number:item_number>/price", endpoint="staff_books_price")
        def price(item_number: int) -> Response:
            return self._answer(item_number, "price", self._price)

        @pages.post("/staff/books/<item_number:item_number>/goods-in", endpoint="staff_books_goods_in")
        def goods_in(item_number: int) -> Response:
            return self._answer(item_number, "goods-in", _goods_in)

        @pages.post("/staff/books/<item_number:item_number>/stock-take", endpoint="staff_books_stock_take")
        def stock_take(item_number: int) -> Response:
            return self._answer(item_number, "stock-take", _stock_take)

        @pages.get("/staff/books/<item_number:item_number>/withdraw", endpoint="staff_books_withdraw_form")
        def withdraw_form(item_number: int) -> str:
            return self._ask_about_withdrawing(item_number)

        @pages.post("/staff/books/<item_number:item_number>/withdraw", endpoint="staff_books_withdraw")
        def withdraw(item_number: int) -> Response:
            asked = WithdrawBook(actor=self._door.bookseller().account_id)
            try:
                positions.note(self._catalog.withdraw_book(item_number, asked, g.deadline).position)
            except NeighbourAway:
                return ask_again(request.path, item_number)
            except UnknownBook as error:
                positions.note(error.position)  # the second click: it is out already
            return make_response(
                redirect(url_for("pages.staff_books_one", item_number=item_number, done="withdrawn"), 303)
            )

    def _ask_about_withdrawing(self, item_number: int) -> str:
        book = self._page.find(item_number)
        try:
            waiting = open_orders_with(item_number, self._orders, optional_deadline(OPTIONAL_FOR_STAFF_SECONDS))
        except NeighbourAway:
            waiting = None
        return render_template("staff_withdraw.html", book=book, waiting=waiting, most_shown=MOST_ORDERS_SHOWN)

    def _answer(self, item_number: int, form: str, read: Callable[[Mapping[str, str], Shown], Wish]) -> Response:
        typed = request.form
        try:
            mark = convert({"key": typed.get("key", ""), "version": typed.get("version", "")}, FormMark)
            shown = parse(typed.get("shown", "{}").encode(), Shown)
        except (Invalid, Malformed):
            return self._page.show(item_number, unreadable(form))
        try:
            positions.note(self._change(item_number, read(typed, shown), mark, shown))
        except REFUSALS as error:
            return self._page.show(item_number, refused(form, error, mark.key))
        except NeighbourAway:
            return ask_again(request.path, item_number)
        address = url_for("pages.staff_books_one", item_number=item_number, done=form)
        return make_response(redirect(address, 303))

    def _change(self, item_number: int, wish: Wish, mark: FormMark, shown: Shown) -> str | None:
        """Make the change once; returns the position. Raises ChangedMeanwhile and what the catalog says."""
        actor = self._door.bookseller().account_id
        version = mark.version
        if not any(name != "reason" for name in wish.change):
            self._see_that_nothing_differs(self._page.find(item_number), wish, shown)
            return None
        if wish.about:
            # The journal says what the form showed ("from … to …"), so that a form which is sent twice says the same
            # twice. That the book was so at its version is not left to the form. At an older version the catalog
            # changes nothing: it is the second click, or stale.
            book = self._page.find(item_number)
            if version >= book.version:
                self._see_that_nothing_differs(book, wish, shown)
                version = book.version
        for _ in range(MOST_TRIES):
            asked = ChangeBook(
                actor=actor,
                change=BookChange(**wish.change),
                idempotency_key=mark.key,
                expected_versions=(version,) if wish.about else None,
                is_count=wish.is_count,
            )
            try:
                return self._catalog.change_book(item_number, asked, g.deadline).position
            except StaleVersion as error:
                positions.note(error.position)
                book = self._page.find(item_number)
                self._see_that_nothing_differs(book, wish, shown)
                version = book.version
        raise ChangedMeanwhile(())

    @staticmethod
    def _see_that_nothing_differs(book: Book, wish: Wish, shown: Shown) -> None:
        now = texts_of(book)
        pairs = [(name, plain(getattr(shown, name)), getattr(now, name)) for name in wish.about]
        differences = tuple(Difference(name, was, is_now) for name, was, is_now in pairs if was != is_now)
        if differences:
            raise ChangedMeanwhile(differences)

    def _price(self, typed: Mapping[str, str], shown: Shown) -> Wish:
        try:
            was = read_price(shown.price, self._currency)
        except Invalid:
            raise Mistakes({"price": "has to be compared with what the page says; please send it once more"}) from None

        def reason() -> str:
            now, why = read_price(typed.get("price", ""), self._currency), read_reason(typed.get("reason", ""))
            steps = f"from {price_text(was)} to {price_text(now)}"
            return read_reason(f"{steps}; {why}" if why else steps)

        price = gather({"price": lambda: read_price(typed.get("price", ""), self._currency)})
        doubts.ask_about(doubts.of_price(price["price"], was), typed)
        return Wish({**price, **gather({"reason": reason})}, about=("price",))

    def _details(self, item_number: int, typed: Mapping[str, str], shown: Shown) -> Wish:
        read = gather(detail_readers(typed))
        changed = tuple(name for name in DETAILS if plain(typed.get(name, "")) != plain(getattr(shown, name)))
        if "isbn" in changed:
            doubts.ask_about(doubts.of_isbn(self._catalog, read["isbn"], item_number), typed)
        return Wish({name: read[name] for name in changed}, about=changed)


def _goods_in(typed: Mapping[str, str], _shown: Shown) -> Wish:
    read = gather(
        {
            "stock": lambda: read_copies(typed.get("stock", ""), fewest=1),
            "reason": lambda: read_reason(typed.get("reason", "")),
        }
    )
    return Wish({"stock_change": read["stock"], "reason": read["reason"] or "taken in"})


def _stock_take(typed: Mapping[str, str], shown: Shown) -> Wish:
    def reason() -> str:
        why = read_reason(typed.get("reason", ""))
        counted = f"stock-take: {shown.stock} expected, {plain(typed.get('stock', ''))[:10]} counted"
        return read_reason(f"{counted}; {why}" if why else counted)

    read = gather({"stock": lambda: read_copies(typed.get("stock", "")), "reason": reason})
    try:
        expected = read_copies(shown.stock)
    except Invalid:
        raise Mistakes({"stock": "has to be counted against what the page says; please count once more"}) from None
    difference = read["stock"] - expected
    return Wish({"stock_change": difference, "reason": read["reason"]}, about=("stock",), is_count=True)
