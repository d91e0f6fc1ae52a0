"""Orders are made ready and collected; those of before count as placed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "moves",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("moved_to", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["decisions.order_id"]),
        sa.PrimaryKeyConstraint("order_id", "moved_to"),
    )
    op.create_index("moves_by_time", "moves", ["moved_to", "at"], unique=False)
    op.create_table(
        "order_states",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
    )
    op.create_index("orders_in_a_state", "order_states", ["state", "placed_at", "order_id"], unique=False)
    op.execute(
        "INSERT INTO order_states (order_id, state, placed_at) SELECT decisions.order_id, "
        "CASE WHEN cancellations.order_id IS NULL THEN 'placed' ELSE 'cancelled' END, decisions.decided_at "
        "FROM decisions LEFT JOIN cancellations ON cancellations.order_id = decisions.order_id "
        "WHERE decisions.outcome = 'confirmed'"
    )
