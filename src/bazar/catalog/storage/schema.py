"""The catalog's tables. Times are microseconds since 1970 in UTC, prices integers of the currency's minor unit."""

import sqlalchemy as sa

from bazar.chassis.database import BigInteger

metadata = sa.MetaData()

books = sa.Table(
    "books",
    metadata,
    sa.Column("item_number", BigInteger, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("authors", sa.JSON, nullable=False),
    sa.Column("subjects", sa.JSON, nullable=False),
    sa.Column("isbn", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("year", sa.Integer),
    sa.Column("blurb", sa.Text, nullable=False),
    sa.Column("price_minor", BigInteger, nullable=False),
    sa.Column("stock", BigInteger, nullable=False),
    sa.Column("version", BigInteger, nullable=False, server_default="1"),
    # Set once and never cleared: old orders keep the book, and copies can still come back to it.
    sa.Column("withdrawn_at", BigInteger),
    sa.Column("added_at", BigInteger, nullable=False),
    sa.CheckConstraint("stock >= 0", name="stock_not_negative"),
    sa.CheckConstraint("price_minor >= 0", name="price_not_negative"),
    # Numbers are never given out twice, not even that of the last row.
    sqlite_autoincrement=True,
)

#: Which books have a subject; ``subject_key`` is the subject as it is compared.
book_subjects = sa.Table(
    "book_subjects",
    metadata,
    sa.Column("subject_key", sa.Text, primary_key=True),
    sa.Column("item_number", BigInteger, sa.ForeignKey("books.item_number"), primary_key=True),
)

#: How many books a subject has, kept with every change so that nobody has to count.
subjects = sa.Table(
    "subjects",
    metadata,
    sa.Column("subject_key", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("books", BigInteger, nullable=False),
)

#: Where imported books came from: running an import twice changes nothing.
sources = sa.Table(
    "sources",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("source_id", sa.Text, primary_key=True),
    sa.Column("item_number", BigInteger, sa.ForeignKey("books.item_number"), nullable=False),
    sa.Index("sources_by_id", "source_id"),
)

#: What was done to each book by staff; sales are in the holds.
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("entry_number", BigInteger, primary_key=True),
    sa.Column("item_number", BigInteger, sa.ForeignKey("books.item_number"), nullable=False),
    sa.Column("at", BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("price_minor", BigInteger),
    sa.Column("stock_change", BigInteger),
    sa.Index("journal_of_a_book", "item_number", "at"),
)

#: Keys of changes that were made: a repetition changes nothing more.
edits = sa.Table(
    "edits",
    metadata,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("idempotency_key", sa.Text, primary_key=True),
    sa.Column("body_hash", sa.Text, nullable=False),
    sa.Column("at", BigInteger, nullable=False),
    # The book that was added; null where one was changed.
    sa.Column("item_number", BigInteger),
)

#: One row an order, never deleted. A tombstone is a released hold without lines.
holds = sa.Table(
    "holds",
    metadata,
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("purchase_hash", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("held_at", BigInteger, nullable=False),
    sa.Column("changed_at", BigInteger, nullable=False),
    sa.Index(
        "open_holds",
        "order_id",
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    ),
)

#: ``available``: the copies that there were when the order was refused; null where they were taken.
hold_lines = sa.Table(
    "hold_lines",
    metadata,
    sa.Column("order_id", sa.Text, sa.ForeignKey("holds.order_id"), primary_key=True),
    sa.Column("item_number", BigInteger, sa.ForeignKey("books.item_number"), primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("quantity", BigInteger, nullable=False),
    sa.Column("price_minor", BigInteger, nullable=False),
    sa.Column("available", BigInteger),
    sa.Index("hold_lines_of_a_book", "item_number"),
)

#: One row: what the first start was told. Numbers alone do not say which currency they are of.
first_start = sa.Table(
    "first_start",
    metadata,
    sa.Column("only", sa.Integer, primary_key=True),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("sample", sa.Boolean, nullable=False),
)

#: One row: the number of the last change, and the epoch that ends when a backup is restored.
feed = sa.Table(
    "feed",
    metadata,
    sa.Column("only", sa.Integer, primary_key=True),
    sa.Column("epoch", sa.Text, nullable=False),
    sa.Column("last", BigInteger, nullable=False),
)

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("number", BigInteger, primary_key=True, autoincrement=False),
    sa.Column("item_number", BigInteger, nullable=False),
    sa.Column("version", BigInteger, nullable=False),
    # Null where an earlier version wrote it: then anything may have changed.
    sa.Column("offer_only", sa.Boolean),
)
