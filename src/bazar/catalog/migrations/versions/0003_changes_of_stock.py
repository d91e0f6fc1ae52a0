"""Which changes of the feed are of stock alone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("changes", sa.Column("stock_only", sa.Boolean(), nullable=True))
