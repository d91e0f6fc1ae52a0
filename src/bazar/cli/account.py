"""``bazar account``: accounts of people, made by whoever runs the shop."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from subprocess import CalledProcessError
from typing import Any

import click

from bazar.chassis.certificates import MissingCertificates
from bazar.chassis.database import StorageUnavailable, UnusableDatabase
from bazar.cli.flags import takes_settings
from bazar.cli.problems import settings, told_plainly
from bazar.contracts.names import FRONTEND
from bazar.deployment import RestoreUnfinished, prepare_folders
from bazar.frontend.domain.account_care import LINK_LIFETIME, UnknownAccount
from bazar.frontend.domain.accounts import AccountExists, InvalidField, Role, TooBusy
from bazar.frontend.domain.errors import ShopError
from bazar.frontend.domain.passwords import WeakPassword
from bazar.frontend.use_cases.lost_passwords import address_of
from bazar.frontend.use_cases.people import People
from bazar.frontend.wiring import MIGRATIONS, people_of
from bazar.resources import own_database

_IN_WORDS: Mapping[type[ShopError], Callable[[Any], str]] = {
    AccountExists: lambda error: f"{error.email} has an account already",
    InvalidField: lambda error: f"{error.field}: {error.detail}",
    UnknownAccount: lambda _: "no account has this address",
    TooBusy: lambda _: "too many passwords are being checked at this moment; try again",
    WeakPassword: lambda error: f"Please choose another password. {error.reason}",
}


@click.group()
def account() -> None:
    """Accounts of customers and staff."""


@account.command()
@click.argument("email")
@click.option("--role", type=click.Choice(["customer", "staff", "admin"]), default="customer", show_default=True)
@click.option("--name", default="", help="What the person is called.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, for scripts.")
@takes_settings
def create(email: str, role: str, name: str, password_stdin: bool) -> None:
    """Make an account for EMAIL."""
    password = (
        _first_line(sys.stdin.buffer.readline())
        if password_stdin and not sys.stdin.isatty()  # a terminal would show what is typed
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    with _told_in_words(), _people() as people:
        person = people.accounts.create_account(email, password, Role(role), name)
    click.echo(f"{person.email} can sign in as {person.role}")


@account.command()
@click.argument("email")
@takes_settings
def link(email: str) -> None:
    """Make a link for EMAIL, by which who lost the password chooses another, once."""
    with _told_in_words(), _people() as people:
        secret = people.lost_passwords.make_link(email, actor=None)
    click.echo(address_of(settings().public_url, secret))
    click.echo(f"It works once, within {LINK_LIFETIME.seconds // 60} minutes.", err=True)


@account.command(name="second-factor-off")
@click.argument("email")
@takes_settings
def second_factor_off(email: str) -> None:
    """Let EMAIL sign in by the password alone, where the device with the codes is lost."""
    with _told_in_words(), _people() as people:
        person = people.staff_accounts.find(email)
        was_on = people.staff_accounts.switch_off_second_factor(None, person.account_id)
    click.echo(f"{person.email} signs in without a code {'from now on' if was_on else 'anyway'}")


@account.command(name="first-admin", hidden=True)
@takes_settings
def first_admin() -> None:
    """Make the first admin where there is none, and print address and password as JSON, for bazar up."""
    with _told_in_words(), _people() as people:
        made = people.accounts.ensure_first_admin()
    if made is not None:
        click.echo(json.dumps({"email": made.email, "password": made.password}))


def _first_line(line: bytes) -> str:
    """As UTF-8 whatever the locale: the same password is typed on pages, which send UTF-8."""
    if not line:
        raise click.ClickException("no password came on standard input")
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise click.ClickException("the password on standard input is no UTF-8") from error


@contextmanager
def _told_in_words() -> Iterator[None]:
    with told_plainly(StorageUnavailable, UnusableDatabase, CalledProcessError, MissingCertificates, RestoreUnfinished):
        try:
            yield
        except tuple(_IN_WORDS) as error:
            raise click.ClickException(_IN_WORDS[type(error)](error)) from error


@contextmanager
def _people() -> Iterator[People]:
    shop = settings()
    prepare_folders(shop)
    own = own_database(shop, FRONTEND, MIGRATIONS)
    try:
        yield people_of(shop, own)
    finally:
        own.close()
