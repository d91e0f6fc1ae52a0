"""Moves, cancellations and ended stuck orders are read by time, for the journal of orders."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("moves_in_time", "moves", ["at", "order_id", "moved_to"], unique=False)
    op.create_index("cancellations_in_time", "cancellations", ["cancelled_at", "order_id"], unique=False)
    op.create_index("journal_in_time", "journal", ["at", "order_id"], unique=False)
