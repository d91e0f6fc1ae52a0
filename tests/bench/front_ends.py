"""More front-ends beside that of a shop, as on several machines: each with a data folder and a port of its own."""

import shutil
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

from bazar.contracts.names import FRONTEND
from bench.server import running
from processes import free_port
from shop import NO_LIMITS, Shop


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
    with running(FRONTEND, settings, folder.with_suffix(".output"), lambda: _is_ready(port, shop.tls)):
        yield f"https://localhost:{port}"


def _is_ready(port: int, tls: ssl.SSLContext) -> bool:
    connection = HTTPSConnection("localhost", port, context=tls)
    try:
        with suppress(OSError, HTTPException):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        return False
    finally:
        connection.close()
