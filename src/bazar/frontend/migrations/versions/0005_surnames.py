"""People are found by any word of their name, for the counter.

What an older front-end writes while both run has no rows here: it is found by how the whole name begins, or the
address; and a name that it changes is found by the former surname too, until it is changed again.
"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NAMED = sa.text("SELECT account_id, name FROM accounts WHERE name <> ''")
_ADD = sa.text("INSERT INTO later_words (account_id, words) VALUES (:account_id, :words)")
_BETWEEN_WORDS = re.compile(r"[\s-]+(?=[^\s-])")
_MOST_WORDS = 8


def upgrade() -> None:
    op.create_table(
        "later_words",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "words", name="later_words_pk"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name="later_words_account", ondelete="CASCADE"
        ),
    )
    rows = [
        {"account_id": account_id, "words": words}
        for account_id, name in op.get_bind().execute(_NAMED)
        for words in _later_words(name)
    ]
    if rows:
        op.get_bind().execute(_ADD, rows)
    op.create_index("later_words_start", "later_words", ["words"], postgresql_ops={"words": "text_pattern_ops"})


def downgrade() -> None:
    op.drop_table("later_words")


def _later_words(name: str) -> list[str]:
    key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()
    return [key[found.end() :] for found in _BETWEEN_WORDS.finditer(key)][:_MOST_WORDS]
