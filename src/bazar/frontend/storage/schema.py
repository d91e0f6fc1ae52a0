"""The tables of the front-end's database. Times are microseconds since 1970, UTC."""

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Text, nullable=False),
    Column("email", Text, nullable=False),
    # The address without case: what makes two addresses one.
    Column("email_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", name="accounts_pk"),
    UniqueConstraint("email_key", name="accounts_email_key"),
    CheckConstraint("role IN ('customer', 'staff', 'admin')", name="accounts_role"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    # SHA-256 in hexadecimal: who reads the table can sign in as nobody.
    Column("secret_hash", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("account_id", Text, ForeignKey("accounts.account_id", name="sign_ins_account"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("secret_hash", name="sign_ins_pk"),
    CheckConstraint("kind IN ('token', 'session')", name="sign_ins_kind"),
    Index("sign_ins_expires_at", "expires_at"),
)

tries = Table(
    "tries",
    metadata,
    # What is limited and for whom, as in "sign-in:192.0.2.7".
    Column("bucket", Text, nullable=False),
    Column("window_start", BigInteger, nullable=False),
    Column("tries", BigInteger, nullable=False),
    PrimaryKeyConstraint("bucket", "window_start", name="tries_pk"),
    Index("tries_window_start", "window_start"),
)

_IS_GUEST = text("account_id IS NULL")

baskets = Table(
    "baskets",
    metadata,
    # The account's id, or SHA-256 of what a guest's cookie holds.
    Column("basket_key", Text, nullable=False),
    # A deleted account takes its basket along.
    Column("account_id", Text, ForeignKey("accounts.account_id", name="baskets_account", ondelete="CASCADE")),
    Column("purchase_key", Text, nullable=False),
    # Read and written whole: item number, copies, and title and price as the reader last saw them.
    Column("lines", JSON, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("basket_key", name="baskets_pk"),
    Index("baskets_of_guests", "changed_at", sqlite_where=_IS_GUEST, postgresql_where=_IS_GUEST),
    Index("baskets_account_id", "account_id"),
)
