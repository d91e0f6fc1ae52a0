"""Sources by the ids that they brought: an import asks which other one has brought the same."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("sources_by_id", "sources", ["source_id"])
