"""Look up books: one by its number, many by their subject, what happened to one."""

from collections.abc import Sequence
from typing import Any

from bazar.catalog.domain.errors import BadCursor, UnknownBook
from bazar.catalog.domain.text import normalise
from bazar.catalog.use_cases.ports import JournalEntry, Store, StoredBook
from bazar.contracts.books import (
    Book,
    BookPage,
    BookSummary,
    Changes,
    ChangesQuery,
    History,
    HistoryEntry,
    HistoryQuery,
    Journal,
    JournalLine,
    JournalQuery,
    Money,
    NumbersQuery,
    SubjectQuery,
    Subjects,
)
from bazar.contracts.times import rfc3339
from bazar.contracts.wire import LARGEST_JSON_INTEGER


class LookUp:
    """Reads; nothing here changes anything. ``currency`` is that of the whole shop."""

    def __init__(self, store: Store, currency: str) -> None:
        self._store = store
        self._currency = currency

    def book(self, item_number: int) -> tuple[Book, str]:
        """The book and the position it is seen at; raises UnknownBook, also for a withdrawn one."""
        found, position = self._store.book_and_position(item_number)
        if found is None or found.withdrawn:
            raise UnknownBook(item_number, position)
        return shown(found, self._currency), position

    def books_of_subject(self, query: SubjectQuery) -> tuple[BookPage, str]:
        """Books whose subject is the one asked for, whole and without case; raises BadCursor."""
        key = normalise(query.subject)
        after = _whole_number(query.cursor)
        with self._store.reading() as tx:
            position = tx.position()
            total = tx.number_of_books(key)
            found = tx.books_of_subject(key, after, query.limit + 1)
        page = found[: query.limit]
        more = len(found) > query.limit
        return (
            BookPage(
                items=tuple(summary(book, self._currency) for book in page),
                total=total,
                next=str(page[-1].item_number) if more else None,
            ),
            position,
        )

    def books_by_number(self, query: NumbersQuery) -> tuple[BookPage, str]:
        """Those of the books that are sold, and of the subject, in the order asked for; raises BadCursor."""
        start = _whole_number(query.cursor)
        end = start + query.limit
        asked = tuple(dict.fromkeys(query.item_numbers))
        if query.subject is None and len(asked) <= query.limit:  # all of them are on one page
            found, position = self._store.books_and_position(asked)
            items = tuple(summary(book, self._currency) for book in found[start:])
            return BookPage(items=items, total=len(found), next=None), position
        with self._store.reading() as tx:
            position = tx.position()
            sold = tx.sold(asked, None if query.subject is None else normalise(query.subject))
            numbers = [number for number in asked if number in sold]
            found = tx.books(numbers[start:end])
        page = BookPage(
            items=tuple(summary(book, self._currency) for book in found),
            total=len(numbers),
            next=str(end) if end < len(numbers) else None,
        )
        return page, position

    def summaries(self, item_numbers: Sequence[int]) -> list[BookSummary]:
        """Those of the books that are sold, in the order asked for, as they are now."""
        found, _ = self._store.books_and_position(item_numbers)
        return [summary(book, self._currency) for book in found]

    def position(self) -> str:
        """How far the catalog is."""
        return self._store.position()

    def lists_changed(self, after: int, up_to: int) -> bool:
        """Whether one of the changes after a number, up to another, was more than one of price and copies."""
        return self._store.lists_changed(after, up_to)

    def subjects(self) -> tuple[Subjects, str]:
        """The subjects that have books, those with the most first."""
        with self._store.reading() as tx:
            position = tx.position()
            return Subjects(subjects=tuple(tx.subjects())), position

    def history(self, item_number: int, query: HistoryQuery) -> tuple[History, str]:
        """What happened to a book, newest first; raises UnknownBook (not for a withdrawn one), BadCursor."""
        with self._store.reading() as tx:
            position = tx.position()
            if tx.book(item_number) is None:
                raise UnknownBook(item_number, position)
            entries, older = tx.history(item_number, query.cursor, query.limit)
        found = History(
            items=tuple(HistoryEntry(**self._told(entry)) for entry in entries),
            next=older,
        )
        return found, position

    def journal(self, query: JournalQuery) -> tuple[Journal, str]:
        """What staff did, of all books or of one, withdrawn ones too, newest first; raises BadCursor."""
        with self._store.reading() as tx:
            position = tx.position()
            entries, older = tx.journal(query.item_number, query.cursor, query.limit, prices_only=query.prices_only)
        lines = tuple(
            JournalLine(**self._told(entry), item_number=entry.item_number, title=title) for entry, title in entries
        )
        return Journal(items=lines, next=older), position

    def changes(self, query: ChangesQuery) -> Changes:
        """The feed after a number, in commit order."""
        with self._store.reading() as tx:
            epoch, last, found = tx.changes_after(query.after, query.limit)
        return Changes(epoch=epoch, last=last, changes=tuple(found))

    def _told(self, entry: JournalEntry) -> dict[str, Any]:
        return {
            "at": rfc3339(entry.at),
            "who": entry.who,
            "kind": entry.kind,
            "reason": entry.reason,
            "price": None if entry.price_minor is None else self._money(entry.price_minor),
            "stock_change": entry.stock_change,
            "order_id": entry.order_id,
        }

    def _money(self, amount_minor: int) -> Money:
        return Money(amount=amount_minor, currency=self._currency)


def shown(book: StoredBook, currency: str) -> Book:
    """A book as everybody sees it; ``quantity`` is what can be bought now."""
    return Book(
        item_number=book.item_number,
        title=book.title,
        authors=book.authors,
        subjects=book.subjects,
        isbn=book.isbn,
        language=book.language,
        year=book.year,
        blurb=book.blurb,
        price=Money(amount=book.price_minor, currency=currency),
        quantity=book.stock,
        version=book.version,
    )


def summary(book: StoredBook, currency: str) -> BookSummary:
    """A book in a list."""
    return BookSummary(
        item_number=book.item_number,
        title=book.title,
        authors=book.authors,
        subjects=book.subjects,
        price=Money(amount=book.price_minor, currency=currency),
        quantity=book.stock,
    )


def _whole_number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= len(str(LARGEST_JSON_INTEGER))):
        raise BadCursor(cursor)
    return int(cursor)
