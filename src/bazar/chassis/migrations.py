"""Bring a service's database to the current schema (Alembic), safe when two processes start together."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from bazar.chassis.database import Database


def migrate(database: Database, folder: Path) -> None:
    """Run the migrations of ``folder`` that the database lacks, all or none."""
    with database.migrating() as connection:
        config = Config()
        # A percent sign is special to the ini reader behind Config.
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
