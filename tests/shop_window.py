"""The shop window over stand-ins of the catalog and the order server, with real accounts; and a reader before it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from typing import NoReturn

import argon2
import msgspec
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bazar.chassis.converters import Base32Id, PositiveInteger
from bazar.chassis.database import Database
from bazar.chassis.web import Readiness, new_app
from bazar.contracts import books, purchasing
from bazar.frontend.domain.errors import KeyReused, NeighbourAway, NotBought, UnknownBook, UnknownOrder
from bazar.frontend.domain.money import times
from bazar.frontend.pages.errors import page_or_document
from bazar.frontend.pages.routes import mount_pages
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.storage.schema import metadata
from bazar.frontend.use_cases.accounts import Accounts, Limits
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.ports import Deadline, Seen

ADDRESS = "https://shop.example.org"
EMAIL, PASSWORD = "ann@example.org", "violet tables dance"
HOSTILE = "<script>alert('x')</script> \"&{{7*7}}"


def a_book(item_number: int, title: str, quantity: int = 20, subject: str = "history") -> books.Book:
    return books.Book(
        item_number=item_number,
        title=title,
        authors=("Ada Quill",),
        subjects=(subject,),
        isbn=None,
        language="en",
        year=1969,
        blurb=f"All about {title}.",
        price=books.Money(amount=1250, currency="USD"),
        quantity=quantity,
        version=1,
    )


class Neighbour:
    """A server that can be away."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_away = False

    @contextmanager
    def away(self) -> Iterator[None]:
        self.is_away = True
        yield
        self.is_away = False

    def check(self) -> None:
        if self.is_away:
            raise NeighbourAway(self.name, "no answer")

    def not_here(self, *_: object) -> NoReturn:
        raise NotImplementedError("no page does this")


class Shelves(Neighbour):
    """Stands in for the catalog."""

    def __init__(self) -> None:
        super().__init__("catalog")
        self.books = {
            book.item_number: book
            for book in (
                a_book(1, "RPCs for Noobs", subject="distributed systems"),
                a_book(2, "Three Left", 3),
                a_book(3, "Sold Out Long Ago", 0),
                a_book(4, HOSTILE, subject="a/b <i>&?#"),
                *(a_book(number, f"Volume {number}") for number in range(5, 40)),
            )
        }
        self.position = "ab12cd34-7"
        self.searches: list[books.WordsQuery] = []

    def change(self, item_number: int, **facts: object) -> None:
        self.books[item_number] = msgspec.structs.replace(self.books[item_number], **facts)

    def book(self, item_number: int, deadline: Deadline) -> Seen[books.Book]:
        self.check()
        if item_number not in self.books:
            raise UnknownBook((item_number,))
        return Seen(self.books[item_number], self.position)

    def books_of_subject(self, query: books.SubjectQuery, deadline: Deadline) -> Seen[books.BookPage]:
        self.check()
        found = [book for book in self.books.values() if query.subject.casefold() in book.subjects]
        return Seen(self._page(found, query.cursor, query.limit), self.position)

    def search(self, query: books.WordsQuery, deadline: Deadline) -> Seen[books.SearchPage]:
        self.check()
        self.searches.append(query)
        found = [book for book in self.books.values() if (query.q or "").casefold() in book.title.casefold()]
        page = self._page(found, query.cursor, query.limit)
        facets: dict[str, tuple[books.FacetCount, ...]] = {
            name: (books.FacetCount(value=value, count=len(found)),) if found else ()
            for name, value in (("author", "Ada Quill"), ("language", "en"), ("in_stock", "true"))
        }
        return Seen(books.SearchPage(items=page.items, total=page.total, next=page.next, facets=facets), self.position)

    def subjects(self, deadline: Deadline) -> Seen[books.Subjects]:
        self.check()
        counts = Counter(subject for book in self.books.values() for subject in book.subjects)
        found = tuple(books.SubjectCount(subject=subject, books=count) for subject, count in counts.most_common())
        return Seen(books.Subjects(subjects=found), self.position)

    add_book = change_book = withdraw_book = history = Neighbour.not_here

    @staticmethod
    def _page(found: list[books.Book], cursor: str | None, limit: int) -> books.BookPage:
        start = int(cursor or 0)
        names = books.BookSummary.__struct_fields__
        return books.BookPage(
            items=tuple(
                books.BookSummary(**{name: getattr(book, name) for name in names})
                for book in found[start : start + limit]
            ),
            total=len(found),
            next=str(start + limit) if start + limit < len(found) else None,
        )


