"""The bounds, each as good as it can be: servers that return the same bytes, and purchases without any server."""

import json
import os
import pwd
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import psycopg

import bazar.catalog.wiring
import bazar.order.wiring
from bazar.chassis.certificates import ServiceFiles
from bazar.chassis.database import Database
from bazar.chassis.migrations import migrate
from bench.results import Measured, percentiles
from bench.wrk import program
from mortal import mortal
from processes import free_port, wait_until
from shop import Answer
from shop_in_process import ShopInProcess, add_book

PLENTY = 1_000_000_000
TOGETHER = 32
STOP_SECONDS = 10
#: What a server says about itself, and of the connection; each adds its own.
_OWN_HEADERS = {"date", "server", "content-length", "connection"}
_MODULES = {"catalog": bazar.catalog.wiring, "order": bazar.order.wiring}

NGINX = """
{user}
daemon off;
worker_processes 1;
error_log stderr warn;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/client; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.3;
    location / {{
      default_type "{kind}";
      {headers}
      return 200 '{body}';
    }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, files: ServiceFiles, answer: Answer) -> Iterator[str]:
    """nginx with one worker that returns the answer's body and headers over TLS; its URL."""
    folder.mkdir()
    port, body = free_port(), answer.body.decode()
    if "$" in body:
        raise ValueError("nginx would take a $ for a variable")
    told = {name: value for name, value in _headers(answer).items() if name != "content-type"}
    headers = "\n".join(f'add_header {name} "{_quoted(value)}";' for name, value in told.items())
    configuration = folder / "nginx.conf"
    configuration.write_text(
        NGINX.format(
            user=f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else "",
            folder=folder,
            port=port,
            certificate=files.certificate,
            key=files.key,
            kind=answer.headers["content-type"],
            headers=headers,
            body=body.replace("\\", "\\\\").replace("'", "\\'"),
        )
    )
    command: list[str | Path] = [program("nginx"), "-c", configuration, "-p", folder]
    with _running(command, folder / "output", {}, port):
        yield f"https://localhost:{port}/"


