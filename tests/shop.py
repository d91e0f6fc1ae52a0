"""A real shop for the tests: ``bazar up``, its three servers over TLS, a client, and what it costs in memory."""

import http.client
import json
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bazar.chassis.pidfile import live_processes
from mortal import mortal

API = "/api/v1"
#: Who asks for a part of an answer is not answered from the cache; the application gives all of it.
PAST_THE_CACHE = ("Range", "bytes=0-")
PASSWORD = "violet tables dance"
OPEN_SECONDS = 60
STOP_SECONDS = 60
ANSWER_SECONDS = 60
TRIES = 5
#: Below the ports that the system gives to clients.
PORTS = range(20_000, 30_000)
NO_LIMITS = {
    "BAZAR_REGISTRATIONS_PER_MINUTE": "0",
    "BAZAR_SIGN_INS_PER_MINUTE": "0",
    "BAZAR_FAILED_SIGN_INS_PER_MINUTE": "0",
    "BAZAR_NEW_BASKETS_PER_MINUTE": "0",
}


@dataclass(frozen=True)
class Answer:
    """What the shop answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class Client:
    """Asks the shop over one kept connection, so it belongs to one thread."""

    def __init__(
        self, port: int, tls: ssl.SSLContext, token: str | None = None, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._connection = http.client.HTTPSConnection("localhost", port, context=tls, timeout=answer_seconds)
        self._token = token

    def call(self, method: str, path: str, what: object = None, *, key: str | None = None, **headers: str) -> Answer:
        """Ask below /api/v1; ``what`` is sent as JSON, header names are given with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._token is not None:
            sent["Authorization"] = f"Bearer {self._token}"
        if key is not None:
            sent["Idempotency-Key"] = key
        body = None if what is None else json.dumps(what).encode()
        if body is not None:
            sent["Content-Type"] = "application/json"
        self._connection.request(method, f"{API}{path}", body, sent)
        response = self._connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Shop:
    """An open shop. ``admin`` is (address, password), None where an earlier start made the admin."""

    #: How long it may take to open.
    open_seconds = OPEN_SECONDS

    def __init__(self, folder: Path, **settings: str) -> None:
        """Open it in ``folder``; settings (and other variables) by their names. Rate limits are off unless set."""
        self.folder = folder
        self._output = folder.parent / f"{folder.name}.output"
        self._settings = {**NO_LIMITS, **settings, "BAZAR_DATA_DIR": str(folder)}
        began = time.monotonic()
        for tries_left in reversed(range(TRIES)):
            self.port = _free_ports()
            self._start()
            if self._is_open():
                break
            assert tries_left, self.output()
        self.opened_after_seconds = time.monotonic() - began
        said = self.output()
        self.ca = Path(_found(r"^CA to trust: (.+)$", said))
        self.tls = ssl.create_default_context(cafile=self.ca)
        credentials = re.search(r"^Sign in as (\S+) with the password (\S+) \(", said, re.MULTILINE)
        self.admin = (credentials[1], credentials[2]) if credentials else None
        self._staff: str | None = None

    @property
    def url(self) -> str:
        """Where customers find it."""
        return f"https://localhost:{self.port}"

    def output(self) -> str:
        """All that it has said."""
        return self._output.read_text()

    def client(self, token: str | None = None, answer_seconds: float = ANSWER_SECONDS) -> Client:
        """A client of nobody, or of whom the token is; it gives up where no answer comes in time."""
        return Client(self.port, self.tls, token, answer_seconds)

    def open_again(self) -> None:
        """The next start after its process has ended, at the same address."""
        deadline = time.monotonic() + self.open_seconds
        self.process.wait(self.open_seconds)
        self._start()
        while not self._is_open():  # a server that drains still has its port
            assert time.monotonic() < deadline, self.output()
            self._start()

    def probe(self, path: str) -> Answer:
        """Ask the front-end outside of its API: health, readiness, metrics, a page."""
        connection = http.client.HTTPSConnection("localhost", self.port, context=self.tls, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def sign_in(self, email: str, password: str = PASSWORD) -> str:
        """A new token."""
        answer = self._ask("POST", "/tokens", {"email": email, "password": password})
        return str(answer.json["token"])

    def customer(self, email: str) -> str:
        """Register somebody; their token."""
        self._ask("POST", "/accounts", {"email": email, "password": PASSWORD})
        return self.sign_in(email)

    def staff(self) -> str:
        """A token of the admin, the same each time."""
        assert self.admin is not None
        self._staff = self._staff or self.sign_in(*self.admin)
        return self._staff

    def add_book(self, stock: int, title: str = "Xen") -> int:
        """A new book; its item number."""
        price = {"amount": 4000, "currency": "USD"}
        book = {"title": title, "authors": [], "subjects": ["undergraduate school"], "price": price, "stock": stock}
        return int(self._ask("POST", "/books", book, token=self.staff()).json["item_number"])

    def processes(self) -> dict[int, str]:
        """The command of each of its processes, by process id; the first is ``bazar up``."""
        parents = {int(stat.parent.name): _parent(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
        ours = [self.process.pid]
        for process_id in ours:
            ours += [child for child, parent in parents.items() if parent == process_id]
        return {process_id: _command(process_id) for process_id in ours}

    def worker_of(self, service: str) -> int:
        """The process of a server that does its work."""
        master = live_processes(self.folder / "run")[service]
        (worker,) = map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split())
        return worker

    @contextmanager
    def standing_still(self, service: str) -> Iterator[None]:
        """The server does nothing for so long; what is sent to it waits."""
        worker = self.worker_of(service)
        os.kill(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(worker, signal.SIGCONT)

    def memory(self) -> dict[str, float]:
        """Megabytes of proportional set size by process: what all of it takes of the machine (Linux)."""
        return {f"{process_id} {name}": _pss_megabytes(process_id) for process_id, name in self.processes().items()}

    def stop(self) -> int:
        """Close it as an operator does (SIGTERM); the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            self._kill()

    def _ask(self, method: str, path: str, what: object, token: str | None = None) -> Answer:
        client = self.client(token)
        try:
            answer = client.call(method, path, what)
        finally:
            client.close()
        assert answer.status == http.HTTPStatus.CREATED, answer
        return answer

    def _start(self) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("BAZAR_")}
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                mortal([sys.executable, "-m", "bazar", "up", "--port", str(self.port)], "TERM"),
                env={**clean, **self._settings, "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _is_open(self) -> bool:
        """Wait until it says so; False where somebody took one of its ports first."""
        deadline = time.monotonic() + self.open_seconds
        while "\nSign in as " not in self.output():
            if self.process.poll() is not None:
                assert re.search("port|already runs", self.output(), re.IGNORECASE), self.output()
                return False
            if time.monotonic() > deadline:
                self._kill()
                raise AssertionError(self.output())
            time.sleep(0.02)
        return True

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _free_ports() -> int:
    """The first of three consecutive ports that nobody listens on."""
    for _ in range(1000):
        first = random.choice(PORTS)  # noqa: S311 - no secret
        with suppress(OSError):
            for port in range(first, first + 3):
                socket.create_server(("127.0.0.1", port)).close()
            return first
    raise AssertionError("no three free ports")


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    assert match, text
    return match[1]


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(") ")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0


def _command(process_id: int) -> str:
    with suppress(FileNotFoundError):
        words = Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")
        return " ".join(word.decode() for word in words[2:5])
    return ""


def _pss_megabytes(process_id: int) -> float:
    try:
        rollup = Path(f"/proc/{process_id}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0.0
    return int(_found(r"^Pss:\s+(\d+) kB", rollup)) / 1024
