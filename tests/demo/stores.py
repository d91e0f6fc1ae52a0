"""The two stores of the demonstration as real processes: opened, struck by a kill -9, read, closed."""

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Protocol

import argon2

from bazar.chassis.clock import system_clock
from bazar.chassis.database import Database
from bazar.chassis.pidfile import live_processes
from bazar.frontend.domain.accounts import Role, SignInKind
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.tries import Limits
from demo import plain_store
from demo.crowd import Buyer, Reply, reply_of
from shop import PASSWORD, PORTS, Client, Shop

OPEN_SECONDS = 20.0
ANSWER_SECONDS = 20.0
#: The sweep of the order server needs 15 s at most for what the crash interrupted.
SETTLE_SECONDS = 25.0
#: Next to nothing: five hundred of the shop's own hashes would take this machine a while.
CHEAP_HASH = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Store(Protocol):
    """A store that is open and has one book."""

    name: str

    def buyers(self, count: int) -> Sequence[Buyer]:
        """So many people at its door."""
        ...

    def kill(self, server: str) -> None:
        """With -9; it is started again at once."""
        ...

    def ledger(self) -> tuple[Counter[str], int]:
        """The number of orders by buyer, and the stock, from the store's own data."""
        ...

    def close(self) -> None:
        """Stop its processes."""
        ...


class OpenBazar:
    """``bazar up`` as it is, with rate limits off."""

    name = "Bazar"

    def __init__(self, folder: Path, copies: int) -> None:
        self._folder = folder
        self._shop = Shop(folder, BAZAR_SAMPLE="0")
        try:
            self._item = self._shop.add_book(copies, plain_store.TITLE)
            self._servers = live_processes(folder / "run")
        except BaseException:
            self.close()
            raise

    def buyers(self, count: int) -> list["BazarBuyer"]:
        database = Database(f"sqlite:///{self._folder}/frontend.sqlite3")
        accounts = Accounts(
            SqlAccountStore(database), PasswordHasher(argon2id=CHEAP_HASH), system_clock, Limits(0, 0, 0)
        )
        made = []
        for number in range(count):
            email = f"buyer-{number}@example.org"
            person = accounts.create_account(email, PASSWORD, Role.CUSTOMER)
            token = accounts.sign_in(email, PASSWORD, SignInKind.TOKEN, "127.0.0.1").secret
            made.append(BazarBuyer(person.account_id, self._shop.client(token), self._item))
        database.close()
        return made

    def kill(self, server: str) -> None:
        os.killpg(self._servers[server], signal.SIGKILL)  # master and worker; `bazar up` starts them again

    def ledger(self) -> tuple[Counter[str], int]:
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._ask("catalog", "SELECT count(*) FROM holds WHERE state = 'held'")[0][0]:
            if time.monotonic() > deadline:
                break  # a copy held for nobody is then missing in the sums, and told
            time.sleep(0.1)
        orders = self._ask("order", "SELECT account_id, count(*) FROM decisions WHERE outcome = 'confirmed' GROUP BY 1")
        stock = self._ask("catalog", f"SELECT stock FROM books WHERE item_number = {self._item}")[0][0]  # noqa: S608 - a number
        return Counter(dict(orders)), stock

    def close(self) -> None:
        self._shop.stop()

    def _ask(self, service: str, query: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self._folder / service}.sqlite3?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()


class BazarBuyer:
    """Repeats a purchase with the key of the first try, as a client of Bazar does."""

    def __init__(self, account_id: str, client: Client, item: int) -> None:
        self.name = account_id
        self._client = client
        self._item = item

    def look(self) -> None:
        with suppress(OSError, HTTPException):
            self._client.call("GET", f"/info/{self._item}")

    def buy(self) -> Reply:
        return reply_of(self._ask)

    def _ask(self) -> tuple[int, str | None]:
        try:
            answer = self._client.call("POST", f"/purchase/{self._item}", key=f"a-copy-for-{self.name}")
        except (OSError, HTTPException):
            self._client.close()  # the next call connects again
            raise
        return answer.status, answer.headers.get("Retry-After")


class OpenPlainStore:
    """The three servers of plain_store.py."""

    name = "plain store"

    def __init__(self, folder: Path, copies: int) -> None:
        self._folder = folder
        self._lock = threading.Lock()  # a buyer may strike while Ctrl-C closes the store
        self._is_closed = False
        folder.mkdir()
        plain_store.stock_shelf(folder, copies)
        self._ports = _free_ports(len(plain_store.SERVERS))
        self._processes = {server: self._start(server) for server in plain_store.SERVERS}
        try:
            self._wait_until_open()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Where customers find it."""
        return f"http://{plain_store.HOST}:{self._ports[0]}"

    def buyers(self, count: int) -> list["PlainBuyer"]:
        return [PlainBuyer(f"buyer-{number}", self._ports[0]) for number in range(count)]

    def kill(self, server: str) -> None:
        with self._lock:
            if not self._is_closed:
                self._processes[server].kill()
                self._processes[server].wait()
                self._processes[server] = self._start(server)  # without a pause, as `bazar up` does

    def ledger(self) -> tuple[Counter[str], int]:
        return Counter(plain_store.buyers_in_ledger(self._folder)), plain_store.stock_left(self._folder)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            for process in self._processes.values():
                process.kill()
                process.wait()

    def _start(self, server: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, plain_store.__file__, server, str(self._folder), *map(str, self._ports)]
        with (self._folder / f"{server}.output").open("ab") as output:
            # A session of its own: Ctrl-C reaches the demonstration alone, which closes what it opened.
            return subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)

    def _wait_until_open(self) -> None:
        deadline = time.monotonic() + OPEN_SECONDS
        for server, port in zip(plain_store.SERVERS, self._ports, strict=True):
            while True:
                with suppress(OSError), socket.create_connection((plain_store.HOST, port)):
                    break
                if time.monotonic() > deadline or self._processes[server].poll() is not None:
                    raise RuntimeError((self._folder / f"{server}.output").read_text())
                time.sleep(0.02)


class PlainBuyer:
    """Clicks again where no answer came, as a person does: the plain store knows no key."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self._port = port

    def look(self) -> None:
        with suppress(OSError, HTTPException):
            self._call("GET", f"/info/{plain_store.ITEM}", None)

    def buy(self) -> Reply:
        return reply_of(lambda: self._call("POST", f"/purchase/{plain_store.ITEM}", {"buyer": self.name}))

    def _call(self, method: str, path: str, what: object) -> tuple[int, str | None]:
        with closing(HTTPConnection(plain_store.HOST, self._port, timeout=ANSWER_SECONDS)) as connection:
            connection.request(method, path, json.dumps(what), {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            return response.status, response.headers.get("Retry-After")


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, below those that the system gives to clients."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with suppress(OSError):
            socket.create_server((plain_store.HOST, port)).close()
            found.append(port)
            if len(found) == count:
                return found
    raise RuntimeError("no free ports")
