"""Cancellations of confirmed orders."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cancellations",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("cancelled_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("returned_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["decisions.order_id"]),
        sa.PrimaryKeyConstraint("order_id"),
    )
    op.create_index(
        "unreturned_orders",
        "cancellations",
        ["order_id"],
        sqlite_where=sa.text("returned_at IS NULL"),
        postgresql_where=sa.text("returned_at IS NULL"),
    )
