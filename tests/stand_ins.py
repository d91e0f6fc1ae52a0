"""Stand-ins of the catalog and the order server as the front-end calls them: books and orders in memory."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import msgspec

from bazar.contracts import books, purchasing
from bazar.contracts.books import Money
from bazar.frontend.domain.errors import (
    KeyReused,
    NeighbourAway,
    NotBought,
    TooLateToCancel,
    UnknownBook,
    UnknownOrder,
)
from bazar.frontend.use_cases.ports import Deadline, Seen
from stock_keeping import StockKeeping

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


class Shelves(Neighbour, StockKeeping):
    """Stands in for the catalog."""

    def __init__(self) -> None:
        Neighbour.__init__(self, "catalog")
        StockKeeping.__init__(self)
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
        self.facets: dict[str, tuple[books.FacetCount, ...]] = {}
        self._has_index = True

    @contextmanager
    def without_index(self) -> Iterator[None]:
        """Books are shown, but none is found."""
        self._has_index = False
        yield
        self._has_index = True

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
        facets = self.facets or {
            name: (books.FacetCount(value=value, count=len(found)),) if found else ()
            for name, value in (("author", "Ada Quill"), ("language", "en"), ("in_stock", "true"))
        }
        return Seen(books.SearchPage(items=page.items, total=page.total, next=page.next, facets=facets), self.position)

    def subjects(self, deadline: Deadline) -> Seen[books.Subjects]:
        self.check()
        counts = Counter(subject for book in self.books.values() for subject in book.subjects)
        found = tuple(books.SubjectCount(subject=subject, books=count) for subject, count in counts.most_common())
        return Seen(books.Subjects(subjects=found), self.position)

    def newest(self, query: books.NewestQuery, deadline: Deadline) -> Seen[books.BookPage]:
        self.check()
        if not self._has_index:
            raise NeighbourAway(self.name, "the index is being built")
        found = [
            book
            for book in reversed(self.books.values())
            if query.subject in (None, *book.subjects) and query.author in (None, *book.authors)
        ]
        return Seen(self._page(found, query.cursor, query.limit), self.position)

    def books_by_number(self, query: books.NumbersQuery, deadline: Deadline) -> Seen[books.BookPage]:
        self.check()
        found = [
            self.books[number]
            for number in query.item_numbers
            if number in self.books and query.subject in (None, *self.books[number].subjects)
        ]
        return Seen(self._page(found, query.cursor, query.limit), self.position)

    def suggest(self, query: books.SuggestQuery, deadline: Deadline) -> Seen[books.Suggestions]:
        self.check()
        titles = tuple(
            books.SuggestedBook(item_number=book.item_number, title=book.title, authors=book.authors)
            for book in self.books.values()
            if query.q and book.title.casefold().startswith(query.q.casefold())
        )
        return Seen(
            books.Suggestions(books=titles[: query.limit], authors=("Ada Quill",), subjects=("a/b <i>&?#",)), None
        )

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
        self._refusals: dict[tuple[str, str], NotBought] = {}
        self.is_too_late = False

    def place(self, request: purchasing.PlaceOrder, deadline: Deadline) -> Seen[purchasing.Order]:
        self.asked.append(request)
        self.check()
        key = (request.account_id, request.idempotency_key)
        if self._requests.setdefault(key, request) != request:
            raise KeyReused
        if key in self._refusals:
            raise self._refusals[key]
        if key not in self._order_ids:
            try:
                self._order_ids[key] = self._decide(request)
            except NotBought as refusal:
                self._refusals[key] = refusal
                raise
            except UnknownBook:
                del self._requests[key]
                raise
        return Seen(self.orders[self._order_ids[key]][1], "ab12cd34-8")

    def settle(self, order_id: str, request: purchasing.SettleOrder, deadline: Deadline) -> purchasing.SettledOrder:
        self.not_here()

    def stuck(self, query: purchasing.StuckQuery, deadline: Deadline) -> purchasing.StuckOrders:
        self.not_here()

    def cancel(self, order_id: str, request: purchasing.CancelOrder, deadline: Deadline) -> purchasing.Order:
        order = self.get(order_id, purchasing.OrderQuery(account_id=request.account_id), deadline)
        if self.is_too_late:
            raise TooLateToCancel("the time is over")
        cancelled = msgspec.structs.replace(order, status="cancelled")
        self.orders[order_id] = (self.orders[order_id][0], cancelled)
        return cancelled

    def best_sellers(self, query: purchasing.BestSellersQuery, deadline: Deadline) -> purchasing.BestSellers:
        self.check()
        copies: Counter[int] = Counter()
        for _, order in self.orders.values():
            for line in order.lines:
                copies[line.item_number] += line.quantity
        ranked = tuple(item_number for item_number, _ in copies.most_common(query.limit))
        return purchasing.BestSellers(item_numbers=ranked)

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
        wanted = {line.item_number: line.quantity for line in request.lines}
        unknown = tuple(number for number in wanted if number not in self._shelves.books)
        if unknown:
            raise UnknownBook(unknown)
        found = {number: self._shelves.books[number] for number in wanted}
        short = tuple(
            {"item_number": number, "requested": wanted[number], "available": book.quantity}
            for number, book in found.items()
            if book.quantity < wanted[number]
        )
        if short:
            raise NotBought("out-of-stock", "too few copies", lines=short)
        total = Money(amount=sum(book.price.amount * wanted[number] for number, book in found.items()), currency="USD")
        if request.expected_total is not None and request.expected_total.amount != total.amount:
            raise NotBought("price-changed", "another total", total={"amount": total.amount, "currency": "USD"})
        for number, book in found.items():
            self._shelves.change(number, quantity=book.quantity - wanted[number])
        order_id = "".join("abcdefghij"[int(digit)] for digit in f"{len(self.orders):032d}")
        titles = [book.title for book in found.values()]
        self.orders[order_id] = (
            request.account_id,
            purchasing.Order(
                order_id=order_id,
                status="confirmed",
                placed_at="2026-01-31T12:00:00.000Z",
                lines=tuple(
                    purchasing.BoughtLine(
                        item_number=number, title=book.title, quantity=wanted[number], price=book.price
                    )
                    for number, book in found.items()
                ),
                total=total,
                message=f"bought book{'s' if len(titles) > 1 else ''} {', '.join(titles)}",
            ),
        )
        return order_id
