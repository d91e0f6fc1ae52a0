"""Commands that need no open shop: help, settings, accounts, certificates; and what they say when they cannot."""

import os
import re
import select
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

import pytest

from bazar.chassis.certificates import describe
from bazar.cli import _COMMANDS
from bazar.cli.problems import program
from bazar.frontend.domain.accounts import SignInKind
from bazar.frontend.domain.second_factor import CodeNeeded
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.wiring import people_of
from bazar.resources import database
from bazar.settings import Settings
from command import run, run_here

PASSWORD = "violet tables dance"
#: What a person sees of an error: one line, no stack trace.
ONE_LINE = 1


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where a data folder will be."""
    return str(tmp_path / "var")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data folder with accounts."""
    return str(tmp_path_factory.mktemp("accounts") / "var")


Read = Callable[[str], list[str]]


@pytest.fixture
def sign_in(data_dir: str) -> Read:
    """Who somebody is who signs in with PASSWORD: (address, name, role)."""
    shop = Settings.from_environment({"BAZAR_DATA_DIR": data_dir})

    def who(email: str) -> list[str]:
        own = database(shop, "frontend")
        try:
            accounts: Accounts = people_of(shop, own).accounts
            person = accounts.sign_in(email, PASSWORD, SignInKind.TOKEN, "127.0.0.1").person
            return [person.email, person.name, person.role]
        finally:
            own.close()

    return who


def test_help_names_every_command_and_each_has_its_own() -> None:
    found = run_here("--help")
    assert found.exit_code == 0
    for name in _COMMANDS:
        assert f"\n  {name} " in found.output
        assert run_here(name, "--help").exit_code == 0


def test_an_unknown_command_is_named() -> None:
    found = run_here("sell")
    assert found.exit_code == 2
    assert "No such command 'sell'" in found.output


@pytest.mark.parametrize(
    "command", [["up"], ["doctor"], ["catalog"], ["certs", "show"], ["catalogue", "take-in", "1", "1"]]
)
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("BAZAR_PORT", "high", "BAZAR_PORT='high' cannot be used: a port from 1 to 65533"),
        ("BAZAR_PROT", "8443", "BAZAR_PROT='…' cannot be used: there is no such setting"),
    ],
)
def test_a_bad_setting_is_named_and_nothing_is_touched(
    folder: str, command: list[str], name: str, value: str, told: str
) -> None:
    found = run_here(*command, BAZAR_DATA_DIR=folder, **{name: value})
    assert found.exit_code == 1
    assert found.stderr.startswith(f"Error: {told}")
    assert not Path(folder).exists()


@pytest.mark.parametrize("role", ["customer", "staff", "admin"])
def test_an_account_of_each_role_is_made_with_a_password_from_standard_input(
    data_dir: str, sign_in: Read, role: str
) -> None:
    email = f"{role}@example.org"
    arguments = ("account", "create", email, "--role", role, "--name", "Ann", "--password-stdin")
    found = run_here(*arguments, typed=f"{PASSWORD}\r\n", BAZAR_DATA_DIR=data_dir)
    assert (found.exit_code, found.output) == (0, f"{email} can sign in as {role}\n")
    assert sign_in(email) == [email, "Ann", role]


def test_a_password_is_asked_for_twice_and_not_shown(data_dir: str, sign_in: Read) -> None:
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    found = run_here("account", "create", "asked@example.org", typed=typed, BAZAR_DATA_DIR=data_dir)
    assert found.exit_code == 0
    assert PASSWORD not in found.output
    assert sign_in("asked@example.org") == ["asked@example.org", "", "customer"]


def test_a_link_for_a_lost_password_is_told_alone_on_standard_output(folder: str) -> None:
    run_here("account", "create", "lost@example.org", "--password-stdin", typed=PASSWORD, BAZAR_DATA_DIR=folder)
    found = run_here(
        "account", "link", "lost@example.org", BAZAR_DATA_DIR=folder, BAZAR_PUBLIC_URL="https://shop.example.org"
    )
    assert found.exit_code == 0
    assert re.fullmatch(r"https://shop\.example\.org/new-password\?link=[\w-]{43}\n", found.stdout)
    assert "within 30 minutes" in found.stderr


