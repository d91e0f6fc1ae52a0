"""Which book was added under a key: adding it again gives the same one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "edits", sa.Column("item_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