class Till(Neighbour):
    """Stands in for the order server: one key, one final answer."""

    def __init__(self, shelves: Shelves) -> None:
        super().__init__("order")
        self._shelves = shelves
        self.asked: list[purchasing.PlaceOrder] = []
        self._requests: dict[tuple[str, str], purchasing.PlaceOrder] = {}
        self.orders: dict[str, tuple[str, purchasing.Order]] = {}
        self._order_ids: dict[tuple[str, str], str] = {}

    def place(self, request: purchasing.PlaceOrder, deadline: Deadline) -> Seen[purchasing.Order]:
        self.asked.append(request)
        self.check()
        key = (request.account_id, request.idempotency_key)
        if self._requests.setdefault(key, request) != request:
            raise KeyReused
        if key not in self._order_ids:
            self._order_ids[key] = self._decide(request)
        return Seen(self.orders[self._order_ids[key]][1], "ab12cd34-8")

    def cancel(self, order_id: str, request: purchasing.CancelOrder, deadline: Deadline) -> purchasing.Order:
        return self.get(order_id, purchasing.OrderQuery(account_id=request.account_id), deadline)

    def settle(self, order_id: str, request: purchasing.SettleOrder, deadline: Deadline) -> purchasing.SettledOrder:
        raise NotImplementedError

    def stuck(self, query: purchasing.StuckQuery, deadline: Deadline) -> purchasing.StuckOrders:
        raise NotImplementedError

    def list(self, query: purchasing.OrdersQuery, deadline: Deadline) -> purchasing.Orders:
        self.check()
        own = [order for account_id, order in self.orders.values() if query.account_id in (None, account_id)]
        start = int(query.cursor or 0)
        more = start + query.limit < len(own)
        page = tuple(own[::-1][start : start + query.limit])
        return purchasing.Orders(items=page, next=str(start + query.limit) if more else None)

    def get(self, order_id: str, query: purchasing.OrderQuery, deadline: Deadline) -> purchasing.Order:
        self.check()
        account_id, order = self.orders.get(order_id, (None, None))
        if order is None or query.account_id not in (None, account_id):
            raise UnknownOrder
        return order

    def _decide(self, request: purchasing.PlaceOrder) -> str:
        (line,) = request.lines
        book = self._shelves.books.get(line.item_number)
        if book is None:
            raise UnknownBook((line.item_number,))
        if book.quantity < line.quantity:
            short = {"item_number": line.item_number, "requested": line.quantity, "available": book.quantity}
            raise NotBought("out-of-stock", "too few copies", lines=(short,))
        total = times(book.price, line.quantity)
        if request.expected_total not in (None, total):
            raise NotBought("price-changed", "another total", total={"amount": total.amount, "currency": "USD"})
        self._shelves.change(book.item_number, quantity=book.quantity - line.quantity)
        order_id = "".join("abcdefghij"[int(digit)] for digit in f"{len(self.orders):032d}")
        bought = purchasing.BoughtLine(
            item_number=book.item_number, title=book.title, quantity=line.quantity, price=book.price
        )
        self.orders[order_id] = (
            request.account_id,
            purchasing.Order(
                order_id=order_id,
                status="confirmed",
                placed_at="2026-01-31T12:00:00.000Z",
                lines=(bought,),
                total=total,
                message=f"bought book {book.title}",
            ),
        )
        return order_id


@dataclass
class Form:
    """A form of a page, as the browser would send it."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(values["action"], values["method"]))
        elif tag == "input":
            self.found[-1].fields[values["name"]] = values.get("value", "")


class Reader:
    """Somebody with a browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=ADDRESS)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, data=fields, base_url=ADDRESS, headers=named)

    def form(self, page: TestResponse | str, action: str) -> Form:
        """The form of this page (or of the page at this path) that posts to ``action``."""
        response = self.get(page) if isinstance(page, str) else page
        return next(form for form in forms_of(response) if form.action == action)

    def send(self, form: Form, **changed: str) -> TestResponse:
        return self.post(form.action, {**form.fields, **changed})

    def register(self, email: str = EMAIL, **changed: str) -> TestResponse:
        return self.send(self.form("/register", "/register"), email=email, **{"password": PASSWORD, **changed})

    def buy(self, item_number: int, quantity: int = 1, **changed: str) -> TestResponse:
        form = self.form(f"/books/{item_number}", f"/books/{item_number}/buy")
        return self.send(form, quantity=str(quantity), **changed)


def forms_of(response: TestResponse) -> list[Form]:
    return _Forms(response.text).found


class Shop:
    """The pages with all that is behind them."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        metadata.create_all(database.engine)
        self.shelves = Shelves()
        self.till = Till(self.shelves)
        self.hostile = HOSTILE
        hasher = PasswordHasher(argon2id=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.accounts = Accounts(SqlAccountStore(database), hasher, clock, Limits(0, 0, 3))
        self.app = new_app(
            "bazar.frontend",
            {},
            lambda: Readiness(ready=True, parts={}),
            {"item_number": PositiveInteger, "order_id": Base32Id},
            page_or_document,
        )
        mount_pages(self.app, self.shelves, self.till, self.accounts, public_url=ADDRESS)

        @self.app.get("/breaks")
        def breaks() -> NoReturn:
            raise RuntimeError("a secret detail")

    def reader(self) -> Reader:
        return Reader(self.app.test_client())

    def customer(self, email: str = EMAIL) -> Reader:
        reader = self.reader()
        assert reader.register(email).status_code == 303
        return reader

    def paths_of_pages(self) -> list[str]:
        """An address for each page that can be looked at; the signed-in reader needs an order."""
        examples = {
            "item_number": "4",
            "order_id": next(iter(self.till.orders)),
            "subject": "history",
            "name": "not-found",
            "path": re.findall(r'/static/([^"]+)', self.reader().get("/").text)[0],
        }
        return [
            re.sub(r"<(?:\w+:)?(\w+)>", lambda match: examples[match[1]], rule.rule)
            for rule in self.app.url_map.iter_rules()
            if rule.endpoint.startswith("pages.") and "GET" in (rule.methods or ())
        ]
