"""What booksellers do, as the stand-in of the catalog does it: once for a key, and only to the version they saw."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec import UNSET

from bazar.contracts import books as messages
from bazar.frontend.domain.errors import KeyReused, NeighbourAway, StaleVersion, StockBelowZero, UnknownBook
from bazar.frontend.use_cases.ports import Deadline, Seen


class StockKeeping:
    """The part of a catalog that changes books."""

    books: dict[int, messages.Book]
    position: str

    def __init__(self) -> None:
        self.changes: list[messages.ChangeBook] = []
        #: The oldest first; what was sold is in the history alone.
        self.chronicle: list[messages.JournalLine] = []
        #: By (source, id).
        self.imported: dict[tuple[str, str], messages.NewBook] = {}
        self._edits: dict[tuple[str, str | None], Any] = {}
        self._loses_answers = False

    @contextmanager
    def losing_answers(self) -> Iterator[None]:
        """What is asked for is done, but nobody hears of it."""
        self._loses_answers = True
        yield
        self._loses_answers = False

    def check(self) -> None:
        """Raise NeighbourAway where nothing answers."""
        raise NotImplementedError

    def add_book(self, request: messages.AddBook, deadline: Deadline) -> Seen[messages.Book]:
        self.check()
        under = (request.actor, request.idempotency_key)
        if under not in self._edits:
            facts = {name: getattr(request.book, name) for name in request.book.__struct_fields__ if name != "stock"}
            facts["price"] = _money(request.book.price)
            number = max(self.books) + 1
            self.books[number] = messages.Book(**facts, item_number=number, quantity=request.book.stock, version=1)
            self._edits[under] = (request.book, number)
            self.note(number, "added", request.actor, price=facts["price"], stock_change=request.book.stock)
        book, number = self._edits[under]
        if book != request.book:
            raise KeyReused
        return self._answer(self.books[number])

    def change_book(self, item_number: int, request: messages.ChangeBook, deadline: Deadline) -> Seen[messages.Book]:
        self.check()
        book = self._sold(item_number)
        under, body = (request.actor, request.idempotency_key), (item_number, request.change)
        if request.idempotency_key is not None and under in self._edits:
            if self._edits[under] != body:
                raise KeyReused
            return self._answer(book)
        if request.expected_versions is not None and book.version not in request.expected_versions:
            raise StaleVersion("another version", self.position)
        change = {name: value for name, value in msgspec.structs.asdict(request.change).items() if value is not UNSET}
        reason = change.pop("reason", "")
        more = change.pop("stock_change", 0)
        if book.quantity + more < 0:
            raise StockBelowZero("too few", self.position)
        if "price" in change:
            change["price"] = _money(change["price"])
        self._edits[under] = body
        self.changes.append(request)
        if "price" in change:
            self.note(item_number, "price", request.actor, reason, price=change["price"])
        if more:
            self.note(item_number, "stock", request.actor, reason, stock_change=more)
        if change.keys() - {"price"}:
            self.note(item_number, "details", request.actor, reason)
        if request.is_count and not more:
            self.note(item_number, "counted", request.actor, reason, stock_change=0)
            return self._answer(book)
        changed = {**change, "quantity": book.quantity + more, "version": book.version + 1}
        self.books[item_number] = msgspec.structs.replace(book, **changed)
        return self._answer(self.books[item_number])

    def withdraw_book(
        self, item_number: int, request: messages.WithdrawBook, deadline: Deadline
    ) -> Seen[messages.Empty]:
        self.check()
        self._sold(item_number)
        self.note(item_number, "withdrawn", request.actor)
        del self.books[item_number]
        return self._answer(messages.Empty())

    def preview_import(self, request: messages.ImportBooks, deadline: Deadline) -> Seen[messages.ImportPreview]:
        self.check()
        new, present, rejected = [], [], []
        for row in request.rows:
            elsewhere = next((source for source, known in self.imported if known == row.source_id), request.source)
            if (request.source, row.source_id) in self.imported:
                present.append(row.source_id)
            elif elsewhere != request.source:
                detail = f"came from {elsewhere}"
                rejected.append(messages.RejectedRow(source_id=row.source_id, detail=detail, known_from=elsewhere))
            else:
                new.append(row.source_id)
        preview = messages.ImportPreview(new=tuple(new), present=tuple(present), rejected=tuple(rejected))
        return Seen(preview, self.position)

    def import_books(self, request: messages.ImportBooks, deadline: Deadline) -> Seen[messages.ImportOutcome]:
        preview = self.preview_import(request, deadline).answer
        for row in request.rows:
            if row.source_id in preview.new:
                self.imported[request.source, row.source_id] = row.book
        added, present = len(preview.new), len(preview.present)
        return self._answer(messages.ImportOutcome(added=added, present=present, rejected=preview.rejected))

    def history(self, item_number: int, query: messages.HistoryQuery, deadline: Deadline) -> Seen[messages.History]:
        self.check()
        found = [line for line in reversed(self.chronicle) if line.item_number == item_number]
        if not found and item_number not in self.books:
            raise UnknownBook((item_number,))
        page, older = _page(found, query.cursor, query.limit)
        names = messages.HistoryEntry.__struct_fields__
        entries = tuple(messages.HistoryEntry(**{name: getattr(line, name) for name in names}) for line in page)
        return Seen(messages.History(items=entries, next=older), self.position)

    def journal(self, query: messages.JournalQuery, deadline: Deadline) -> Seen[messages.Journal]:
        self.check()
        found = [
            line
            for line in reversed(self.chronicle)
            if query.item_number in (None, line.item_number)
            and line.kind != "sold"
            and (line.price is not None or not query.prices_only)
        ]
        page, older = _page(found, query.cursor, query.limit)
        return Seen(messages.Journal(items=tuple(page), next=older), self.position)

    def note(self, item_number: int, kind: str, who: str, reason: str = "", **more: Any) -> None:
        """Write an entry, a minute after the one before."""
        at = f"2026-01-31T{12 + len(self.chronicle) // 60:02d}:{len(self.chronicle) % 60:02d}:00.000Z"
        title = self.books[item_number].title
        self.chronicle.append(
            messages.JournalLine(at=at, who=who, kind=kind, reason=reason, item_number=item_number, title=title, **more)
        )

    def _sold(self, item_number: int) -> messages.Book:
        if item_number not in self.books:
            raise UnknownBook((item_number,))
        return self.books[item_number]

    def _answer(self, answer: Any) -> Seen[Any]:
        if self._loses_answers:
            raise NeighbourAway("catalog", "no answer")
        return Seen(answer, self.position)


def _money(price: messages.Money) -> messages.Money:
    return messages.Money(amount=price.amount, currency=price.currency)


def _page(found: list[Any], cursor: str | None, limit: int) -> tuple[list[Any], str | None]:
    start = int(cursor or 0)
    return found[start : start + limit], str(start + limit) if start + limit < len(found) else None
