"""``bazar doctor``: each thing that can be wrong is found, and a way to mend it is told."""

import json
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import Result

from bazar.chassis.certificates import ensure_certificates, service_files
from bazar.deployment import leaf_specs
from bazar.settings import Settings
from command import run_here
from shop import _free_ports as free_ports


class Doctor:
    """Asks the doctor about one data folder, and puts things there for it to find."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_ports()
        self.environment = {"BAZAR_DATA_DIR": str(folder), "BAZAR_PORT": str(self.port)}

    def ask(self, *arguments: str, **settings: str) -> Result:
        return run_here("doctor", *arguments, **{**self.environment, **settings})

    def findings(self, **settings: str) -> dict[str, tuple[str, str]]:
        """What was looked at → what was found and, where it is wrong, how to mend it."""
        found: dict[str, tuple[str, str]] = {}
        what = ""
        result = self.ask(**settings)
        for line in result.output.splitlines():
            if line.startswith("       → "):
                found[what] = (found[what][0], line.removeprefix("       → "))
            else:
                what, _, detail = line[7:].partition(": ")
                found[what] = (detail, "")
        assert result.exit_code == any(remedy for _, remedy in found.values()), result.output
        return found

    def certificates(self, days_ago: float = 0) -> None:
        """Make them as if it were so many days ago."""
        specs = leaf_specs(Settings.from_environment(self.environment))
        ensure_certificates(self.folder / "certs", specs, lambda: datetime.now(UTC) - timedelta(days=days_ago))


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    return Doctor(tmp_path / "var")


Standing = Callable[..., AbstractContextManager[None]]


@contextmanager
def stand_in(
    doctor: Doctor, service: str, certs: Path, status: int = 200, ahead: timedelta = timedelta()
) -> Iterator[None]:
    """A server on the port of ``service`` with a certificate of its own folder and a clock that is ``ahead``."""

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"status": "alive", "time": (datetime.now(UTC) + ahead).isoformat()}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    files = service_files(certs, service)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files.certificate, files.key)
    offset = {"frontend": 0, "catalog": 1, "order": 2}[service]
    with HTTPServer(("127.0.0.1", doctor.port + offset), Health) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join(30)


def test_nothing_there_is_told_and_nothing_is_made(doctor: Doctor) -> None:
    found = doctor.findings()
    assert found["data folder"] == (
        f"{doctor.folder} does not exist",
        "bazar up makes it; one that lies elsewhere is named by BAZAR_DATA_DIR",
    )
    assert found["certificates"] == (f"none in {doctor.folder}/certs", "bazar up makes them")
    for service in ("catalog", "order", "frontend"):
        assert found[f"{service} server"] == ("does not run", "start it: bazar up")
        file = doctor.folder / f"{service}.sqlite3"
        assert found[f"database of the {service} server"] == (f"{file} does not exist", "bazar up makes it")
    assert not doctor.folder.exists()


def test_an_empty_data_folder_stays_empty_but_for_certificates(doctor: Doctor) -> None:
    doctor.certificates()
    doctor.findings()
    assert [path.name for path in doctor.folder.iterdir()] == ["certs"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_folder_that_cannot_be_written_is_told(doctor: Doctor) -> None:
    doctor.folder.mkdir(mode=0o500)
    detail, remedy = doctor.findings()["data folder"]
    assert detail == f"{doctor.folder} cannot be written"
    assert remedy == f"give it to the user who runs Bazar: chown -R USER {doctor.folder}"


@pytest.mark.parametrize("with_certificates", [False, True])
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - said, not bound
def test_a_stranger_on_a_port_is_told(doctor: Doctor, address: str, with_certificates: bool) -> None:
    if with_certificates:
        doctor.certificates()
    with socket.create_server((address, doctor.port + 1)) as stranger:
        stranger.settimeout(0)
        found = doctor.findings()
    detail, remedy = found["catalog server"]
    assert detail.startswith(f"port {doctor.port + 1} on 127.0.0.1 is taken by another program")
    assert remedy == f"end it (ss -ltnp 'sport = :{doctor.port + 1}' names it) or choose other ports with BAZAR_PORT"
    assert found["order server"] == ("does not run", "start it: bazar up")


def test_a_server_left_over_from_another_data_folder_is_told(doctor: Doctor, tmp_path: Path) -> None:
    doctor.certificates()
    other = Doctor(tmp_path / "other")
    other.certificates()
    with stand_in(doctor, "order", other.folder / "certs"):
        detail, remedy = doctor.findings()["order server"]
    assert detail.endswith("is taken by another program, perhaps a server left over from another data folder")
    assert f":{doctor.port + 2}" in remedy


def test_a_server_of_this_shop_that_was_not_started_from_here_is_told(doctor: Doctor) -> None:
    doctor.certificates()
    with stand_in(doctor, "catalog", doctor.folder / "certs"):
        detail, remedy = doctor.findings()["catalog server"]
    assert detail == f"answers at https://127.0.0.1:{doctor.port + 1}, but was not started from {doctor.folder}"
    assert remedy == f"end the leftover server: ss -ltnp 'sport = :{doctor.port + 1}' names it"


@pytest.mark.parametrize("hours", [-24, 1])
def test_a_clock_that_is_off_is_told(doctor: Doctor, hours: int) -> None:
    doctor.certificates()
    with stand_in(doctor, "catalog", doctor.folder / "certs", ahead=timedelta(hours=hours)):
        detail, remedy = doctor.findings()["clock of the catalog server"]
    seconds = float(detail.removesuffix(" s from ours"))
    assert seconds == pytest.approx(abs(hours) * 3600, abs=30)
    assert remedy == "set both clocks by NTP"


def test_a_server_that_answers_with_an_error_is_told(doctor: Doctor) -> None:
    doctor.certificates()
    with stand_in(doctor, "catalog", doctor.folder / "certs", status=500):
        found = doctor.findings()["catalog server"]
    assert found == ("answers 500", f"look into {doctor.folder}/logs/catalog.log")


def test_a_server_elsewhere_that_does_not_answer_is_told_by_its_address(doctor: Doctor) -> None:
    doctor.certificates()
    detail, remedy = doctor.findings(BAZAR_CATALOG_URL="https://127.0.0.2:1")["catalog server"]
    assert detail.startswith("does not answer at https://127.0.0.2:1: ")
    assert remedy == "see that it runs there and can be reached"


@pytest.mark.parametrize(("days_ago", "days_left"), [(0, 396), (366, 30), (368, 28), (396, 0), (400, None)])  # of 397
def test_a_certificate_near_its_end_is_told(doctor: Doctor, days_ago: int, days_left: int | None) -> None:
    doctor.certificates(days_ago + 0.5)
    found = doctor.findings()
    end = datetime.now(UTC) - timedelta(days=days_ago + 0.5) + timedelta(days=397)
    for name in ("order.pem", "order-token.pem"):
        detail, remedy = found[f"certificate {name}"]
        assert detail == (f"ended {end:%Y-%m-%d}" if days_left is None else f"ends {end:%Y-%m-%d}, in {days_left} days")
        assert remedy == ("" if days_left is not None and days_left >= 30 else "bazar certs rotate")
    assert found["certificate ca.pem"][1] == ""


def test_what_the_doctor_says_of_certificates_mends_them(doctor: Doctor) -> None:
    doctor.certificates(390)
    run_here("certs", "rotate", **doctor.environment)
    assert doctor.findings()["certificate order.pem"][1] == ""


def test_a_ca_near_its_end_is_told(doctor: Doctor) -> None:
    doctor.certificates(3645)
    assert doctor.findings()["certificate ca.pem"][1].startswith("stop the shop, move its folder away")


def test_a_damaged_certificate_is_told(doctor: Doctor) -> None:
    doctor.certificates()
    (doctor.folder / "certs" / "order.pem").write_text("no certificate")
    detail, remedy = doctor.findings()["certificates"]
    assert detail.startswith(f"a file in {doctor.folder}/certs is no certificate")
    assert remedy.startswith("bazar certs rotate")
    run_here("certs", "rotate", **doctor.environment)
    assert doctor.findings()["certificate order.pem"][1] == ""


def test_a_database_that_is_away_is_told_without_its_password(doctor: Doctor) -> None:
    url = "postgresql://bazar:open-sesame@127.0.0.1:1/orders"
    result = doctor.ask(BAZAR_ORDER_DATABASE_URL=url)
    assert "sesame" not in result.output
    detail, remedy = doctor.findings(BAZAR_ORDER_DATABASE_URL=url)["database of the order server"]
    assert "refused" in detail
    assert remedy == "see that it runs, and check URL and user"


def test_a_damaged_database_is_told(doctor: Doctor) -> None:
    doctor.certificates()
    file = doctor.folder / "order.sqlite3"
    file.write_text("this was a database once\n" * 100)
    detail, remedy = doctor.findings()["database of the order server"]
    assert detail == "file is not a database"
    assert remedy == f"see that {file} is whole and can be written"


@pytest.mark.parametrize("loss", ["removed", "emptied"])
def test_a_database_that_is_gone_is_told_and_stays_gone(doctor: Doctor, loss: str) -> None:
    doctor.certificates()
    marker, file = doctor.folder / "run" / "order.database", doctor.folder / "order.sqlite3"
    marker.parent.mkdir()
    marker.touch()
    if loss == "emptied":
        file.touch()
    detail, remedy = doctor.findings()["database of the order server"]
    assert detail == f"sqlite:///{file} is gone or empty"
    assert remedy == f"restore it; to begin anew without what it held, remove {marker}"
    assert file.exists() == (loss == "emptied")


def test_what_breaks_one_look_leaves_the_others(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise TypeError("cannot use a string pattern on a bytes-like object")

    monkeypatch.setattr("bazar.cli.doctor.check", broken)
    found = doctor.findings()
    assert found["order server"] == ("does not run", "start it: bazar up")
    detail, _ = found["database of the order server"]
    assert detail == "cannot be looked at: TypeError('cannot use a string pattern on a bytes-like object')"


def test_a_probe_of_a_server_that_is_away_fails_in_one_line(doctor: Doctor) -> None:
    doctor.certificates()
    for service in ("catalog", "order", "frontend"):
        result = doctor.ask("--probe", service)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {service}: ")
        assert result.stderr.count("\n") == 1


def test_a_probe_of_a_server_that_is_not_ready_shows_why_and_fails(doctor: Doctor) -> None:
    doctor.certificates()
    with stand_in(doctor, "order", doctor.folder / "certs", status=503):
        result = doctor.ask("--probe", "order")
    assert result.exit_code == 1
    assert '"status": "alive"' in result.output


def test_a_data_folder_that_was_moved_is_as_good_as_before(doctor: Doctor, tmp_path: Path) -> None:
    doctor.certificates()
    shutil.move(doctor.folder, tmp_path / "moved")
    assert Doctor(tmp_path / "moved").findings()["certificate order.pem"][1] == ""
