"""``bazar backup`` and ``bazar restore`` on SQLite: what is in a backup, what a restore does, and what both refuse."""

import json
import shutil
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result

from bazar.chassis.backup import Part
from bazar.chassis.clock import system_clock
from bazar.chassis.database import Database
from bazar.chassis.database_copy import CannotCopy, Moved, put_back
from bazar.chassis.pidfile import pid_file
from command import run, run_here
from shop import _free_ports as free_ports
from three_services import ThreeServices

SERVICES = ("order", "catalog", "frontend")


class Premises:
    """A data folder with a book, an order and a cancelled one; and commands on it."""

    def __init__(self, folder: Path, like: Path) -> None:
        self.folder = folder / "var"
        shutil.copytree(like, self.folder)
        self.folder.chmod(0o700)
        self.copies = folder / "copies"
        self.environment = {"BAZAR_DATA_DIR": str(self.folder), "BAZAR_PORT": str(free_ports())}
        self.ask("order", "INSERT INTO comparison VALUES (1, 'old', 0)")

    def command(self, *arguments: str | Path, **settings: str) -> Result:
        return run_here(*map(str, arguments), **{**self.environment, **settings})

    def backup(self, *arguments: str) -> Path:
        done = self.command("backup", self.copies, *arguments)
        assert done.exit_code == 0, done.output
        return self.copies

    def ask(self, service: str, query: str) -> list[Any]:
        with sqlite3.connect(self.folder / f"{service}.sqlite3") as connection:
            found = connection.execute(query).fetchall()
        connection.close()
        return found

    def epoch(self) -> str:
        return str(self.ask("catalog", "SELECT epoch FROM feed")[0][0])

    def take_more(self) -> None:
        """What comes after the backup."""
        self.ask("catalog", "UPDATE books SET stock = 1")
        self.ask("order", "DELETE FROM cancellations")
        self.ask("frontend", "UPDATE accounts SET name = 'later'")

    def is_as_before(self, service: str) -> bool:
        query = {
            "catalog": "SELECT stock = 9 FROM books",
            "order": "SELECT count(*) = 1 FROM cancellations",
            "frontend": "SELECT count(*) = 0 FROM accounts WHERE name = 'later'",
        }[service]
        return bool(self.ask(service, query)[0][0])


