"""The settings that the open shop was started with, so that commands in other terminals need not be told them."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bazar.chassis.pidfile import live_processes
from bazar.settings import Settings

_FILE = "settings.json"
_UP = "up"
#: They have passwords.
_NOT_KEPT = "DATABASE_URL"


def process_of_open_shop(run_directory: Path) -> int | None:
    """The process of ``bazar up`` on this data folder; None where there is none, or it is another user's."""
    with suppress(OSError):
        return live_processes(run_directory).get(_UP)
    return None


def remember_settings(shop: Settings, environment: Mapping[str, str]) -> None:
    """Keep what ``bazar up`` was given, for as long as it runs; addresses of databases are left out."""
    given = {
        name: value for name, value in environment.items() if name.startswith("BAZAR_") and not name.endswith(_NOT_KEPT)
    }
    files = {"BAZAR_TLS_CERTIFICATE": shop.tls_certificate, "BAZAR_TLS_KEY": shop.tls_key}
    given |= {name: str(path.absolute()) for name, path in files.items() if path}
    given["BAZAR_DATA_DIR"] = str(shop.data_dir)
    unfinished = shop.run_directory / f"{_FILE}.new"
    unfinished.write_text(json.dumps(given))
    unfinished.replace(shop.run_directory / _FILE)


def settings_of_open_shop(run_directory: Path) -> Mapping[str, str]:
    """By the names of their variables; none where no shop is open."""
    if process_of_open_shop(run_directory) is None:
        return {}
    try:
        kept: dict[str, str] = json.loads((run_directory / _FILE).read_text())
    except FileNotFoundError:  # it has just begun
        return {}
    return kept