def test_a_second_factor_is_switched_off_for_who_lost_the_device(data_dir: str, sign_in: Read) -> None:
    run_here("account", "create", "device@example.org", "--password-stdin", typed=PASSWORD, BAZAR_DATA_DIR=data_dir)
    own = database(Settings.from_environment({"BAZAR_DATA_DIR": data_dir}), "frontend")
    with own.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO second_factors (account_id, secret, is_on, last_step, wrong_codes, wrong_since) "
            "SELECT account_id, 'ABCDEFGH', 1, 0, 0, 0 FROM accounts WHERE email = 'device@example.org'"
        )
    own.close()
    with pytest.raises(CodeNeeded):
        sign_in("device@example.org")
    told = [
        run_here("account", "second-factor-off", "device@example.org", BAZAR_DATA_DIR=data_dir).output for _ in range(2)
    ]
    assert [line.removeprefix("device@example.org signs in without a code ") for line in told] == [
        "from now on\n",
        "anyway\n",
    ]
    assert sign_in("device@example.org")[2] == "customer"


@pytest.mark.parametrize("command", ["link", "second-factor-off"])
def test_an_address_without_an_account_is_told_in_one_line(data_dir: str, command: str) -> None:
    found = run_here("account", command, "nobody@example.org", BAZAR_DATA_DIR=data_dir)
    assert (found.exit_code, found.stderr) == (1, "Error: no account has this address\n")


@pytest.mark.parametrize(
    ("email", "typed", "told"),
    [
        ("new@example.org", b"short\n", "Please choose another password. It has fewer than 15 characters."),
        ("new@example.org", b"", "no password came on standard input"),
        ("new@example.org", b"passwordpassword\n", "Please choose another password. It "),
        ("new@example.org", b"violet t\xe4bles dance\n", "the password on standard input is no UTF-8"),
        ("no address", PASSWORD.encode(), "email: "),
        ("taken@example.org", PASSWORD.encode(), "taken@example.org has an account already"),
    ],
)
def test_an_account_that_cannot_be_made_is_told_in_one_line(data_dir: str, email: str, typed: bytes, told: str) -> None:
    run_here("account", "create", "taken@example.org", "--password-stdin", typed=PASSWORD, BAZAR_DATA_DIR=data_dir)
    found = run_here("account", "create", email, "--password-stdin", typed=typed, BAZAR_DATA_DIR=data_dir)
    assert found.exit_code == 1
    assert found.stderr.startswith(f"Error: {told}")
    assert found.stderr.count("\n") == ONE_LINE


