"""What every service's ``migrations/env.py`` does: run on the connection that the service opened."""

import sqlalchemy as sa
from alembic import context


def run_migrations(metadata: sa.MetaData) -> None:
    """Called by Alembic through env.py."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        # The transaction is the caller's: all migrations of one start are done, or none.
        transaction_per_migration=False,
    )
    context.run_migrations()
