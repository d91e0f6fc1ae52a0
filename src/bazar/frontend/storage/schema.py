"""The tables of the front-end's database. Times are microseconds since 1970, UTC."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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

from bazar.chassis.database import BigInteger as RowNumber

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
    # The name without case, by which people are found.
    Column("name_key", Text),
    PrimaryKeyConstraint("account_id", name="accounts_pk"),
    UniqueConstraint("email_key", name="accounts_email_key"),
    CheckConstraint("role IN ('customer', 'staff', 'admin')", name="accounts_role"),
    Index("accounts_email_key_start", "email_key", postgresql_ops={"email_key": "text_pattern_ops"}),
    Index("accounts_name_key_start", "name_key", postgresql_ops={"name_key": "text_pattern_ops"}),
)

#: Names without case from their second word on, from their third on: what a surname is found by.
later_words = Table(
    "later_words",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.account_id", name="later_words_account", ondelete="CASCADE")),
    Column("words", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "words", name="later_words_pk"),
    Index("later_words_start", "words", postgresql_ops={"words": "text_pattern_ops"}),
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
    Index("sign_ins_account_id", "account_id"),
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

one_time_secrets = Table(
    "one_time_secrets",
    metadata,
    # SHA-256 in hexadecimal, as above.
    Column("secret_hash", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column(
        "account_id",
        Text,
        ForeignKey("accounts.account_id", name="one_time_secrets_account", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("expires_at", BigInteger, nullable=False),
    # No foreign key: who made it may be gone.
    Column("made_by", Text),
    PrimaryKeyConstraint("secret_hash", name="one_time_secrets_pk"),
    CheckConstraint("purpose IN ('new-password', 'second-step')", name="one_time_secrets_purpose"),
    Index("one_time_secrets_account_id", "account_id"),
    Index("one_time_secrets_expires_at", "expires_at"),
)

second_factors = Table(
    "second_factors",
    metadata,
    Column(
        "account_id",
        Text,
        ForeignKey("accounts.account_id", name="second_factors_account", ondelete="CASCADE"),
        nullable=False,
    ),
    # Codes are made with it, so it is kept as it is.
    Column("secret", Text, nullable=False),
    Column("is_on", Boolean, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("wrong_codes", BigInteger, nullable=False),
    Column("wrong_since", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", name="second_factors_pk"),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column(
        "account_id",
        Text,
        ForeignKey("second_factors.account_id", name="recovery_codes_account", ondelete="CASCADE"),
        nullable=False,
    ),
    # SHA-256 in hexadecimal; a code has 80 random bits.
    Column("code_hash", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "code_hash", name="recovery_codes_pk"),
)

account_journal = Table(
    "account_journal",
    metadata,
    Column("line_number", RowNumber, nullable=False),
    Column("at", BigInteger, nullable=False),
    # Account ids, of deleted accounts too; or "operator".
    Column("actor", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("deed", Text, nullable=False),
    Column("role", Text, nullable=False),
    PrimaryKeyConstraint("line_number", name="account_journal_pk"),
    Index("account_journal_account_id", "account_id"),
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
