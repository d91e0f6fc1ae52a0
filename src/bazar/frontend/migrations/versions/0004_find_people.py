"""People are found by how their address or name begins, for the counter.

What an older front-end writes while both run has no key of its name: it is found by its address.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NAMED = sa.text("SELECT account_id, name FROM accounts WHERE name <> ''")
_SET_KEY = sa.text("UPDATE accounts SET name_key = :name_key WHERE account_id = :account_id")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("name_key", sa.Text))
    # Not by lower(), which knows only the letters of ASCII on SQLite.
    keys = [{"account_id": account_id, "name_key": _key(name)} for account_id, name in op.get_bind().execute(_NAMED)]
    if keys:
        op.get_bind().execute(_SET_KEY, keys)
    for column in ("email_key", "name_key"):
        op.create_index(
            f"accounts_{column}_start", "accounts", [column], postgresql_ops={column: "text_pattern_ops"}, unique=False
        )


def downgrade() -> None:
    for column in ("email_key", "name_key"):
        op.drop_index(f"accounts_{column}_start", "accounts")
    op.drop_column("accounts", "name_key")


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()
