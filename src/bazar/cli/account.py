"""``bazar account``: accounts of people, made by whoever runs the shop."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from bazar.cli.problems import settings, told_plainly

if TYPE_CHECKING:
    from bazar.frontend.use_cases.accounts import Accounts


@click.group()
def account() -> None:
    """Accounts of customers and staff."""


@account.command()
@click.argument("email")
@click.option("--role", type=click.Choice(["customer", "staff", "admin"]), default="customer", show_default=True)
@click.option("--name", default="", help="What the person is called.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, for scripts.")
def create(email: str, role: str, name: str, password_stdin: bool) -> None:
    """Make an account for EMAIL."""
    from bazar.chassis.database import StorageUnavailable  # noqa: PLC0415 - see bazar.cli
    from bazar.frontend.domain.accounts import Role  # noqa: PLC0415
    from bazar.frontend.domain.errors import ShopError  # noqa: PLC0415

    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    with told_plainly(ShopError, StorageUnavailable), _accounts() as accounts:
        person = accounts.create_account(email, password, Role(role), name)
    click.echo(f"{person.email} can sign in as {person.role}")


@account.command(name="first-admin", hidden=True)
def first_admin() -> None:
    """Make the first admin where there is none, and print address and password as JSON, for bazar up."""
    with _accounts() as accounts:
        made = accounts.ensure_first_admin()
    if made is not None:
        click.echo(json.dumps({"email": made.email, "password": made.password}))


@contextmanager
def _accounts() -> "Iterator[Accounts]":
    from bazar.chassis.migrations import migrate  # noqa: PLC0415 - see bazar.cli
    from bazar.contracts.calls import FRONTEND  # noqa: PLC0415
    from bazar.frontend.wiring import MIGRATIONS, accounts_of  # noqa: PLC0415
    from bazar.shop import database, prepare_folders  # noqa: PLC0415

    shop = settings()
    prepare_folders(shop)
    own = database(shop, FRONTEND)
    try:
        migrate(own, MIGRATIONS)
        yield accounts_of(shop, own)
    finally:
        own.close()
