"""Alembic's entry to the catalog's migrations."""

from bazar.catalog.storage.schema import metadata
from bazar.chassis.migration_environment import run_migrations

run_migrations(metadata)
