"""Every setting as a flag, ``--port`` for ``BAZAR_PORT`` say. A flag wins over its variable."""

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Any, TypeVar

import click

from bazar.settings import Settings, flag_of

Command = TypeVar("Command", bound=Callable[..., Any])

_DATABASE_URL = "; give one with a password by the variable, since flags are seen in ps"


def takes_settings(command: Command) -> Command:
    """Let a command take all settings as flags; what came is given_flags'."""
    for setting in reversed(fields(Settings)):
        command = _option(setting)(command)
    return command


def given_flags() -> Mapping[str, str]:
    """What the flags of the command at hand say, by the names of the variables."""
    return _given(click.get_current_context())


def _option(setting: "Field[Any]") -> Callable[[Command], Command]:
    variable = setting.metadata["variable"]
    secret = _DATABASE_URL if variable.endswith("DATABASE_URL") else ""

    def note(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        if value is not None:
            _given(context)[variable] = value

    return click.option(
        flag_of(variable),
        metavar="VALUE",
        callback=note,
        expose_value=False,
        help=f"{setting.metadata['meaning']}{secret} [{variable}].",
    )


def _given(context: click.Context) -> dict[str, str]:
    given: dict[str, str] = context.meta.setdefault(__name__, {})
    return given
