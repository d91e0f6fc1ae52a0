"""What booksellers do: add books, change price, details and stock, withdraw a book, import a file.

Each change is in the journal with who, when and why, and in the feed, in the same transaction.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

from msgspec import UNSET, UnsetType

from bazar.catalog.domain.errors import InvalidBook, KeyReused, StaleVersion, StockBelowZero, UnknownBook, UnknownSource
from bazar.catalog.domain.isbn import isbn13
from bazar.catalog.use_cases.look_up import shown
from bazar.catalog.use_cases.ports import BookFacts, JournalEntry, Store, StoredBook, Transaction
from bazar.contracts.books import (
    MOST_COPIES,
    AddBook,
    Book,
    BookChange,
    ChangeBook,
    ImportBooks,
    ImportOutcome,
    ImportPreview,
    Money,
    NewBook,
    RejectedRow,
    SourceWithdrawn,
    WithdrawBook,
    WithdrawSource,
)
from bazar.contracts.wire import dump

#: Books that are withdrawn in one transaction: others wait for it.
WITHDRAWN_TOGETHER = 250

Value = TypeVar("Value")
#: Of rows by their ids: facts, price in minor units, copies.
NewRows = dict[str, tuple[BookFacts, int, int]]


class KeepStock:
    """Changes to the books of a shop whose currency is ``currency``."""

    def __init__(self, store: Store, clock: Callable[[], datetime], currency: str) -> None:
        self._store = store
        self._clock = clock
        self._currency = currency

    def add_book(self, request: AddBook) -> tuple[Book, str]:
        """A new book with its first copies; with a key, once. Returns it and the new position.

        Raises InvalidBook, KeyReused, and UnknownBook where it was added under the key and withdrawn since.
        """
        facts, price_minor = self._facts(request.book)
        key = request.idempotency_key
        with self._store.writing() as tx:
            if key is not None and self._made_before(tx, request.actor, key, b"new " + dump(request.book)):
                number = tx.added(request.actor, key)
                return shown(_sold(tx, tx.book(number), number), self._currency), tx.position()
            number = self._insert(tx, request.actor, "", [(facts, price_minor, request.book.stock)])[0]
            if key is not None:
                tx.remember_added(request.actor, key, number)
            position = tx.publish([number])
            return shown(_sold(tx, tx.book(number), number), self._currency), position

    def change_book(self, item_number: int, request: ChangeBook) -> tuple[Book, str]:
        """Change what the request names and leave the rest; with a key, once.

        Raises UnknownBook, StaleVersion, StockBelowZero, InvalidBook, KeyReused. Nothing is half done.
        """
        with self._store.writing() as tx:
            book = _sold(tx, tx.book_for_update(item_number), item_number)
            key, body = request.idempotency_key, b"%d " % item_number + dump(request.change)
            if key is not None and self._made_before(tx, request.actor, key, body):
                return shown(book, self._currency), tx.position()
            if request.expected_versions is not None and book.version not in request.expected_versions:
                raise StaleVersion(item_number, request.expected_versions, book.version, tx.position())
            entries = self._apply(tx, book, request)
            if not entries:
                return shown(book, self._currency), tx.position()
            tx.write_journal(entries)
            if all(entry.kind == "counted" for entry in entries):
                # Nothing that anybody sees of the book has changed.
                return shown(book, self._currency), tx.position()
            tx.raise_version(item_number)
            position = tx.publish([item_number], offer_only=all(entry.kind != "details" for entry in entries))
            return shown(_sold(tx, tx.book(item_number), item_number), self._currency), position

    def withdraw_book(self, item_number: int, request: WithdrawBook) -> str:
        """The book is no longer found or sold; orders keep it. Raises UnknownBook. Returns the new position."""
        with self._store.writing() as tx:
            book = _sold(tx, tx.book_for_update(item_number), item_number)
            return self._withdraw(tx, [book], request.actor)

    def withdraw_source(self, request: WithdrawSource) -> tuple[SourceWithdrawn, str]:
        """As withdraw_book, the next WITHDRAWN_TOGETHER books of a source; raises UnknownSource."""
        with self._store.writing() as tx:
            books = tx.books_of_source_for_update(request.source, WITHDRAWN_TOGETHER)
            if not books and request.source not in (known := tx.sources()):
                raise UnknownSource(request.source, tuple(known))
            position = self._withdraw(tx, books, request.actor)
        return SourceWithdrawn(withdrawn=len(books), more=len(books) == WITHDRAWN_TOGETHER), position

    def import_books(self, request: ImportBooks) -> tuple[ImportOutcome, str]:
        """Add the rows that are new by (source, source_id), in their order; the others change nothing.

        A row that does not fit is refused by itself, as is one that another source has brought under the same id
        and title: one list under two names would have every book twice. Returns what became of them, and the
        position.
        """
        good, unfit = self._fitting(request)
        with self._store.writing() as tx:
            tx.one_import_at_a_time(request.source)
            new, doubled = _unknown(tx, request.source, good)
            numbers: Sequence[int] = ()
            if new:
                numbers = self._insert(tx, request.actor, f"import of {request.source}", list(new.values()))
                tx.remember_sources(request.source, dict(zip(new, numbers, strict=True)))
            position = tx.publish(numbers)
        rejected = (*unfit, *doubled)
        present = len(request.rows) - len(rejected) - len(new)
        return ImportOutcome(added=len(new), present=present, rejected=rejected), position

    def preview_import(self, request: ImportBooks) -> tuple[ImportPreview, str]:
        """What import_books would do now; changes nothing. Of rows with one id the first counts."""
        good, unfit = self._fitting(request)
        with self._store.reading() as tx:
            position = tx.position()
            new, doubled = _unknown(tx, request.source, good)
        rejected = (*unfit, *doubled)
        refused = {row.source_id for row in rejected}
        present = tuple(source_id for source_id in good if source_id not in new and source_id not in refused)
        return ImportPreview(new=tuple(new), present=present, rejected=rejected), position

    def _fitting(self, request: ImportBooks) -> tuple[NewRows, list[RejectedRow]]:
        good: NewRows = {}
        rejected = []
        for row in request.rows:
            try:
                facts, price_minor = self._facts(row.book)
            except InvalidBook as error:
                rejected.append(RejectedRow(source_id=row.source_id, detail=f"{error.field}: {error.detail}"))
            else:
                good.setdefault(row.source_id, (facts, price_minor, row.book.stock))
        return good, rejected

    def _withdraw(self, tx: Transaction, books: Sequence[StoredBook], actor: str) -> str:
        now = self._clock()
        numbers = [book.item_number for book in books]
        if numbers:
            tx.withdraw(books, now)
            for number in numbers:
                tx.raise_version(number)
            tx.write_journal([JournalEntry(number, now, actor, "withdrawn", "") for number in numbers])
        return tx.publish(numbers)

    def _insert(
        self, tx: Transaction, actor: str, reason: str, new: Sequence[tuple[BookFacts, int, int]]
    ) -> Sequence[int]:
        now = self._clock()
        numbers = tx.add_books(new, now)
        tx.write_journal(
            [
                JournalEntry(number, now, actor, "added", reason, price_minor, stock)
                for number, (_, price_minor, stock) in zip(numbers, new, strict=True)
            ]
        )
        return numbers

    def _made_before(self, tx: Transaction, actor: str, key: str, body: bytes) -> bool:
        body_hash = sha256(body).hexdigest()
        used_for = tx.remember_edit(actor, key, body_hash, self._clock())
        if used_for not in (None, body_hash):
            raise KeyReused
        return used_for is not None

    def _apply(self, tx: Transaction, book: StoredBook, request: ChangeBook) -> list[JournalEntry]:
        """Make the changes; returns what goes into the journal, nothing where all is as it was."""
        change, now = request.change, self._clock()
        reason = given(change.reason, "")
        entries = []

        def note(kind: str, price_minor: int | None = None, stock_change: int | None = None) -> None:
            entries.append(JournalEntry(book.item_number, now, request.actor, kind, reason, price_minor, stock_change))

        if change.price is not UNSET:
            price_minor = self._minor(change.price)
            if price_minor != book.price_minor:
                tx.set_price(book.item_number, price_minor)
                note("price", price_minor=price_minor)
        stock_change = given(change.stock_change, 0)
        if stock_change:
            if book.stock + stock_change > MOST_COPIES:
                raise InvalidBook("stock_change", f"there can be at most {MOST_COPIES} copies; there are {book.stock}")
            if not tx.change_stock(book.item_number, stock_change):
                raise StockBelowZero(book.item_number, book.stock, stock_change, tx.position())
            note("stock", stock_change=stock_change)
        elif request.is_count:
            note("counted", stock_change=0)
        old, new = _facts_of(book), _changed_facts(book, change)
        if new != old:
            tx.set_details(book.item_number, book, new)
            note("details")
        return entries

    def _facts(self, book: NewBook) -> tuple[BookFacts, int]:
        facts = BookFacts(
            title=book.title,
            authors=book.authors,
            subjects=book.subjects,
            isbn=None if book.isbn is None else isbn13(book.isbn),
            language=book.language,
            year=book.year,
            blurb=book.blurb,
        )
        return facts, self._minor(book.price)

    def _minor(self, price: Money) -> int:
        if price.currency != self._currency:
            raise InvalidBook("price.currency", f"this shop sells in {self._currency}")
        return price.amount


def given(value: Value | UnsetType, otherwise: Value) -> Value:
    """``value``, or ``otherwise`` where it was left out."""
    return otherwise if isinstance(value, UnsetType) else value


def _sold(tx: Transaction, book: StoredBook | None, item_number: int) -> StoredBook:
    if book is None or book.withdrawn:
        raise UnknownBook(item_number, tx.position())
    return book


def _unknown(tx: Transaction, source: str, rows: NewRows) -> tuple[NewRows, list[RejectedRow]]:
    """Those that the source has not brought yet, and those of them that another source has."""
    known = tx.known_source_ids(source, list(rows))
    new = {source_id: book for source_id, book in rows.items() if source_id not in known}
    doubled = []
    for source_id, title, other in tx.known_elsewhere(source, list(new)):
        if source_id in new and title == new[source_id][0].title:
            del new[source_id]
            detail = f"{title!r} came under this id from the source {other!r} already"
            doubled.append(RejectedRow(source_id=source_id, detail=detail, known_from=other))
    return new, doubled


def _facts_of(book: StoredBook) -> BookFacts:
    return BookFacts(book.title, book.authors, book.subjects, book.isbn, book.language, book.year, book.blurb)


def _changed_facts(book: StoredBook, change: BookChange) -> BookFacts:
    isbn = given(change.isbn, book.isbn)
    return BookFacts(
        title=given(change.title, book.title),
        authors=given(change.authors, book.authors),
        subjects=given(change.subjects, book.subjects),
        isbn=None if isbn is None else isbn13(isbn),
        language=given(change.language, book.language),
        year=given(change.year, book.year),
        blurb=given(change.blurb, book.blurb),
    )
