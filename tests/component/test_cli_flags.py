"""Settings as flags of the commands."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bazar.cli import bazar
from bazar.settings import settings_table
from command import run_here


def commands(group: click.Group, *before: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command that does something, hidden ones too, by what one types for it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *before, name)
        else:
            yield (*before, name), command


def test_every_command_takes_every_setting_as_a_flag() -> None:
    found = dict(commands(bazar))
    assert {("up",), ("catalog",), ("account", "create"), ("certs", "ensure")} <= set(found)
    for words, command in found.items():
        flags = {flag for parameter in command.params for flag in parameter.opts}
        assert {flag for _, flag, _, _ in settings_table()} <= flags, words


def test_a_flag_wins_over_its_variable(tmp_path: Path) -> None:
    said = run_here("certs", "show", "--data-dir", str(tmp_path / "flag"), BAZAR_DATA_DIR=str(tmp_path / "variable"))
    assert f"no certificates in {tmp_path}/flag/certs" in said.stderr


@pytest.mark.parametrize("command", [["up"], ["doctor"], ["catalogue", "take-in", "1", "1"]])
def test_a_bad_flag_is_named_as_it_was_given(tmp_path: Path, command: list[str]) -> None:
    said = run_here(*command, "--port", "high", BAZAR_DATA_DIR=str(tmp_path / "var"), BAZAR_PORT="8443")
    assert said.exit_code == 1
    assert said.stderr.startswith("Error: --port='high' cannot be used: a port from 1 to 65533")
    assert not (tmp_path / "var").exists()


def test_help_warns_of_passwords_in_flags() -> None:
    for command in ("up", "order"):
        assert "flags are seen in ps" in " ".join(run_here(command, "--help").output.split())