@contextmanager
def on_granian(folder: Path, files: ServiceFiles, app: str, answer: Answer, threads: int = 1) -> Iterator[str]:
    """An application of bare_apps.py on Granian over TLS; its URL. It waits for nobody: one thread is best for it."""
    folder.mkdir()
    port, kept = free_port(), folder / "answer"
    kept.write_bytes(json.dumps(list(_headers(answer).items())).encode() + b"\n\n" + answer.body)
    command: list[str | Path] = [sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws"]
    command += ["--workers", "1", "--blocking-threads", str(threads), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--ssl-certificate", files.certificate, "--ssl-keyfile", files.key, "--log-level", "error"]
    command += [f"bench.bare_apps:{app}"]
    settings = {"PYTHONPATH": str(Path(__file__).parents[1]), "BENCH_ANSWER": str(kept)}
    with _running(command, folder / "output", settings, port):
        yield f"https://localhost:{port}/"


class RawCommits:
    """The two durable writes of a purchase, one after the other, in SQL, without any server."""

    def __init__(self, catalog: "Raw", order: "Raw") -> None:
        """Both have their tables and nothing in them."""
        self._catalog, self._order = catalog, order
        self._catalog.execute(
            "INSERT INTO books (title, authors, subjects, blurb, price_minor, stock, added_at) "
            "VALUES ('Xen', '[]', '[]', '', 4000, ?, 0)",
            PLENTY,
        )
        self._made = 0

    def buy(self) -> None:
        """Hold and commit, decide and commit."""
        self._made += 1
        order_id = f"order-{self._made:012}"
        self._catalog.begin()
        self._catalog.execute("UPDATE books SET stock = stock - 1 WHERE item_number = 1 AND stock >= 1")
        self._catalog.execute("INSERT INTO holds VALUES (?, 'ann', 'hash', 'held', 0, 0)", order_id)
        self._catalog.execute("INSERT INTO hold_lines VALUES (?, 1, 'Xen', 1, 4000, NULL)", order_id)
        self._catalog.execute("COMMIT")
        self._order.begin()
        self._order.execute(
            "INSERT INTO decisions VALUES (?, 'ann', 'hash', 'confirmed', 0, 'USD', '[]', '[]', NULL)", order_id
        )
        self._order.execute("COMMIT")

    def close(self) -> None:
        """Close both databases."""
        self._catalog.close()
        self._order.close()


class Raw(Protocol):
    """A connection that commits when it is told to; a question mark stands for a value."""

    def begin(self) -> None: ...
    def execute(self, statement: str, *values: str | int) -> None: ...
    def close(self) -> None: ...


class RawSQLite:
    """Implements Raw."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")

    def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def execute(self, statement: str, *values: str | int) -> None:
        self._connection.execute(statement, values)

    def close(self) -> None:
        self._connection.close()


class RawPostgreSQL:
    """Implements Raw."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def begin(self) -> None:
        self._connection.execute("BEGIN")

    def execute(self, statement: str, *values: str | int) -> None:
        self._connection.execute(statement.replace("?", "%s").encode(), values)

    def close(self) -> None:
        self._connection.close()


class WithoutHops:
    """The use cases of both servers over their databases in this process; what is decided is settled, too."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._databases = migrated_databases(folder)
        self._shop = ShopInProcess(*self._databases)
        self._item = add_book(self._shop.keep_stock, stock=1_000_000).item_number
        self._made = 0

    def buy(self) -> None:
        """One purchase."""
        self._buy(1)

    def buy_together(self) -> None:
        """As many as often travel together."""
        self._buy(TOGETHER)

    def close(self) -> None:
        """Close both databases."""
        for database in self._databases:
            database.close()

    def _buy(self, count: int) -> None:
        first, self._made = self._made, self._made + count
        self._shop.buy_together([f"key-{number}" for number in range(first, self._made)], self._item)
        self._shop.finish_all()
        self._shop.decided.decisions.clear()


def timed(buy: Callable[[], None], seconds: float, each: int = 1) -> Measured:
    """One after the other, for so long; ``each`` call makes so many purchases."""
    milliseconds: list[float] = []
    began = now = time.perf_counter()
    while now < began + seconds:
        buy()
        then, now = now, time.perf_counter()
        milliseconds.append((now - then) * 1000)
    p50_ms, p99_ms = percentiles(milliseconds)
    return Measured(seconds=now - began, answers=each * len(milliseconds), p50_ms=p50_ms, p99_ms=p99_ms)


def raw_on_sqlite(folder: Path) -> RawCommits:
    """On two new files."""
    folder.mkdir()
    for database in migrated_databases(folder):
        database.close()
    return RawCommits(*(RawSQLite(folder / f"{name}.sqlite3") for name in _MODULES))


def raw_on_postgresql(new_database: Callable[[], str]) -> RawCommits:
    """On two databases of a server that makes them."""
    urls = {name: new_database() for name in _MODULES}
    for name, url in urls.items():
        _migrated(name, url).close()
    return RawCommits(*map(RawPostgreSQL, urls.values()))


def migrated_databases(folder: Path) -> tuple[Database, Database]:
    """New databases of a catalog and of an order server, on SQLite."""
    catalog, order = (_migrated(name, f"sqlite:///{folder / name}.sqlite3") for name in _MODULES)
    return catalog, order


def _migrated(name: str, url: str) -> Database:
    database = Database(url)
    migrate(database, _MODULES[name].MIGRATIONS)
    return database


def _headers(answer: Answer) -> Mapping[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in _OWN_HEADERS}


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


@contextmanager
def _running(command: list[str | Path], output: Path, settings: Mapping[str, str], port: int) -> Iterator[None]:
    with output.open("wb") as file:
        process = subprocess.Popen(
            mortal(command, "TERM"), env={**os.environ, **settings}, stdout=file, stderr=file, start_new_session=True
        )
    try:
        wait_until(lambda: process.poll() is not None or _listens(port))
        if process.poll() is not None:
            raise RuntimeError(output.read_text())
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False