def test_a_password_is_asked_for_where_a_terminal_would_show_it(data_dir: str, sign_in: Read) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "r+b", buffering=0) as terminal, os.fdopen(ours, "r+b", buffering=0) as keyboard:
        command = [sys.executable, "-m", "bazar", "account", "create", "typed@example.org", "--password-stdin"]
        creating = subprocess.Popen(
            command,
            env={**os.environ, "BAZAR_DATA_DIR": data_dir},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        shown = read_until(keyboard, b"Password: ")
        keyboard.write(f"{PASSWORD}\n".encode())
        shown += read_until(keyboard, b"Repeat for confirmation: ")
        keyboard.write(f"{PASSWORD}\n".encode())
        shown += read_until(keyboard, b"typed@example.org can sign in as customer")
        assert creating.wait(60) == 0
    assert PASSWORD.encode() not in shown
    assert sign_in("typed@example.org") == ["typed@example.org", "", "customer"]


def read_until(terminal: FileIO, wanted: bytes) -> bytes:
    shown = b""
    while wanted not in shown:
        assert select.select([terminal], [], [], 60)[0], shown
        shown += os.read(terminal.fileno(), 1024)
    return shown


def test_hints_name_the_program_as_it_can_be_called_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / ".venv" / "bin" / "bazar"
    monkeypatch.setattr(sys, "executable", str(installed.with_name("python")))
    assert program() == "bazar"
    installed.parent.mkdir(parents=True)
    installed.touch()
    assert program() == str(installed)
    monkeypatch.chdir(tmp_path)
    assert program() == ".venv/bin/bazar"


def test_a_role_that_does_not_exist_is_refused(data_dir: str) -> None:
    found = run_here("account", "create", "a@example.org", "--role", "owner", BAZAR_DATA_DIR=data_dir)
    assert found.exit_code == 2
    assert "'owner' is not one of 'customer', 'staff', 'admin'" in found.stderr


def test_the_first_admin_is_made_once(folder: str) -> None:
    first = run_here("account", "first-admin", BAZAR_DATA_DIR=folder)
    assert '"email": "admin@localhost", "password": "' in first.output
    second = run_here("account", "first-admin", BAZAR_DATA_DIR=folder)
    assert (second.exit_code, second.output) == (0, "")


@pytest.mark.parametrize(
    "command", [["account", "first-admin"], ["account", "create", "a@b.example", "--password-stdin"]]
)
def test_a_database_that_is_away_is_told_in_one_line(folder: str, command: list[str]) -> None:
    found = run_here(
        *command,
        typed=PASSWORD,
        BAZAR_DATA_DIR=folder,
        BAZAR_FRONTEND_DATABASE_URL="postgresql://bazar:open-sesame@127.0.0.1:1/shop",
    )
    assert found.exit_code == 1
    assert found.stderr.startswith("Error: ")
    assert "refused" in found.stderr
    assert "sesame" not in found.stderr
    assert found.stderr.count("\n") == ONE_LINE


def test_certificates_are_shown_with_names_end_and_fingerprint(data_dir: str) -> None:
    run_here("certs", "ensure", BAZAR_DATA_DIR=data_dir)
    found = run_here("certs", "show", BAZAR_DATA_DIR=data_dir)
    assert found.exit_code == 0
    for certificate in describe(Path(data_dir, "certs"), lambda: datetime.now(UTC)):
        assert f"{certificate.file}: {certificate.subject}\n" in found.output
        assert f"  sha256 {certificate.fingerprint}\n" in found.output
    assert "  names  frontend, service://frontend, localhost, 127.0.0.1, ::1\n" in found.output


def test_rotating_keeps_the_ca_and_makes_all_else_new(data_dir: str) -> None:
    run_here("certs", "ensure", BAZAR_DATA_DIR=data_dir)
    before = fingerprints(data_dir)
    found = run_here("certs", "rotate", BAZAR_DATA_DIR=data_dir)
    after = fingerprints(data_dir)
    assert found.exit_code == 0
    assert after["ca.pem"] == before["ca.pem"]
    assert [name for name in after if after[name] == before[name]] == ["ca.pem"]


def fingerprints(data_dir: str) -> dict[str, str]:
    return {one.file: one.fingerprint for one in describe(Path(data_dir, "certs"), lambda: datetime.now(UTC))}


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["certs", "show"], "there are no certificates in {certs} yet; {bazar} up makes them"),
        (["certs", "rotate"], "no usable {certs}/ca.key"),
        (["catalogue", "take-in", "1", "2"], "no certificates in {certs}: {bazar} up makes them"),
        (["doctor", "--probe", "order"], ""),
    ],
)
def test_without_a_shop_one_line_says_so_and_nothing_is_made(folder: str, command: list[str], told: str) -> None:
    found = run(*command, BAZAR_DATA_DIR=folder)
    assert found.returncode == 1
    assert found.stderr.startswith("Error: " + told.format(certs=f"{folder}/certs", bazar=program()))
    assert found.stderr.count("\n") == ONE_LINE
    assert not Path(folder).exists()


@pytest.mark.parametrize("command", [["take-in", "1", "2"], ["import", "{file}", "--price", "1", "--stock", "1"]])
def test_while_the_catalog_is_away_one_line_says_so(folder: str, tmp_path: Path, command: list[str]) -> None:
    file = tmp_path / "books.csv"
    file.write_text("source_id,title\n1,RPCs for Noobs\n")
    run_here("certs", "ensure", BAZAR_DATA_DIR=folder)
    arguments = [word.format(file=file) for word in command]
    found = run("catalogue", *arguments, BAZAR_DATA_DIR=folder, BAZAR_CATALOG_URL="https://127.0.0.1:1")
    assert found.returncode == 1
    assert found.stderr.startswith("Error: the catalog server does not answer (")
    assert found.stderr.endswith(f"; start the shop, or ask {program()} doctor\n")
    assert found.stderr.count("\n") == ONE_LINE
    assert found.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["take-in", "0", "1"], "0 is not in the range 1<=x<=9007199254740991"),
        (["take-in", "1", "0"], "0 is not in the range 1<=x<=1000000000"),
        (["take-in", "1", "some"], "'some' is not a valid integer"),
        (["import", "none.csv"], "'none.csv' does not exist"),
        (["import", "/dev/null", "--map", "title"], "'title' is not FIELD=COLUMN; fields are source_id, title,"),
        (["import", "/dev/null", "--map", "colour=Farbe"], "'colour=Farbe' is not FIELD=COLUMN"),
        (["import", "/dev/null", "--price", "-1"], "-1 is not in the range x>=0"),
    ],
)
def test_a_wrong_argument_is_explained(folder: str, arguments: list[str], told: str) -> None:
    found = run_here("catalogue", *arguments, BAZAR_DATA_DIR=folder)
    assert found.exit_code == 2
    assert told in " ".join(found.stderr.split())
