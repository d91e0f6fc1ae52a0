"""Stand-ins of the catalog and the order server as the front-end calls them: books and orders in memory."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import msgspec
from msgspec.structs import asdict

from bazar.contracts import books, counter, purchasing
from bazar.contracts.books import Money
from bazar.frontend.domain.errors import (
    CannotMove,
    KeyReused,
    NeighbourAway,
    NotBought,
    NotStuck,
    TooLateToCancel,
    UnknownBook,
    UnknownOrder,
)
from bazar.frontend.use_cases.ports import Deadline, Seen
from stock_keeping import StockKeeping

NOON = "2026-01-31T12:00:00.000Z"
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
        self.mistaken: tuple[str, ...] = ()
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

    def search(self, query: books.WordsQuery, deadline: Deadline) -> Seen[books.FoundBooks]:
        self.check()
        if not self._has_index:
            raise NeighbourAway(self.name, "the index is being built")
        self.searches.append(query)
        found = [book for book in self.books.values() if (query.q or "").casefold() in book.title.casefold()]
        found = [book for book in found if query.isbn in (None, book.isbn)]
        page = self._page(found, query.cursor, query.limit)
        facets = self.facets or {
            name: (books.FacetCount(value=value, count=len(found)),) if found else ()
            for name, value in (("author", "Ada Quill"), ("language", "en"), ("in_stock", "true"))
        }
        answer = books.FoundBooks(**asdict(page), facets=facets, mistaken=self.mistaken)
        return Seen(answer, self.position)

    def subjects(self, deadline: Deadline) -> Seen[books.Subjects]:
        self.check()
        counts = Counter(subject for book in self.books.values() for subject in book.subjects)
        most = counts.most_common(books.MOST_SUBJECTS)
        found = tuple(books.SubjectCount(subject=subject, books=count) for subject, count in most)
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

    def low_stock(self, query: books.LowStockQuery, deadline: Deadline) -> Seen[books.BookPage]:
        self.check()
        if not self._has_index:
            raise NeighbourAway(self.name, "the index is being built")
        few = [book for book in self.books.values() if book.quantity <= books.FEW_COPIES]
        few.sort(key=lambda book: (book.quantity, book.item_number))
        return Seen(self._page(few, query.cursor, query.limit), self.position)

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
        self.happenings: dict[str, list[counter.Happening]] = {}
        self.stuck_orders: dict[str, str] = {}

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
        order = self.get(order_id, purchasing.OrderQuery(), deadline)
        if self.stuck_orders.pop(order_id, None):
            self._happened(order_id, "settled", request.actor, request.reason)
        elif not any(one.what == "settled" for one in self.happenings.get(order_id, ())):
            raise NotStuck("it is not stuck")
        return purchasing.SettledOrder(**asdict(order), note="")

    def stuck(self, query: purchasing.StuckQuery, deadline: Deadline) -> purchasing.StuckOrders:
        self.check()
        items = tuple(
            purchasing.StuckOrder(
                **asdict(self.orders[order_id][1]), decision="confirmed", reason=why, stuck_since=NOON
            )
            for order_id, why in self.stuck_orders.items()
        )
        return purchasing.StuckOrders(items=items, next=None)

    def move(self, order_id: str, request: counter.MoveOrder, deadline: Deadline) -> counter.CounterOrder:
        order = self.get(order_id, purchasing.OrderQuery(), deadline)
        if order.status == "cancelled":
            raise CannotMove("it is cancelled")
        if self._state(order_id) not in (request.to, "collected"):
            self._happened(order_id, request.to, request.actor)
        return self._at_counter(order_id)

    def life(self, order_id: str, query: purchasing.OrderQuery, deadline: Deadline) -> counter.OrderLife:
        order = self.get(order_id, query, deadline)
        found = self._at_counter(order_id)
        placed = counter.Happening(what="placed", at=order.placed_at, who=found.account_id)
        return counter.OrderLife(
            order=order,
            account_id=found.account_id,
            state=found.state,
            decision="confirmed",
            stuck=self.stuck_orders.get(order_id),
            happenings=(placed, *self.happenings.get(order_id, ())),
        )

    def at_counter(self, query: counter.CounterQuery, deadline: Deadline) -> counter.CounterOrders:
        found = self.list(purchasing.OrdersQuery(account_id=query.account_id, limit=100), deadline)
        items = [self._at_counter(order.order_id) for order in found.items]
        chosen = [one for one in items if query.state in (None, one.state)]
        chosen = [one for one in chosen if one.order.order_id.startswith(query.number or "")]
        start = int(query.cursor or 0)
        more = start + query.limit < len(chosen)
        page = tuple(chosen[start : start + query.limit])
        return counter.CounterOrders(items=page, next=str(start + query.limit) if more else None)

    def open_orders(self, query: counter.OpenOrdersQuery, deadline: Deadline) -> counter.CounterOrders:
        everything = self.at_counter(counter.CounterQuery(account_id=query.account_id, limit=100), deadline).items
        found = [one for one in everything if one.state in {"placed", "ready"}]
        return counter.CounterOrders(items=tuple(found[: query.limit]), next="more" if found[query.limit :] else None)

    def journal(self, query: counter.OrderJournalQuery, deadline: Deadline) -> counter.OrderJournal:
        self.check()
        lines = [
            counter.OrderJournalLine(
                order_id=order_id,
                account_id=self.orders[order_id][0],
                titles=tuple(line.title for line in self.orders[order_id][1].lines),
                what=one.what,  # type: ignore[arg-type]  # only people's deeds are here
                at=one.at,
                who=one.who or "",
                in_words=one.in_words,
            )
            for order_id, happened in self.happenings.items()
            for one in happened
        ][::-1]
        start = int(query.cursor or 0)
        more = start + query.limit < len(lines)
        page = tuple(lines[start : start + query.limit])
        return counter.OrderJournal(items=page, next=str(start + query.limit) if more else None)

    def figures(self, query: counter.FiguresQuery, deadline: Deadline) -> counter.Figures:
        self.check()
        states = Counter(self._state(order_id) for order_id in self.orders)
        days = [f"2026-01-{number}" for number in range(32 - query.days, 32)]
        return counter.Figures(
            days=tuple(
                counter.DayFigures(
                    day=day,
                    orders=len(self.orders) if day == days[-1] else 0,
                    takings=Money(amount=1250 * states["collected"] if day == days[-1] else 0, currency="USD"),
                )
                for day in days
            ),
            to_make_ready=states["placed"],
            ready=states["ready"],
            stuck=len(self.stuck_orders),
        )

    def _state(self, order_id: str) -> counter.State:
        if self.orders[order_id][1].status == "cancelled":
            return "cancelled"
        moves = {one.what for one in self.happenings.get(order_id, ())}
        return "collected" if "collected" in moves else "ready" if "ready" in moves else "placed"

    def _at_counter(self, order_id: str) -> counter.CounterOrder:
        account_id, order = self.orders[order_id]
        return counter.CounterOrder(order=order, account_id=account_id, state=self._state(order_id))

    def _happened(self, order_id: str, what: Any, who: str, in_words: str = "") -> None:
        one = counter.Happening(what=what, at=NOON, who=who, in_words=in_words)
        self.happenings.setdefault(order_id, []).append(one)

    def cancel(self, order_id: str, request: purchasing.CancelOrder, deadline: Deadline) -> purchasing.Order:
        order = self.get(order_id, purchasing.OrderQuery(account_id=request.account_id), deadline)
        if self.is_too_late or self._state(order_id) == "collected":
            raise TooLateToCancel("the time is over")
        if order.status == "confirmed":
            self._happened(order_id, "cancelled", request.actor, request.reason)
        if request.account_id is None and self.stuck_orders.pop(order_id, ""):
            self._happened(order_id, "given-up", request.actor, request.reason)
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
                placed_at=NOON,
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
