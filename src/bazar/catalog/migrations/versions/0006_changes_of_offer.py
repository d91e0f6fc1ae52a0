"""Which changes of the feed leave all lists as they are: those of stock and price, not those of stock alone."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("changes", "stock_only", new_column_name="offer_only")
