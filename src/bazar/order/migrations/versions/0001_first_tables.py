"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("purchase_hash", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("shortages", sa.JSON(), nullable=False),
        sa.Column("position", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("order_id"),
    )
    op.create_index(
        "orders_by_time",
        "decisions",
        ["decided_at", "order_id"],
        unique=False,
        sqlite_where=sa.text("outcome = 'confirmed'"),
        postgresql_where=sa.text("outcome = 'confirmed'"),
    )
    op.create_index(
        "orders_of_an_account",
        "decisions",
        ["account_id", "decided_at", "order_id"],
        unique=False,
        sqlite_where=sa.text("outcome = 'confirmed'"),
        postgresql_where=sa.text("outcome = 'confirmed'"),
    )
    op.create_table(
        "secrets",
        sa.Column("only", sa.Integer(), nullable=False),
        sa.Column("order_ids", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("only"),
    )
    op.create_table(
        "stuck_orders",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
    )