@pytest.fixture(scope="module")
def closed_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder that each test gets a copy of."""
    folder = tmp_path_factory.mktemp("closed-shop")
    shop = ThreeServices(folder, system_clock)
    item = shop.add_book(stock=10)
    for key in ("kept", "cancelled"):
        bought: Any = shop.call("POST", f"/purchase/{item}", "customer", headers={"Idempotency-Key": key}).json
    assert shop.call("POST", f"/orders/{bought['order_id']}/cancel", "customer").status_code == 200
    shop.close()
    return folder


@pytest.fixture
def premises(tmp_path: Path, closed_shop: Path) -> Premises:
    return Premises(tmp_path, closed_shop)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_backup_has_all_three_databases_the_certificates_and_a_manifest(premises: Premises) -> None:
    made = premises.backup()
    manifest = json.loads((made / "manifest.json").read_text())
    assert (manifest["format"], list(manifest["parts"]), manifest["epoch"]) == (1, list(SERVICES), premises.epoch())
    assert manifest["parts"]["order"]["rows"]["decisions"] == 2
    files = {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}
    assert files == {*manifest["sha256"], "manifest.json"}
    assert {f"{service}.sqlite3" for service in SERVICES} | {"certs/ca.pem", "certs/ca.key"} <= files
    assert {mode(path) for path in (made, made / "certs")} == {0o700}
    assert mode(made / "certs" / "ca.key") == 0o600


def test_a_backup_has_what_is_committed_and_not_yet_in_the_file(premises: Premises) -> None:
    """SQLite keeps it in the log beside the database until nobody has it open."""
    database = Database(f"sqlite:///{premises.folder}/catalog.sqlite3")
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE books SET stock = 4")
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE books SET stock = 5")
        made = premises.backup()
    with sqlite3.connect(made / "catalog.sqlite3") as copy:
        assert copy.execute("SELECT stock FROM books").fetchall() == [(4,)]
    copy.close()
    database.close()


def test_a_second_backup_into_the_folder_is_a_new_one_named_by_the_time(premises: Premises) -> None:
    premises.copies.mkdir()
    premises.backup()  # the folder was empty
    done = premises.command("backup", premises.copies)
    assert done.exit_code == 0
    (second,) = premises.copies.glob("bazar-*Z")
    assert f"Backup in {second}" in done.output
    assert premises.command("restore", second).exit_code == 0


@pytest.mark.parametrize("missing", SERVICES)
def test_a_backup_that_fails_leaves_nothing(premises: Premises, missing: str) -> None:
    file = premises.folder / f"{missing}.sqlite3"
    file.unlink()
    done = premises.command("backup", premises.copies)
    assert (done.exit_code, done.output) == (1, f"Error: {file} does not exist\n")
    assert list(premises.copies.parent.iterdir()) == [premises.folder]
    assert not file.exists()


def test_a_file_is_no_place_for_a_backup(premises: Premises) -> None:
    premises.copies.write_text("mine")
    assert premises.command("backup", premises.copies).output == f"Error: {premises.copies} is a file; give a folder\n"


def test_a_restore_brings_all_back_and_keeps_what_was_there(premises: Premises) -> None:
    made, epoch = premises.backup(), premises.epoch()
    premises.take_more()
    done = premises.command("restore", made)
    assert done.exit_code == 0, done.output
    assert all(premises.is_as_before(service) for service in SERVICES)
    assert premises.epoch() != epoch
    assert premises.ask("frontend", "SELECT * FROM sign_ins") == []
    assert premises.ask("frontend", "SELECT count(*) > 3 FROM accounts") == [(1,)]
    assert premises.ask("order", "SELECT * FROM comparison") == []
    assert not (premises.folder / "search").exists()
    (aside,) = premises.folder.glob("catalog.sqlite3.before-*Z")
    assert str(aside) in done.output
    with sqlite3.connect(aside) as before:
        assert before.execute("SELECT stock FROM books").fetchall() == [(1,)]
    before.close()
    assert mode(premises.folder / "catalog.sqlite3") == 0o600
    assert not (premises.folder / "restore-unfinished").exists()


def test_the_log_of_a_server_that_was_killed_goes_aside_with_its_database(premises: Premises) -> None:
    made = premises.backup()
    alive = premises.folder / "catalog.sqlite3"
    connection = sqlite3.connect(alive)
    connection.execute("UPDATE books SET stock = 3")
    connection.commit()
    logged = {suffix: alive.with_name(alive.name + suffix).read_bytes() for suffix in ("", "-wal")}
    connection.close()
    for suffix, data in logged.items():  # as kill -9 leaves them
        alive.with_name(alive.name + suffix).write_bytes(data)
    assert premises.command("restore", made).exit_code == 0
    assert premises.is_as_before("catalog")
    (aside,) = premises.folder.glob("catalog.sqlite3.before-*Z")
    with sqlite3.connect(aside) as before:
        assert before.execute("SELECT stock FROM books").fetchall() == [(3,)]
    before.close()


@pytest.mark.parametrize("service", SERVICES)
def test_one_database_alone_is_restored_of_a_whole_backup_or_one_of_its_own(premises: Premises, service: str) -> None:
    made = premises.backup(*(["--only", service] if service == "order" else []))
    premises.take_more()
    done = premises.command("restore", made, "--only", service)
    assert done.exit_code == 0, done.output
    assert {name for name in SERVICES if premises.is_as_before(name)} == {service}
    assert (premises.ask("order", "SELECT * FROM comparison") == []) is (service == "order")
    assert (premises.ask("frontend", "SELECT * FROM sign_ins") == []) is (service == "frontend")


def test_what_a_backup_does_not_have_is_said(premises: Premises) -> None:
    made = premises.backup("--only", "order", "--only", "catalog")
    assert not (made / "certs").exists()
    done = premises.command("restore", made, "--only", "frontend")
    assert done.output == "Error: the backup has nothing of frontend, only of order, catalog\n"


def test_a_new_machine_gets_all_of_it_with_the_certificates(premises: Premises) -> None:
    made, ca = premises.backup(), (premises.folder / "certs" / "ca.pem").read_bytes()
    shutil.rmtree(premises.folder)
    done = premises.command("restore", made)
    assert done.exit_code == 0, done.output
    assert "before" not in done.output
    assert (premises.folder / "certs" / "ca.pem").read_bytes() == ca
    assert mode(premises.folder / "certs" / "ca.key") == 0o600
    assert {mode(premises.folder), mode(premises.folder / "certs")} == {0o700}
    assert all(premises.is_as_before(service) for service in SERVICES)


def damage(part: Path) -> None:
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)


def another_version(manifest: Path) -> None:
    told = json.loads(manifest.read_text())
    told["version"] = "99.0"
    told["parts"]["catalog"]["revision"] = "9999"
    manifest.write_text(json.dumps(told))


def another_format(manifest: Path) -> None:
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))


def of_postgresql(manifest: Path) -> None:
    manifest.write_text(manifest.read_text().replace('"sqlite"', '"postgresql"'))


@pytest.mark.parametrize(
    ("spoil", "file", "said"),
    [
        (damage, "catalog.sqlite3", "catalog.sqlite3 is damaged"),
        (damage, "certs/ca.key", "ca.key is damaged"),
        (Path.unlink, "frontend.sqlite3", "frontend.sqlite3 is missing"),
        (Path.unlink, "manifest.json", "is no backup: it has no manifest.json"),
        (another_format, "manifest.json", "cannot be read by this version"),
        (another_version, "manifest.json", "of Bazar 99.0, whose catalog database this version does not know"),
        (of_postgresql, "manifest.json", "a copy of postgresql, and the settings name a database of sqlite"),
    ],
)
def test_a_backup_that_is_not_whole_is_refused_before_anything_is_touched(
    premises: Premises, spoil: Callable[[Path], None], file: str, said: str
) -> None:
    made = premises.backup()
    spoil(made / file)
    premises.take_more()
    done = premises.command("restore", made)
    assert done.exit_code == 1
    assert said in done.output
    assert len(done.output.splitlines()) == 1
    assert [service for service in SERVICES if premises.is_as_before(service)] == []
    assert list(premises.folder.glob("*.before-*")) == []


@pytest.mark.parametrize("name", ["up", *SERVICES])
def test_below_a_server_that_runs_nothing_is_restored(premises: Premises, name: str) -> None:
    made = premises.backup()
    with pid_file(premises.folder / "run", name):
        done = run("restore", made, **premises.environment)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: stop the shop first: {name} already runs on this data folder")


@pytest.mark.parametrize("number", range(3))
def test_below_a_server_of_another_folder_nothing_is_restored(premises: Premises, number: int) -> None:
    made = premises.backup()
    with socket.create_server(("127.0.0.1", int(premises.environment["BAZAR_PORT"]) + number)):
        done = premises.command("restore", made)
    assert done.exit_code == 1
    assert "stop the shop first" in done.output
    assert list(premises.folder.glob("*.before-*")) == []


@pytest.fixture
def interrupted(premises: Premises, monkeypatch: pytest.MonkeyPatch) -> Premises:
    """A restore that ended between the order server's database and the catalog's."""
    made = premises.backup()
    premises.take_more()

    def fails_in_the_middle(url: sa.URL, copy: Path, part: Part, stamp: str) -> Moved:
        if part.file == "catalog.sqlite3":
            raise CannotCopy("the disk is full")
        return put_back(url, copy, part, stamp)

    with monkeypatch.context() as patched:
        patched.setattr("bazar.cli.restore.put_back", fails_in_the_middle)
        assert premises.command("restore", made).output.endswith("Error: the disk is full\n")
    return premises


def test_after_an_interrupted_restore_no_server_starts_and_the_doctor_says_why(interrupted: Premises) -> None:
    again = f"bazar restore {interrupted.copies}"
    for command in (["up"], ["order"]):
        done = run(*command, **interrupted.environment)
        assert done.returncode == 1
        assert f"a restore was interrupted: run it again ({again})" in done.stderr
    doctor = interrupted.command("doctor").output
    assert f"wrong  restore: was interrupted\n       → run it again: {again}\n" in doctor


def test_an_interrupted_restore_is_run_again(interrupted: Premises) -> None:
    assert interrupted.command("restore", interrupted.copies).exit_code == 0
    assert all(interrupted.is_as_before(service) for service in SERVICES)
    assert not (interrupted.folder / "restore-unfinished").exists()


def test_what_was_put_back_by_other_means_is_followed_up(premises: Premises) -> None:
    epoch = premises.epoch()
    assert premises.command("restore", "--by-other-means").exit_code == 0
    assert premises.epoch() != epoch
    assert premises.ask("frontend", "SELECT * FROM sign_ins") == []
    assert premises.ask("order", "SELECT * FROM comparison") == []
    assert list(premises.folder.glob("*.before-*")) == []
    (premises.folder / "order.sqlite3").unlink()
    done = premises.command("restore", "--by-other-means")
    assert done.exit_code == 1
    assert "order.sqlite3 cannot be read" in done.output
    assert not (premises.folder / "order.sqlite3").exists()


@pytest.mark.parametrize("arguments", [[], ["somewhere", "--by-other-means"]])
def test_a_backup_is_named_or_was_put_back_otherwise(premises: Premises, arguments: list[str]) -> None:
    done = premises.command("restore", *arguments)
    assert done.exit_code == 2
    assert "give the folder of a backup, or --by-other-means without one" in done.output
