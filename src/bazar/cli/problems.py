"""What a command says when it cannot go on: one line for a person, and no stack trace."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bazar.cli.flags import given_flags
from bazar.cli.open_shop import settings_of_open_shop
from bazar.settings import BadSetting, Settings, flag_of


def program() -> str:
    """How a person calls this program from this folder: by its path, for it is seldom on the PATH."""
    path = Path(sys.executable).with_name("bazar")
    if not path.exists():
        return "bazar"
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def to_run(command: str) -> str:
    """The command as a person can type it: ``up`` → ``.venv/bin/bazar up``."""
    context = click.get_current_context(silent=True)
    return f"{context.find_root().info_name if context else program()} {command}"


def settings() -> Settings:
    """From the flags of the command, the environment and the open shop; ends the command with what is wrong."""
    flags = given_flags()
    given = {**os.environ, **flags}
    try:
        shop = Settings.from_environment(given)
        return Settings.from_environment({**settings_of_open_shop(shop.run_directory), **given})
    except BadSetting as error:
        told = f"{flag_of(error.name)}={error.why}" if error.name in flags else str(error)
        raise click.ClickException(told) from error


def unwritable(folder: Path) -> tuple[str, str] | None:
    """What is wrong with a data folder that cannot be written or made, and how to mend it."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(place, os.W_OK | os.X_OK):
        return None
    if place == folder:
        return f"{folder} cannot be written", f"give it to the user who runs Bazar: chown -R USER {folder}"
    return f"{folder} cannot be made: {place} cannot be written", "choose another folder with BAZAR_DATA_DIR"


@contextmanager
def told_plainly(*expected: type[Exception]) -> Iterator[None]:
    """Turn these errors, and what the operating system refuses, into one line and exit status 1."""
    try:
        yield
    except expected + (OSError,) as error:  # noqa: RUF005 - mypy reads a sum of tuples, and no tuple with a star
        raise click.ClickException(" ".join(str(error).split())) from error
