"""Alembic's entry to the order server's migrations."""

from bazar.chassis.migration_environment import run_migrations
from bazar.order.storage.schema import metadata

run_migrations(metadata)
