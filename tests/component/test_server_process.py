"""A server as a process: TLS, signals, and who dies with whom."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import pytest
import urllib3

from bazar.chassis.certificates import LeafSpec, ensure_certificates, rotate, service_files
from bazar.chassis.cores import CORES_CAN_BE_CHOSEN
from bazar.chassis.pidfile import live_processes
from bazar.chassis.tls import client_context
from processes import free_port, is_gone, wait_until

PROGRAM = Path(__file__).with_name("tiny_server.py")
LEAVES = (LeafSpec("tiny"), LeafSpec("caller"))


def now() -> datetime:
    return datetime.now(UTC)


class Server:
    """A started server and a client of it."""

    def __init__(self, folder: Path, port: int | None = None, *, lifeline: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.caller = service_files(folder / "certs", "caller")
        self.errors = folder / f"stderr-{self.port}"
        extra = [] if lifeline is None else ["--lifeline", str(lifeline)]
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, PROGRAM, "serve", "tiny", str(self.port), folder, *extra],
                stderr=errors,
                pass_fds=[] if lifeline is None else [lifeline],
                start_new_session=True,
            )

    def context(self) -> ssl.SSLContext:
        return client_context(self.caller.ca, self.caller.certificate, self.caller.key)

    def client(self, context: ssl.SSLContext | None = None, name: str = "tiny") -> urllib3.HTTPSConnectionPool:
        context = context or self.context()
        return urllib3.HTTPSConnectionPool(
            "127.0.0.1", self.port, ssl_context=context, server_hostname=name, timeout=30, retries=False
        )

    def get(self, path: str = "/", retries: int = 0) -> int:
        """The process id of the worker that answered, on a connection of its own."""
        with self.client() as client:
            return int(client.request("GET", path, retries=retries).data)

    def await_ready(self) -> int:
        def answers() -> bool:
            assert self.process.poll() is None, self.errors.read_text()
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                return self.get() > 0
            return False

        wait_until(answers)
        return self.get()

    def serial_number(self) -> str:
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain,
            self.context().wrap_socket(plain, server_hostname="tiny") as secured,
        ):
            certificate = secured.getpeercert()
            assert certificate is not None
            return str(certificate["serialNumber"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ensure_certificates(tmp_path / "certs", LEAVES, now)
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with Server(folder) as started:
        yield started


def test_a_caller_with_a_certificate_is_served(server: Server) -> None:
    worker = server.await_ready()
    assert worker != server.process.pid
    assert live_processes(server.folder / "run") == {"tiny": server.process.pid}


@pytest.mark.skipif(not CORES_CAN_BE_CHOSEN, reason="the system has no say in it")
def test_requests_are_answered_on_one_core(server: Server) -> None:
    server.await_ready()
    assert server.get("/cores") == 1


def test_without_a_certificate_of_the_ca_there_is_no_connection(server: Server, tmp_path: Path) -> None:
    server.await_ready()
    ensure_certificates(tmp_path / "other", LEAVES, now)
    stranger = service_files(tmp_path / "other", "caller")
    nobody = ssl.create_default_context(cafile=str(server.caller.ca))
    token_holder = client_context(server.caller.ca, server.caller.token_certificate, server.caller.token_key)
    for context in (
        nobody,
        client_context(server.caller.ca, stranger.certificate, stranger.key),
        token_holder,
    ):
        with server.client(context) as client, pytest.raises(urllib3.exceptions.HTTPError):
            client.request("GET", "/")


def test_a_server_of_another_name_is_not_trusted(server: Server) -> None:
    server.await_ready()
    with (
        server.client(name="other") as client,
        pytest.raises(urllib3.exceptions.SSLError, match="Hostname mismatch"),
    ):
        client.request("GET", "/")


def test_tls_1_2_is_refused(server: Server) -> None:
    server.await_ready()
    old = ssl.create_default_context(cafile=str(server.caller.ca))
    old.load_cert_chain(server.caller.certificate, server.caller.key)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with server.client(old) as client, pytest.raises(urllib3.exceptions.SSLError, match="protocol version"):
        client.request("GET", "/")


def test_sigterm_finishes_the_running_request_then_calls_stop(server: Server) -> None:
    worker = server.await_ready()
    answers: list[int] = []
    request = threading.Thread(target=lambda: answers.append(server.get("/slow")))
    request.start()
    wait_until((server.folder / "slow-began").exists)
    server.process.terminate()
    (server.folder / "go").touch()
    request.join(30)
    assert server.process.wait(30) == 0
    assert answers == [worker]
    assert (server.folder / "tiny-stopped").exists()
    assert is_gone(worker)


def test_sigterm_while_the_service_is_built_ends_at_once(folder: Path) -> None:
    (folder / "build-slowly").touch()
    with Server(folder) as server:
        wait_until((folder / "tiny-building").exists)
        server.process.terminate()
        assert server.process.wait(8) == 0  # the build would take 30 s


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_stops_in_order(server: Server, number: signal.Signals) -> None:
    """The worker gets it twice: from the terminal (or systemd) and from its master."""
    server.await_ready()
    os.killpg(server.process.pid, number)
    assert server.process.wait(4) == 0
    assert (server.folder / "tiny-stopped").exists()


def test_half_a_request_does_not_keep_the_service_from_being_stopped(server: Server) -> None:
    server.await_ready()
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain,
        server.context().wrap_socket(plain, server_hostname="tiny") as secured,
    ):
        secured.sendall(b"GET / HT")
        server.process.terminate()
        assert server.process.wait(30) == 0
    assert (server.folder / "tiny-stopped").exists()


def test_a_killed_master_takes_its_worker_along(server: Server) -> None:
    worker = server.await_ready()
    server.process.kill()
    server.process.wait(30)
    wait_until(lambda: is_gone(worker))
    assert (server.folder / "tiny-stopped").exists()
    assert live_processes(server.folder / "run") == {}


def test_a_request_outlives_a_killed_master_but_the_server_counts_as_dead(server: Server) -> None:
    worker = server.await_ready()
    answers: list[int] = []
    request = threading.Thread(target=lambda: answers.append(server.get("/slow")))
    request.start()
    wait_until((server.folder / "slow-began").exists)
    server.process.kill()
    server.process.wait(30)
    assert live_processes(server.folder / "run") == {}
    assert not is_gone(worker)
    (server.folder / "go").touch()
    request.join(30)
    assert answers == [worker]
    wait_until(lambda: is_gone(worker))


def test_a_killed_worker_ends_the_master_with_an_error(server: Server) -> None:
    os.kill(server.await_ready(), signal.SIGKILL)
    assert server.process.wait(30) == 1


def test_the_end_of_the_lifeline_ends_the_server(folder: Path) -> None:
    reader, writer = os.pipe()
    with Server(folder, lifeline=reader) as server:
        os.close(reader)
        worker = server.await_ready()
        os.close(writer)
        assert server.process.wait(30) == 0
    assert is_gone(worker)
    assert (folder / "tiny-stopped").exists()


def test_sighup_swaps_the_certificate_without_a_failed_request(server: Server) -> None:
    worker = server.await_ready()
    serial = server.serial_number()
    failures: list[Exception] = []
    answered_by: set[int] = set()
    ended = threading.Event()

    def visit() -> None:
        while not ended.is_set():
            try:
                answered_by.add(server.get(retries=2))  # a handshake that is under way is cut off
            except urllib3.exceptions.HTTPError as error:
                failures.append(error)

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    try:
        rotate(server.folder / "certs", LEAVES[:1], now)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: is_gone(worker))
        assert server.serial_number() != serial
    finally:
        ended.set()
        for visitor in visitors:
            visitor.join(30)
    assert failures == []
    assert len(answered_by) == 2
    assert worker in answered_by


def test_sighup_with_files_that_do_not_match_changes_nothing(server: Server) -> None:
    worker = server.await_ready()
    certs = server.folder / "certs"
    (certs / "tiny.key").write_bytes((certs / "caller.key").read_bytes())
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "keeps the certificate it has" in server.errors.read_text())
    assert server.get() == worker


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_a_taken_port_is_said_before_anything_is_made(folder: Path, host: str, family: int) -> None:
    with (
        socket.create_server((host, 0), family=family) as other,
        Server(folder, other.getsockname()[1]) as server,
    ):
        assert server.process.wait(30) == 1
    assert f"port {server.port}" in server.errors.read_text()
    assert not (folder / "run").exists()


def test_a_port_shared_by_so_reuseport_is_taken(folder: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0), reuse_port=True) as leftover,
        Server(folder, leftover.getsockname()[1]) as server,
    ):
        assert server.process.wait(30) == 1
    assert "PortTaken" in server.errors.read_text()


def test_connections_of_the_predecessor_do_not_keep_the_port(server: Server) -> None:
    with server.client() as kept:
        server.await_ready()
        kept.request("GET", "/")
        server.process.terminate()  # the server closes first: TIME_WAIT is on its side
        server.process.wait(30)
        with Server(server.folder, server.port) as successor:
            successor.await_ready()


def test_a_second_server_on_the_same_data_folder_is_refused(server: Server) -> None:
    server.await_ready()
    with Server(server.folder) as second:
        assert second.process.wait(30) == 1
    assert f"AlreadyRunning: tiny already runs on this data folder (process {server.process.pid})" in (
        second.errors.read_text()
    )
    assert server.get()
