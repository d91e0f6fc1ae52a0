"""The command ``bazar``. A subcommand loads only what it needs itself: a server's memory is the shop's."""

import os
import sys
from importlib import import_module

import click

from bazar.cli.problems import program

#: Subcommand → the module that has it under the same name.
_COMMANDS = {
    "up": "bazar.cli.up",
    "frontend": "bazar.cli.servers",
    "catalog": "bazar.cli.servers",
    "order": "bazar.cli.servers",
    "account": "bazar.cli.account",
    "catalogue": "bazar.cli.catalogue",
    "certs": "bazar.cli.certs",
    "backup": "bazar.cli.backup",
    "restore": "bazar.cli.restore",
    "doctor": "bazar.cli.doctor",
}


class _Subcommands(click.Group):
    """Imports a subcommand when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - also
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(_COMMANDS[cmd_name]), cmd_name)
        return command


@click.group(cls=_Subcommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bazar")
def bazar() -> None:
    """Bazar, an on-line book store of three servers. Settings are variables or flags: docs/runbook.md."""


def main() -> None:
    """Entry point of the installed command."""
    # Databases, logs and keys are for nobody else, whatever folder they are put in.
    os.umask(0o077)
    sys.exit(bazar(prog_name=program()))
