"""The command ``bazar``. Each subcommand loads only what it needs: a server's memory is the shop's."""

import sys

import click

from bazar.cli import account, catalogue, certs, doctor, servers, up


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bazar")
def bazar() -> None:
    """Bazar, an on-line book store of three servers. Settings are environment variables: docs/runbook.md."""


for command in (
    up.up,
    servers.frontend,
    servers.catalog,
    servers.order,
    account.account,
    catalogue.catalogue,
    certs.certs,
    doctor.doctor,
):
    bazar.add_command(command)


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(bazar())
