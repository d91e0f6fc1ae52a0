"""A PostgreSQL server of the tests' own: made, started and thrown away by the test run."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

from mortal import mortal

START_SECONDS = 60
STOP_SECONDS = 30
TRIES = 3
#: The account of Debian's package; used where the tests run as root, whom PostgreSQL refuses.
PACKAGE_USER = "postgres"
#: Nothing that the tests write has to survive the machine.
FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


class PostgreSQLMissing(Exception):
    """PostgreSQL is not installed; says how to install it."""


class PostgreSQL:
    """A server on a free loopback port, in a temporary folder, until ``stop``.

    Texts are sorted by language, as in many installations: what relies on the order of their bytes shows.
    ``settings`` are added to those that make tests fast (``fsync="on"`` where durability is tested).
    """

    def __init__(self, **settings: str) -> None:
        self._programs = _programs()
        self._owner = PACKAGE_USER if os.geteuid() == 0 else None
        self._password = secrets.token_hex(16)
        self._made = 0
        self._settings = {**FAST, **settings}
        self._folder = Path(tempfile.mkdtemp(prefix="bazar-postgresql-"))
        try:
            if self._owner:
                shutil.chown(self._folder, self._owner)
            self._make_cluster()
            self._start()
        except BaseException:
            shutil.rmtree(self._folder)
            raise

    def new_database(self, like: str | None = None) -> str:
        """Make a database, empty or a copy of the one at the URL ``like``; returns its URL."""
        self._made += 1
        name = f"test_{self._made}"
        template = like.rpartition("/")[2] if like else "template0"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        return self.url(name)

    def new_database_in(self, encoding: str) -> str:
        """Make an empty database that keeps its texts in another encoding than UTF-8; returns its URL."""
        self._made += 1
        name = f"test_{self._made}"
        statement = "CREATE DATABASE {} ENCODING {} LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Literal(encoding)))
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Throw a database away, whoever is still connected."""
        name = url.rpartition("/")[2]
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, database: str) -> str:
        """Where a database is, for the settings of a shop."""
        return f"postgresql://bazar:{self._password}@127.0.0.1:{self._port}/{database}"

    def take_away(self) -> None:
        """End the server, whoever is still connected; its data stay."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()

    def bring_back(self) -> None:
        """Start it again where it was."""
        self._run()
        assert self._answers(), self._log.read_text()

    def stop(self) -> None:
        """End the server, whoever is still connected, and remove its folder."""
        try:
            self.take_away()
        finally:
            shutil.rmtree(self._folder)

    def _make_cluster(self) -> None:
        password_file = self._folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        if self._owner:
            shutil.chown(password_file, self._owner)
        command: list[str | Path] = [
            self._programs / "initdb",
            "--pgdata",
            self._data,
            "--no-sync",
            "--encoding",
            "UTF8",
        ]
        command += ["--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US"]
        command += ["--username", "bazar", "--auth", "scram-sha-256", "--pwfile", password_file]
        done = subprocess.run(command, cwd=self._folder, user=self._owner, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def _start(self) -> None:
        for tries_left in reversed(range(TRIES)):
            self._port = _free_port()
            self._run()
            if self._answers():
                return
            assert tries_left, self._log.read_text()

    def _run(self) -> None:
        settings = {
            **self._settings,
            "port": str(self._port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                mortal([self._programs / "postgres", "-D", self._data, *options], "INT"),
                cwd=self._folder,
                user=self._owner,
                stdout=log,
                stderr=log,
            )

    def _answers(self) -> bool:
        """Wait until it takes connections; False where it has ended, its port taken perhaps."""
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url("postgres")):
                return True
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)
        return False

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "log"


def _programs() -> Path:
    """The folder of the newest version that Debian's package installed, or of what is on the PATH."""
    versions = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if versions:
        return max(versions, key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    if on_path is None:
        raise PostgreSQLMissing("PostgreSQL is not installed: run tests/install-system-packages.sh as root")
    return Path(on_path).resolve().parent


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
