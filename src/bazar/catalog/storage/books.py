"""Books, their subjects, sources and journal, in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.catalog.domain.text import normalise
from bazar.catalog.storage.schema import book_subjects, books, edits, feed, journal, sources, subjects
from bazar.catalog.use_cases.ports import BookFacts, JournalEntry, StoredBook
from bazar.chassis.database import Database, for_update, one_at_a_time, restart_numbers
from bazar.contracts.books import MOST_SUBJECTS, SubjectCount
from bazar.contracts.times import from_microseconds, microseconds

_ONE = sa.select(books).where(books.c.item_number == sa.bindparam("item_number"))
#: A row also where there is no such book.
_ONE_AND_POSITION = sa.select(feed.c.epoch, feed.c.last, books).select_from(
    feed.outerjoin(books, books.c.item_number == sa.bindparam("item_number"))
)
_SOME = sa.select(books).where(
    books.c.item_number.in_(sa.bindparam("item_numbers", expanding=True)), books.c.withdrawn_at.is_(None)
)
_SOLD = sa.select(books.c.item_number).where(
    books.c.item_number.in_(sa.bindparam("item_numbers", expanding=True)), books.c.withdrawn_at.is_(None)
)
#: A withdrawn book has left its subjects.
_SOLD_OF_SUBJECT = sa.select(book_subjects.c.item_number).where(
    book_subjects.c.subject_key == sa.bindparam("key"),
    book_subjects.c.item_number.in_(sa.bindparam("item_numbers", expanding=True)),
)
_OF_SUBJECT = (
    sa.select(books)
    .join(book_subjects, book_subjects.c.item_number == books.c.item_number)
    .where(
        book_subjects.c.subject_key == sa.bindparam("key"),
        book_subjects.c.item_number > sa.bindparam("after"),
    )
    .order_by(book_subjects.c.item_number)
    .limit(sa.bindparam("most"))
)
_FROM_NUMBER = (
    sa.select(books)
    .where(books.c.item_number > sa.bindparam("after"), books.c.withdrawn_at.is_(None))
    .order_by(books.c.item_number)
    .limit(sa.bindparam("most"))
)
_OF_SOURCE = (
    sa.select(books)
    .where(
        books.c.item_number.in_(sa.select(sources.c.item_number).where(sources.c.source == sa.bindparam("source"))),
        books.c.withdrawn_at.is_(None),
    )
    .order_by(books.c.item_number)
    .limit(sa.bindparam("most"))
)
_SOURCES = sa.select(sources.c.source).distinct().order_by(sources.c.source)
_ELSEWHERE = (
    sa.select(sources.c.source_id, books.c.title, sources.c.source)
    .join(books, books.c.item_number == sources.c.item_number)
    .where(
        sources.c.source_id.in_(sa.bindparam("source_ids", expanding=True)),
        sources.c.source != sa.bindparam("source"),
        books.c.withdrawn_at.is_(None),
    )
)
_ANY = sa.select(books.c.item_number).limit(1)
_COUNT = sa.select(subjects.c.books).where(subjects.c.subject_key == sa.bindparam("key"))
_SUBJECTS = (
    sa.select(subjects.c.subject, subjects.c.books)
    .where(subjects.c.books > 0)
    .order_by(subjects.c.books.desc(), subjects.c.subject_key)
    .limit(MOST_SUBJECTS)
)
_COUNT_SUBJECT = sa.text(
    "INSERT INTO subjects (subject_key, subject, books) VALUES (:key, :subject, :books) "
    "ON CONFLICT (subject_key) DO UPDATE SET books = subjects.books + excluded.books"
)
#: The numbers come back in the order of the rows.
_ADD = sa.insert(books).returning(books.c.item_number, sort_by_parameter_order=True)
_CHANGE_STOCK = (
    sa.update(books)
    .where(books.c.item_number == sa.bindparam("item"), books.c.stock + sa.bindparam("change") >= 0)
    .values(stock=books.c.stock + sa.bindparam("change"))
)
_REMEMBER_EDIT = sa.text(
    "INSERT INTO edits (actor, idempotency_key, body_hash, at) VALUES (:actor, :key, :hash, :at) ON CONFLICT DO NOTHING"
)
_EDIT = sa.select(edits.c.body_hash).where(
    edits.c.actor == sa.bindparam("actor"), edits.c.idempotency_key == sa.bindparam("key")
)
_ADDED = sa.select(edits.c.item_number).where(
    edits.c.actor == sa.bindparam("actor"), edits.c.idempotency_key == sa.bindparam("key")
)


def book_and_position(database: Database, item_number: int) -> tuple[StoredBook | None, str]:
    """Both in one statement, since nothing is asked more often."""
    (row,) = database.glance(_ONE_AND_POSITION, {"item_number": item_number})
    return None if row.item_number is None else _book(row), f"{row.epoch}-{row.last}"


def books_and_position(database: Database, item_numbers: Sequence[int]) -> tuple[Sequence[StoredBook], str]:
    """Those of the books of a page that are sold, in the order asked for, in one statement too."""
    rows = database.glance(
        _some_and_position(len(item_numbers)), {f"item_{place}": number for place, number in enumerate(item_numbers)}
    )
    found = {row.item_number: _book(row) for row in rows if row.item_number is not None}
    return _in_order(item_numbers, found), f"{rows[0].epoch}-{rows[0].last}"


@cache
def _some_and_position(number_of_books: int) -> "sa.Select[Any]":
    """A row also where there is none of the books. There are as many statements as a page may have books."""
    asked = [sa.bindparam(f"item_{place}", type_=sa.BigInteger) for place in range(number_of_books)]
    are_asked_for = books.c.item_number.in_(asked) if asked else sa.false()
    are_sold = books.c.withdrawn_at.is_(None)
    return sa.select(feed.c.epoch, feed.c.last, books).select_from(feed.outerjoin(books, are_asked_for & are_sold))


def _in_order(item_numbers: Sequence[int], found: Mapping[int, StoredBook]) -> Sequence[StoredBook]:
    return [found[number] for number in item_numbers if number in found]


class BookRows:
    """Part of a transaction on the catalog's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def book(self, item_number: int) -> StoredBook | None:
        row = self._connection.execute(_ONE, {"item_number": item_number}).one_or_none()
        return None if row is None else _book(row)

    def book_for_update(self, item_number: int) -> StoredBook | None:
        statement = for_update(_ONE, self._connection)
        row = self._connection.execute(statement, {"item_number": item_number}).one_or_none()
        return None if row is None else _book(row)

    def books(self, item_numbers: Sequence[int]) -> Sequence[StoredBook]:
        rows = self._connection.execute(_SOME, {"item_numbers": list(item_numbers)})
        return _in_order(item_numbers, {row.item_number: _book(row) for row in rows})

    def sold(self, item_numbers: Sequence[int], subject_key: str | None) -> frozenset[int]:
        values: dict[str, Any] = {"item_numbers": list(item_numbers)}
        if subject_key is None:
            return frozenset(self._connection.execute(_SOLD, values).scalars())
        return frozenset(self._connection.execute(_SOLD_OF_SUBJECT, {**values, "key": subject_key}).scalars())

    def books_from(self, after: int, limit: int) -> Sequence[StoredBook]:
        """Books that are sold, in ascending order of their numbers."""
        return [_book(row) for row in self._connection.execute(_FROM_NUMBER, {"after": after, "most": limit})]

    def has_books(self) -> bool:
        """Whether there is or ever was a book."""
        return self._connection.execute(_ANY).first() is not None

    def restart_item_numbers(self) -> None:
        """Begin at 1 again, in a catalog without a book: a load that was interrupted may have used up numbers."""
        restart_numbers(self._connection, books.c.item_number)

    def books_of_subject(self, subject_key: str, after: int, limit: int) -> Sequence[StoredBook]:
        rows = self._connection.execute(_OF_SUBJECT, {"key": subject_key, "after": after, "most": limit})
        return [_book(row) for row in rows]

    def number_of_books(self, subject_key: str) -> int:
        return self._connection.execute(_COUNT, {"key": subject_key}).scalar_one_or_none() or 0

    def subjects(self) -> Sequence[SubjectCount]:
        return [SubjectCount(subject=row.subject, books=row.books) for row in self._connection.execute(_SUBJECTS)]

    def add_books(self, facts: Sequence[tuple[BookFacts, int, int]], at: datetime) -> Sequence[int]:
        rows = [
            {**_columns(book), "price_minor": price_minor, "stock": stock, "added_at": microseconds(at)}
            for book, price_minor, stock in facts
        ]
        numbers = self._connection.execute(_ADD, rows).scalars().all()
        self._join_subjects([(number, book.subjects) for number, (book, _, _) in zip(numbers, facts, strict=True)])
        self._count_subjects([(book.subjects, 1) for book, _, _ in facts])
        return numbers

    def set_details(self, item_number: int, old: StoredBook, facts: BookFacts) -> None:
        self._connection.execute(sa.update(books).where(books.c.item_number == item_number).values(**_columns(facts)))
        if _keys(old.subjects) != _keys(facts.subjects):
            self._leave_subjects(item_number)
            self._join_subjects([(item_number, facts.subjects)])
            self._count_subjects([(old.subjects, -1), (facts.subjects, 1)])

    def set_price(self, item_number: int, price_minor: int) -> None:
        self._connection.execute(
            sa.update(books).where(books.c.item_number == item_number).values(price_minor=price_minor)
        )

    def change_stock(self, item_number: int, change: int) -> bool:
        return self._connection.execute(_CHANGE_STOCK, {"item": item_number, "change": change}).rowcount == 1

    def raise_version(self, item_number: int) -> None:
        self._connection.execute(
            sa.update(books).where(books.c.item_number == item_number).values(version=books.c.version + 1)
        )

    def withdraw(self, withdrawn: Sequence[StoredBook], at: datetime) -> None:
        for book in withdrawn:
            self._connection.execute(
                sa.update(books).where(books.c.item_number == book.item_number).values(withdrawn_at=microseconds(at))
            )
            self._leave_subjects(book.item_number)
        self._count_subjects([(book.subjects, -1) for book in withdrawn])

    def books_of_source_for_update(self, source: str, limit: int) -> Sequence[StoredBook]:
        statement = for_update(_OF_SOURCE, self._connection)
        return [_book(row) for row in self._connection.execute(statement, {"source": source, "most": limit})]

    def sources(self) -> Sequence[str]:
        return self._connection.execute(_SOURCES).scalars().all()

    def one_import_at_a_time(self, source: str) -> None:
        one_at_a_time(self._connection, f"import of {source}")

    def known_source_ids(self, source: str, source_ids: Sequence[str]) -> frozenset[str]:
        found = self._connection.execute(
            sa.select(sources.c.source_id).where(sources.c.source == source, sources.c.source_id.in_(source_ids))
        )
        return frozenset(found.scalars())

    def known_elsewhere(self, source: str, source_ids: Sequence[str]) -> Sequence[tuple[str, str, str]]:
        found = self._connection.execute(_ELSEWHERE, {"source": source, "source_ids": list(source_ids)})
        return [(row.source_id, row.title, row.source) for row in found]

    def remember_sources(self, source: str, item_numbers: Mapping[str, int]) -> None:
        self._connection.execute(
            sa.insert(sources),
            [
                {"source": source, "source_id": source_id, "item_number": number}
                for source_id, number in item_numbers.items()
            ],
        )

    def remember_edit(self, actor: str, key: str, body_hash: str, at: datetime) -> str | None:
        made = self._connection.execute(
            _REMEMBER_EDIT, {"actor": actor, "key": key, "hash": body_hash, "at": microseconds(at)}
        )
        if made.rowcount == 1:
            return None
        return str(self._connection.execute(_EDIT, {"actor": actor, "key": key}).scalar_one())

    def remember_added(self, actor: str, key: str, item_number: int) -> None:
        under = (edits.c.actor == actor, edits.c.idempotency_key == key)
        self._connection.execute(sa.update(edits).where(*under).values(item_number=item_number))

    def added(self, actor: str, key: str) -> int:
        return int(self._connection.execute(_ADDED, {"actor": actor, "key": key}).scalar_one())

    def write_journal(self, entries: Sequence[JournalEntry]) -> None:
        self._connection.execute(
            sa.insert(journal),
            [
                {
                    "item_number": entry.item_number,
                    "at": microseconds(entry.at),
                    "who": entry.who,
                    "kind": entry.kind,
                    "reason": entry.reason,
                    "price_minor": entry.price_minor,
                    "stock_change": entry.stock_change,
                }
                for entry in entries
            ],
        )

    def _join_subjects(self, new: Sequence[tuple[int, tuple[str, ...]]]) -> None:
        rows = [{"subject_key": key, "item_number": number} for number, names in new for key in _keys(names)]
        if rows:
            self._connection.execute(sa.insert(book_subjects), rows)

    def _leave_subjects(self, item_number: int) -> None:
        self._connection.execute(sa.delete(book_subjects).where(book_subjects.c.item_number == item_number))

    def _count_subjects(self, changes: Sequence[tuple[tuple[str, ...], int]]) -> None:
        """Once in a transaction: all of its counts in ascending order, else two could wait for each other."""
        counts: dict[str, tuple[str, int]] = {}
        for names, change in changes:
            for key, name in _keys(names).items():
                counts[key] = (counts.get(key, (name, 0))[0], counts.get(key, (name, 0))[1] + change)
        rows = [{"key": key, "subject": name, "books": count} for key, (name, count) in sorted(counts.items()) if count]
        if rows:
            self._connection.execute(_COUNT_SUBJECT, rows)


def _keys(names: Sequence[str]) -> dict[str, str]:
    """The subjects by their key; the first spelling of a key is the one that is shown."""
    keys: dict[str, str] = {}
    for name in names:
        keys.setdefault(normalise(name), name)
    return keys


def _columns(facts: BookFacts) -> dict[str, Any]:
    return {
        "title": facts.title,
        "authors": list(facts.authors),
        "subjects": list(facts.subjects),
        "isbn": facts.isbn,
        "language": facts.language,
        "year": facts.year,
        "blurb": facts.blurb,
    }


def _book(row: Any) -> StoredBook:
    return StoredBook(
        item_number=row.item_number,
        title=row.title,
        authors=tuple(row.authors),
        subjects=tuple(row.subjects),
        isbn=row.isbn,
        language=row.language,
        year=row.year,
        blurb=row.blurb,
        price_minor=row.price_minor,
        stock=row.stock,
        version=row.version,
        withdrawn=row.withdrawn_at is not None,
        added_at=from_microseconds(row.added_at),
    )
