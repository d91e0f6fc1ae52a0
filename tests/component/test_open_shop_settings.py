"""What commands in other terminals know of the shop that is open on a data folder."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bazar.cli.open_shop import remember_settings, settings_of_open_shop
from bazar.settings import Settings
from command import run_here

GIVEN = {
    "BAZAR_PORT": "18443",
    "BAZAR_ORDER_DATABASE_URL": "postgresql://bazar:open-sesame@db.example/orders",
    "BAZAR_TLS_CERTIFICATE": "public.pem",
    "BAZAR_TLS_KEY": "public.key",
    "HOME": "/root",
}
#: As bazar up does for as long as it runs.
HOLD = """
import sys
from pathlib import Path
from bazar.chassis.pidfile import pid_file
with pid_file(Path(sys.argv[1]), "up"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    """One that was started with GIVEN."""
    settings = Settings.from_environment({**GIVEN, "BAZAR_DATA_DIR": str(tmp_path / "var")})
    settings.run_directory.mkdir(parents=True)
    remember_settings(settings, GIVEN)
    return settings


@contextmanager
def is_open(shop: Settings) -> Iterator[int]:
    """Gives the process of what stands for ``bazar up``."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, shop.run_directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield holder.pid
        holder.communicate(b"")


def test_they_are_known_while_it_is_open_without_passwords(shop: Settings) -> None:
    assert settings_of_open_shop(shop.run_directory) == {}
    with is_open(shop):
        assert settings_of_open_shop(shop.run_directory) == {
            "BAZAR_DATA_DIR": str(shop.data_dir),
            "BAZAR_PORT": "18443",
            "BAZAR_TLS_CERTIFICATE": f"{Path.cwd()}/public.pem",
            "BAZAR_TLS_KEY": f"{Path.cwd()}/public.key",
        }
    assert settings_of_open_shop(shop.run_directory) == {}


def test_a_command_takes_them_and_its_own_settings_win(shop: Settings) -> None:
    folder = str(shop.data_dir)
    with is_open(shop) as process:
        found = run_here("up", BAZAR_DATA_DIR=folder)
        assert found.stderr == (
            f"Error: Bazar is open already at https://localhost:18443 (process {process}); Ctrl-C there closes it\n"
        )
        run_here("certs", "ensure", BAZAR_DATA_DIR=folder)
        assert ":18445: " in run_here("doctor", "--probe", "order", BAZAR_DATA_DIR=folder).stderr
        found = run_here("doctor", "--probe", "order", BAZAR_DATA_DIR=folder, BAZAR_PORT="28443")
        assert ":28445: " in found.stderr
