"""The supervisor over real servers: what dies is started again, and nothing outlives it."""

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3

from bazar.chassis.certificates import LeafSpec, ensure_certificates, service_files
from bazar.chassis.supervisor import NEEDS_A_PERSON
from bazar.chassis.tls import client_context
from processes import free_port, is_gone, wait_until

PROGRAM = Path(__file__).with_name("tiny_server.py")
SERVICES = ("first", "second")


def take_port(port: int) -> socket.socket:
    """Listen there; a dying process of several threads is a zombie before its sockets are closed."""
    taken: list[socket.socket] = []

    def is_taken() -> bool:
        with contextlib.suppress(OSError):
            taken.append(socket.create_server(("127.0.0.1", port)))
        return bool(taken)

    wait_until(is_taken)
    return taken[0]


class Shop:
    """A supervisor with its servers, seen from outside."""

    def __init__(self, folder: Path, *services: str, stop_seconds: float = 15) -> None:
        self.folder = folder
        self.ports = {service: free_port() for service in services}
        self.output = folder / "output"
        self.context: ssl.SSLContext | None = None
        arguments = [f"{service}:{port}" for service, port in self.ports.items()]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    PROGRAM,
                    "supervise",
                    folder,
                    *arguments,
                    "--stop-seconds",
                    str(stop_seconds),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self, pattern: str) -> list[str]:
        return re.findall(pattern, self.output.read_text(), re.MULTILINE)

    def await_said(self, pattern: str, times: int = 1) -> None:
        def is_said() -> bool:
            assert self.process.poll() is None, self.output.read_text()
            return len(self.said(pattern)) >= times

        wait_until(is_said)

    def masters(self, service: str) -> list[int]:
        """All processes that were started for it, the newest last."""
        return [int(number) for number in self.said(rf"^{service} started process (\d+)")]

    def worker(self, service: str) -> int:
        files = service_files(self.folder / "certs", service)
        context = client_context(files.ca, files.certificate, files.key)
        with urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            self.ports[service],
            ssl_context=context,
            server_hostname=service,
            timeout=30,
            retries=False,
        ) as client:
            return int(client.request("GET", "/").data)

    def kill(self) -> None:
        for process_id in [self.process.pid, *(one for name in self.ports for one in self.masters(name))]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process_id, signal.SIGKILL)
        self.process.wait(30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ensure_certificates(tmp_path / "certs", [LeafSpec(name) for name in SERVICES], lambda: datetime.now(UTC))
    return tmp_path


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    started = Shop(folder, *SERVICES)
    try:
        started.await_said("^open$")
        yield started
    finally:
        started.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stops_all_in_reverse_order(shop: Shop, how: signal.Signals) -> None:
    processes = [process for name in SERVICES for process in (*shop.masters(name), shop.worker(name))]
    os.killpg(shop.process.pid, how)  # as Ctrl-C does: to the whole group
    assert shop.process.wait(60) == 0
    assert shop.said(r"^(\w+) stopped") == ["second", "first"]
    assert all(is_gone(process) for process in processes)
    assert all((shop.folder / f"{name}-stopped").exists() for name in SERVICES)


def test_a_killed_worker_is_replaced(shop: Shop) -> None:
    worker = shop.worker("first")
    os.kill(worker, signal.SIGKILL)
    shop.await_said("^first ready", times=2)
    assert shop.worker("first") != worker
    assert shop.said("^first ended (.*)") == ["exit code 1; starts again now"]
    assert len(shop.masters("second")) == 1


def test_a_killed_master_is_replaced(shop: Shop) -> None:
    worker = shop.worker("second")
    os.kill(shop.masters("second")[0], signal.SIGKILL)
    shop.await_said("^second ready", times=2)
    assert shop.worker("second") != worker
    wait_until(lambda: is_gone(worker))


def test_a_killed_supervisor_leaves_nobody(shop: Shop) -> None:
    processes = [process for name in SERVICES for process in (*shop.masters(name), shop.worker(name))]
    shop.process.kill()
    shop.process.wait(30)
    wait_until(lambda: all(is_gone(process) for process in processes))
    assert all((shop.folder / f"{name}-stopped").exists() for name in SERVICES)


def test_sighup_reaches_the_servers(shop: Shop) -> None:
    workers = {name: shop.worker(name) for name in SERVICES}
    shop.process.send_signal(signal.SIGHUP)
    wait_until(lambda: all(is_gone(worker) for worker in workers.values()))
    assert all(shop.worker(name) != workers[name] for name in SERVICES)
    assert all(len(shop.masters(name)) == 1 for name in SERVICES)


def test_waits_for_a_port_that_was_taken_meanwhile(shop: Shop) -> None:
    worker, master = shop.worker("first"), shop.masters("first")[0]
    shop.process.send_signal(signal.SIGSTOP)
    os.killpg(master, signal.SIGKILL)
    wait_until(lambda: is_gone(worker) and is_gone(master))
    with take_port(shop.ports["first"]):
        shop.process.send_signal(signal.SIGCONT)
        shop.await_said(rf"^first waiting port {shop.ports['first']} on 127.0.0.1 is taken")
        assert shop.worker("second")
    shop.await_said("^first ready", times=2)


def test_a_server_that_does_not_stop_is_killed_in_time(folder: Path) -> None:
    shop = Shop(folder, *SERVICES, stop_seconds=1)
    try:
        shop.await_said("^open$")
        workers = [shop.worker(name) for name in SERVICES]
        os.killpg(shop.masters("first")[0], signal.SIGSTOP)  # the master and its worker
        shop.process.terminate()
        assert shop.process.wait(30) == 1
        assert shop.said("^first killed")
        wait_until(lambda: all(is_gone(worker) for worker in workers))
    finally:
        shop.kill()


def test_one_that_cannot_start_is_tried_at_growing_distances_and_stops_nobody(folder: Path) -> None:
    shop = Shop(folder, "broken", "first")
    try:
        shop.await_said("^broken ended", times=3)
        shop.await_said("^first ready")
        assert shop.said("^broken ended exit code 3; starts again (.*)")[:3] == ["now", "in 1 s", "in 2 s"]
        assert shop.worker("first")
        shop.process.terminate()
        assert shop.process.wait(60) == 0
    finally:
        shop.kill()


def test_one_that_needs_a_person_closes_a_shop_that_is_not_open_yet(folder: Path) -> None:
    (folder / "needs-a-person").touch()
    shop = Shop(folder, "first", "second")
    try:
        assert shop.process.wait(60) == NEEDS_A_PERSON
        assert "open" not in shop.said("^(open)$")
        assert shop.said(r"^\w+ ended exit code 78; (.*)")[0] == "it needs a person"
    finally:
        shop.kill()


def test_one_that_needs_a_person_later_closes_nobody_else(shop: Shop, folder: Path) -> None:
    shop.await_said("^open")
    (folder / "needs-a-person").touch()
    os.kill(shop.worker("first"), signal.SIGKILL)
    shop.await_said("^first ended exit code 78; it needs a person")
    assert shop.worker("second")
