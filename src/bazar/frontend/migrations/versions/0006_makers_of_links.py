"""Links for lost passwords know who made them, and end with what that account may do.

A link that an older front-end makes while both run has no maker here: it ends by its time, within half an hour.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("one_time_secrets", sa.Column("made_by", sa.Text))


def downgrade() -> None:
    op.drop_column("one_time_secrets", "made_by")
