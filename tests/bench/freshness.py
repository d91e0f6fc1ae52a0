"""`make bench-freshness`: how long after a change of price each front-end still shows the old one; nothing here passes
or fails on time.

Four front-ends over one catalog, as on four machines. Staff change the price of a book through the first of them;
a reader at each asks for the book over and over, from the cache, and never says how far they have seen the shop.
The time begins when staff have their answer and ends when a reader has the first answer with the new price.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

from bench.front_ends import beside
from bench.page import Tables, printed, write_tables
from bench.paths import opened
from bench.results import percentiles
from bench.tills import on_postgresql
from postgresql import PostgreSQL, PostgreSQLMissing
from shop import Client, Shop

ROOT = Path(__file__).parents[2]
FRONT_ENDS = 4
CHANGES = 100
FIRST_PRICE = 1000
#: Between two questions of a reader: what is measured is the shop, not how fast it can be asked.
PAUSE_SECONDS = 0.001
#: A reader who sees nothing new for so long has found a mistake.
LONGEST_SECONDS = 30.0
HEADINGS = ("front-end", "changes", "p50 ms", "p99 ms", "longest ms")


def main() -> int:
    """Measure, print, keep as JSON, and write the page if asked; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=CHANGES, help="how many prices are changed, one after the other")
    parser.add_argument("--write", action="store_true", help="renew the table of docs/benchmarks.md")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench-freshness.json", help="where all figures go")
    given = parser.parse_args()
    console = Console(highlight=False, width=120)
    try:
        with tempfile.TemporaryDirectory(prefix="bazar-freshness-") as folder, _open(Path(folder)) as (shop, ports):
            found = _measured(shop, ports, given.changes)
    except PostgreSQLMissing as missing:
        console.print(str(missing))
        return 1
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {FRONT_ENDS} front-ends"
    tables: Tables = [(HEADINGS, list(rows_of(found)))]
    console.print(printed(*tables[0]), machine)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps({"machine": machine, "milliseconds": found}, indent=1) + "\n")
    if given.write:
        write_tables(
            ROOT / "docs" / "benchmarks.md", "make bench-freshness", f"`make bench-freshness`: {machine}.", tables
        )
    return 0


def rows_of(found: Sequence[Sequence[float]]) -> Iterator[Sequence[str]]:
    """As HEADINGS; ``found``: milliseconds of each change at each front-end, the one that the change came by first."""
    for number, times in enumerate(found):
        name = "that of the change" if number == 0 else f"another, {number}"
        yield name, f"{len(times)}", *(f"{each:.0f}" for each in (*percentiles(times), max(times)))


@contextmanager
def _open(folder: Path) -> Iterator[tuple[Shop, Sequence[int]]]:
    """A shop, and the ports of its front-ends."""
    with ExitStack() as stack:
        server = PostgreSQL()
        stack.callback(server.stop)
        shared = on_postgresql(server)["FRONTEND"]  # several front-ends cannot share a file of SQLite
        shop = opened(stack, folder / "shop", BAZAR_FRONTEND_DATABASE_URL=shared)
        others = stack.enter_context(beside(shop, folder, shared, FRONT_ENDS - 1))
        yield shop, [shop.port, *(urlsplit(url).port or 0 for url in others)]


def _measured(shop: Shop, ports: Sequence[int], changes: int) -> list[list[float]]:
    item = shop.add_book(1)
    with ExitStack() as stack, ThreadPoolExecutor(len(ports)) as threads:
        staff = stack.enter_context(closing(shop.client(shop.staff())))
        readers = [stack.enter_context(closing(Client(port, shop.tls))) for port in ports]
        found: list[list[float]] = [[] for _ in ports]
        for amount in range(FIRST_PRICE, FIRST_PRICE + changes):
            seen = [threads.submit(_first_seen, reader, item, amount) for reader in readers]
            changed_at = _reprice(staff, item, amount)
            for times, each in zip(found, seen, strict=True):
                times.append(max(0.0, each.result() - changed_at) * 1000)
    return found


def _reprice(staff: Client, item: int, amount: int) -> float:
    """When staff heard that it was done, in monotonic seconds."""
    version = staff.call("GET", f"/info/{item}").json["version"]
    price = {"price": {"amount": amount, "currency": "USD"}}
    answer = staff.call("PATCH", f"/books/{item}", price, If_Match=f'"{version}"')
    heard_at = time.monotonic()
    assert answer.status == 200, answer
    return heard_at


def _first_seen(reader: Client, item: int, amount: int) -> float:
    """When the reader has the new price, in monotonic seconds."""
    gives_up_at = time.monotonic() + LONGEST_SECONDS
    while reader.call("GET", f"/info/{item}").json["price"]["amount"] != amount:
        assert time.monotonic() < gives_up_at, "the new price was never shown"
        time.sleep(PAUSE_SECONDS)
    return time.monotonic()


if __name__ == "__main__":
    sys.exit(main())
