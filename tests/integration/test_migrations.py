"""Each service's migrations, on every database that the shop runs on."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import bazar
import bazar.catalog.storage.schema
import bazar.frontend.storage.schema
import bazar.order.storage.schema
from bazar.chassis.database import Database
from bazar.chassis.migrations import migrate

SCHEMAS = {
    "catalog": bazar.catalog.storage.schema.metadata,
    "order": bazar.order.storage.schema.metadata,
    "frontend": bazar.frontend.storage.schema.metadata,
}
#: Waits for a line on standard input, so that several begin at the same moment.
MIGRATE = """
import sys
from pathlib import Path
from bazar.chassis.database import Database
from bazar.chassis.migrations import migrate
print("ready", flush=True)
sys.stdin.readline()
migrate(Database(sys.argv[1]), Path(sys.argv[2]))
"""


def migrations_of(service: str) -> Path:
    return Path(bazar.__path__[0]) / service / "migrations"


def differences(database: Database, service: str) -> list[object]:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, SCHEMAS[service]))


@pytest.mark.parametrize("service", SCHEMAS)
def test_the_migrations_make_the_schema_that_the_code_uses(database: Database, service: str) -> None:
    migrate(database, migrations_of(service))
    assert differences(database, service) == []


@pytest.mark.parametrize("service", SCHEMAS)
def test_a_second_start_changes_nothing(database: Database, service: str) -> None:
    for _ in range(2):
        migrate(database, migrations_of(service))
    assert differences(database, service) == []


def test_processes_that_start_together_migrate_once(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    starters = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, url, migrations_of("catalog")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for starter in starters:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"ready\n"
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write(b"go\n")
        starter.stdin.flush()
    assert [starter.communicate()[1] for starter in starters] == [b"", b""]
    assert [starter.returncode for starter in starters] == [0, 0]
    assert differences(database, "catalog") == []


def test_a_migration_that_fails_leaves_nothing(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "100% ours"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text((migrations_of("order") / "env.py").read_text())
    (folder / "versions" / "0001_first.py").write_text(
        "from alembic import op\n"
        "revision = '0001'\n"
        "down_revision = None\n"
        "def upgrade():\n"
        "    op.execute('CREATE TABLE half (number INTEGER)')\n"
        "    op.execute('SELECT no_such_thing FROM half')\n"
    )
    with pytest.raises(Exception, match="no_such_thing"):
        migrate(database, folder)
    assert sa.inspect(database.engine).get_table_names() == []
