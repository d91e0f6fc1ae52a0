"""More front-ends beside that of a shop, as on several machines: each with a data folder and a port of its own."""

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

from mortal import mortal
from processes import free_port, wait_until
from shop import NO_LIMITS, STOP_SECONDS, Shop


@contextmanager
def beside(shop: Shop, folder: Path, database: str, count: int) -> Iterator[list[str]]:
    """So many of them, until the block ends; their URLs. ``database``: what all front-ends share, on PostgreSQL."""
    with ExitStack() as stack:
        yield [stack.enter_context(_one(shop, folder / f"front-end-{number}", database)) for number in range(count)]


@contextmanager
def _one(shop: Shop, folder: Path, database: str) -> Iterator[str]:
    shutil.copytree(shop.folder / "certs", folder / "certs")
    port = free_port()
    settings = {
        **NO_LIMITS,
        "BAZAR_DATA_DIR": str(folder),
        "BAZAR_PORT": str(port),
        "BAZAR_CATALOG_URL": f"https://127.0.0.1:{shop.port + 1}",
        "BAZAR_ORDER_URL": f"https://127.0.0.1:{shop.port + 2}",
        "BAZAR_FRONTEND_DATABASE_URL": database,
        "BAZAR_ONE_CORE": "0",  # several of them may be held to the same one
    }
    with _running(settings, folder.with_suffix(".output")) as process:
        wait_until(lambda: process.poll() is not None or _is_ready(port, shop.tls))
        assert process.poll() is None, folder.with_suffix(".output").read_text()
        yield f"https://localhost:{port}"


@contextmanager
def _running(settings: Mapping[str, str], output: Path) -> Iterator["subprocess.Popen[bytes]"]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BAZAR_")}
    with output.open("wb") as file:
        process = subprocess.Popen(
            mortal([sys.executable, "-m", "bazar", "frontend"], "TERM"),
            env={**clean, **settings},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _is_ready(port: int, tls: ssl.SSLContext) -> bool:
    connection = HTTPSConnection("localhost", port, context=tls)
    try:
        with suppress(OSError, HTTPException):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        return False
    finally:
        connection.close()
