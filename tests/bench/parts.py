"""`make bench-profile`: where the CPU goes of what no cache answers; nothing here passes or fails on time.

The WSGI applications of the front-end and of the catalog, one after the other, in this process and over the data of a
real shop; the front-end's calls go to the shop's catalog server over mutual TLS. A request's CPU is that of its thread.
What the parts have of it is sampled: a timer that runs on CPU time looks at what is being executed, and the innermost
function that belongs to a part counts for it.
"""

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from wsgiref.types import WSGIApplication, WSGIEnvironment

from rich.console import Console
from werkzeug.test import EnvironBuilder, run_wsgi_app

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

import bazar.catalog.wiring
import bazar.frontend.wiring
from bazar.chassis.clock import system_clock
from bazar.chassis.headers import REMAINING_MS, REQUEST_ID
from bazar.chassis.logging import configure_logging
from bazar.chassis.service_token import TokenIssuer
from bazar.contracts.names import CATALOG, FRONTEND
from bazar.settings import Settings
from bench.page import printed
from bench.results import Spread
from shop import API, PAST_THE_CACHE, Shop

ITEM = 3
WARMING_REQUESTS = 200
REQUESTS = 1000
ROUNDS = 5
SAMPLE_EVERY_SECONDS = 0.001
HEADINGS = ("CPU of a request in µs", "info: front-end", "info: catalog", "page of a book", "page of a search")
#: Of the front-end alone: what the catalog has said of them is remembered, and the page drawn anew each time.
PAGES = (f"/books/{ITEM}", "/search?subject=distributed+systems")
#: What is executed in a file whose path has one of these belongs to the part.
PARTS = {
    "log line": ("/structlog/", "/logging/__init__.py", "/logging/handlers.py", "bazar/chassis/logging.py"),
    "metrics": ("/prometheus_client/",),
    "database": ("/sqlalchemy/", "bazar/catalog/storage/", "bazar/chassis/database.py", "bazar/chassis/glance.py"),
    "call to the neighbour": ("/urllib3/", "/http/client.py", "/ssl.py", "chassis/client.py", "chassis/connections.py"),
    "messages": ("bazar/contracts/",),
    "templates": ("/jinja2/", "/markupsafe/", "/babel/", "bazar/frontend/templates/"),
    "Flask, werkzeug": ("/flask/", "/werkzeug/"),
    "our other code: door, views, use cases": ("/src/bazar/",),
}
REST = "none of these"


class Asked:
    """One request, asked of an application again and again."""

    def __init__(self, app: WSGIApplication, path: str, headers: list[tuple[str, str]]) -> None:
        self._app = app
        self._environ: WSGIEnvironment = EnvironBuilder(path, "https://localhost", headers=headers).get_environ()
        self._parts: Counter[str] = Counter()
        body, status, _ = run_wsgi_app(app, self._environ.copy())
        assert status.startswith("200"), (status, b"".join(body))
        self._ask(WARMING_REQUESTS)

    def microseconds(self) -> float:
        """CPU of one request, from many."""
        began = time.thread_time()
        self._ask(REQUESTS)
        return (time.thread_time() - began) / REQUESTS * 1e6

    def shares(self) -> dict[str, float]:
        """The share of each part."""
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_EVERY_SECONDS, SAMPLE_EVERY_SECONDS)
        self._ask(REQUESTS * ROUNDS)
        signal.setitimer(signal.ITIMER_PROF, 0)
        return {name: self._parts[name] / self._parts.total() for name in (*PARTS, REST)}

    def _ask(self, times: int) -> None:
        for _ in range(times):
            for _part in self._app(self._environ.copy(), lambda *_: lambda _data: None):
                pass

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        while frame is not None and (file := frame.f_code.co_filename) != __file__:
            for name, places in PARTS.items():
                if any(place in file for place in places):
                    self._parts[name] += 1
                    return
            frame = frame.f_back
        self._parts[REST] += 1


def main() -> int:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    console = Console(highlight=False, width=120)
    with tempfile.TemporaryDirectory(prefix="bazar-profile-") as folder:
        shop = Shop(Path(folder) / "shop")
        settings = Settings.from_environment({"BAZAR_DATA_DIR": str(shop.folder), "BAZAR_PORT": str(shop.port)})
        configure_logging(FRONTEND, settings.log_format, settings.log_level, Path(folder) / "profile.log")
        try:
            service = bazar.frontend.wiring.build(settings)
            frontend = _measured(Asked(service.app, f"{API}/info/{ITEM}", [PAST_THE_CACHE]))
            pages = [_measured(Asked(service.app, path, [PAST_THE_CACHE])) for path in PAGES]
            service.stop()
        finally:
            shop.stop()
        service = bazar.catalog.wiring.build(settings)  # now that its files are free
        token = TokenIssuer(FRONTEND, settings.certificates, system_clock).token(CATALOG)
        sent = [("Authorization", f"Bearer {token}"), (REMAINING_MS, "5000"), (REQUEST_ID, "abcdef0123456789")]
        catalog = _measured(Asked(service.app, f"/books/{ITEM}", sent))
        service.stop()
    rows = [[name, *(column[name] for column in (frontend, catalog, *pages))] for name in frontend]
    console.print(printed(HEADINGS, rows))
    console.print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {ROUNDS} rounds of {REQUESTS} requests")
    return 0


def _measured(asked: Asked) -> dict[str, str]:
    whole = Spread.of([asked.microseconds() for _ in range(ROUNDS)])
    parts = {name: f"{whole.median * share:,.0f}" for name, share in asked.shares().items()}
    return {"in all, median (least to most)": whole.told(), **parts}


if __name__ == "__main__":
    sys.exit(main())
