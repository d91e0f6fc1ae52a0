"""Baskets."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "baskets",
        sa.Column("basket_key", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=True),
        sa.Column("purchase_key", sa.Text, nullable=False),
        sa.Column("lines", sa.JSON, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("basket_key", name="baskets_pk"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="baskets_account", ondelete="CASCADE"),
    )
    op.create_index(
        "baskets_of_guests",
        "baskets",
        ["changed_at"],
        sqlite_where=sa.text("account_id IS NULL"),
        postgresql_where=sa.text("account_id IS NULL"),
    )
    op.create_index("baskets_account_id", "baskets", ["account_id"])


def downgrade() -> None:
    op.drop_table("baskets")
