"""`make figures`: the figures that the documents state, measured on this machine; nothing here passes or fails on time.

Client and shop share the machine. Unless it says otherwise a figure is the median over ``RUNS`` shops.
"""

import argparse
import csv
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

from rich.console import Console
from rich.table import Table

from bazar.cli.generated_books import HEADINGS, generated_rows
from bazar.contracts.catalogue_file import Columns, GoodRow, Reading, read_rows
from postgresql import PostgreSQL, PostgreSQLMissing
from shop import Client, Shop

RUNS = 5
CUSTOMERS = 64
PURCHASES = 500
QUESTIONS = 300
GENERATED_TITLES = 80_000
PLENTY = 1_000_000
WAIT_SECONDS = 120
#: Unlike in the tests, what is committed is on the disk.
DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on"}
SERVICES = ("CATALOG", "ORDER", "FRONTEND")


@dataclass(frozen=True)
class Rush:
    """64 customers made 500 purchases of one book that there was enough of."""

    seconds: float
    purchase_milliseconds: Sequence[float]


@dataclass(frozen=True)
class Life:
    """What one shop took from its first start to its second."""

    first_start_seconds: float
    second_start_seconds: float
    idle_megabytes: float
    afterwards_megabytes: float
    rush: Rush


@dataclass(frozen=True)
class Catalogue:
    """A file to import, and how its columns are told to ``bazar catalogue import``."""

    file: Path
    columns: Mapping[str, str]
    price: int | None
    stock: int | None

    def options(self) -> list[str]:
        pairs = [["--map", f"{field}={column}"] for field, column in self.columns.items()]
        pairs += [["--price", str(self.price)]] if self.price is not None else []
        pairs += [["--stock", str(self.stock)]] if self.stock is not None else []
        return [word for pair in pairs for word in pair]

    def titles(self) -> list[str]:
        reading = Reading(currency="USD", price_minor=self.price, stock=self.stock)
        rows = read_rows(self.file, Columns(**self.columns), reading)
        return [row.book.book.title for row in rows if isinstance(row, GoodRow)]


def main() -> None:
    """Measure all of it, and print one table."""
    table = Table("figure", "value", title=f"{os.cpu_count()} cores, Python {platform.python_version()}")
    table.columns[1].justify = "right"
    console = Console(highlight=False, width=120)
    with tempfile.TemporaryDirectory(prefix="bazar-figures-") as temporary:
        folder = Path(temporary)
        catalogue = _asked_for(folder)
        console.print(f"{RUNS} shops on SQLite ...")
        _tell_lives(table, "SQLite", [_live(folder / f"sqlite-{run}") for run in range(RUNS)])
        try:
            with _postgresql() as server:
                console.print(f"{RUNS} shops on PostgreSQL ...")
                lives = [_live(folder / f"postgresql-{run}", **_urls(server)) for run in range(RUNS)]
            _tell_lives(table, "PostgreSQL, itself not weighed", lives)
        except PostgreSQLMissing as missing:
            console.print(missing)
        console.print(f"The import of {catalogue.file.name} ...")
        _tell_import(table, folder / "large", catalogue)
    console.print(table)


def _asked_for(folder: Path) -> Catalogue:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catalogue", type=Path, metavar="FILE", help="a CSV to import instead of a generated one")
    parser.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="as for bazar's import")
    parser.add_argument("--price", type=int, help="as for bazar's import")
    parser.add_argument("--stock", type=int, help="as for bazar's import")
    given = parser.parse_args()
    if given.catalogue is None:
        return Catalogue(_generated(folder / "generated.csv"), {}, price=None, stock=None)
    columns = {field: column for field, _, column in (pair.partition("=") for pair in given.map)}
    return Catalogue(given.catalogue, columns, given.price, given.stock)


def _generated(path: Path) -> Path:
    """A catalogue that is the same wherever it is made."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADINGS)
        rows.writerows(generated_rows(GENERATED_TITLES, seed=1))
    return path


@contextmanager
def _postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL(**DURABLE)
    try:
        yield server
    finally:
        server.stop()


def _urls(server: PostgreSQL) -> dict[str, str]:
    return {f"BAZAR_{service}_DATABASE_URL": server.new_database() for service in SERVICES}


@contextmanager
def _open(folder: Path, settings: Mapping[str, str]) -> Iterator[Shop]:
    shop = Shop(folder, **settings)
    try:
        yield shop
    finally:
        shop.stop()


def _live(folder: Path, **settings: str) -> Life:
    with _open(folder, settings) as shop:
        first_start_seconds, idle = shop.opened_after_seconds, sum(shop.memory().values())
        rush = _rush(shop)
        afterwards = sum(shop.memory().values())
    with _open(folder, settings) as shop:
        return Life(first_start_seconds, shop.opened_after_seconds, idle, afterwards, rush)


def _rush(shop: Shop) -> Rush:
    """Each customer has a connection that is open already. Raises AssertionError unless all get their copy."""
    item, token = shop.add_book(PLENTY), shop.customer("ann@example.org")
    began: list[float] = []
    begin = threading.Barrier(CUSTOMERS, lambda: began.append(time.perf_counter()))

    def customer(number: int) -> list[float]:
        with closing(shop.client(token)) as client:
            client.call("GET", f"/info/{item}")
            begin.wait(WAIT_SECONDS)
            return [_buy(client, item, f"key-{key}") for key in range(number, PURCHASES, CUSTOMERS)]

    with ThreadPoolExecutor(CUSTOMERS) as threads:
        milliseconds = [each for some in threads.map(customer, range(CUSTOMERS)) for each in some]
        return Rush(time.perf_counter() - began[0], milliseconds)


def _buy(client: Client, item: int, key: str) -> float:
    """Milliseconds until the order was answered."""
    began = time.perf_counter()
    answer = client.call("POST", f"/purchase/{item}", key=key)
    assert answer.status == 201, answer
    return (time.perf_counter() - began) * 1000


def _tell_lives(table: Table, database: str, lives: Sequence[Life]) -> None:
    def median(figures: Sequence[float], unit: str, digits: int) -> str:
        spread = f"{min(figures):.{digits}f} to {max(figures):.{digits}f}"
        return f"{statistics.median(figures):.{digits}f} {unit} ({spread})"

    milliseconds = [each for life in lives for each in life.rush.purchase_milliseconds]
    table.add_section()
    table.add_row(f"[bold]{database}[/]", "")
    table.add_row("open, first start with the sample", median([life.first_start_seconds for life in lives], "s", 1))
    table.add_row("open, second start", median([life.second_start_seconds for life in lives], "s", 1))
    table.add_row("memory (PSS of all processes), idle", median([life.idle_megabytes for life in lives], "MB", 0))
    rush = f"{PURCHASES} purchases by {CUSTOMERS} threads"
    table.add_row(f"memory after {rush}", median([life.afterwards_megabytes for life in lives], "MB", 0))
    rates = [PURCHASES / life.rush.seconds for life in lives]
    table.add_row(f"rate of {rush}", median(rates, "a second", 0))
    table.add_row("answer to such a purchase, of all runs", _median_and_p99(milliseconds))


def _tell_import(table: Table, folder: Path, catalogue: Catalogue) -> None:
    """One shop on SQLite."""
    titles = catalogue.titles()
    with _open(folder, {}) as shop:
        seconds, searchable_seconds, bought, said = _import_while_one_buys(shop, catalogue, titles[-1])
        with closing(shop.client()) as client:
            searches, found = _ask_for_words(client, titles)
            items = [item for some in found for item in some]
            chance = random.Random(2)  # noqa: S311 - no secret
            infos = [_ask(client, f"/info/{item}")[0] for item in chance.choices(items, k=QUESTIONS)]
    table.add_section()
    table.add_row(f"[bold]{len(titles):,} titles imported, once, SQLite[/]", "")
    table.add_row("the import said", said)
    table.add_row("the import took", f"{seconds:.1f} s")
    table.add_row("the search found the last title", f"{searchable_seconds - seconds:.1f} s later")
    table.add_row("one client bought meanwhile, none failed", f"{len(bought)} ({len(bought) / seconds:.0f} a second)")
    table.add_row("answer to such a purchase", _median_and_p99(bought))
    table.add_row(f"{QUESTIONS} searches for two words, one connection", _median_and_p99(searches))
    table.add_row("of them found something", str(sum(map(bool, found))))
    table.add_row(f"{QUESTIONS} calls of info, one connection", _median_and_p99(infos))


def _import_while_one_buys(shop: Shop, catalogue: Catalogue, last: str) -> tuple[float, float, list[float], str]:
    """Seconds of the import, until the search found the last title, the purchases' milliseconds, the last words."""
    item, token = shop.add_book(PLENTY), shop.customer("ben@example.org")
    is_over = threading.Event()

    def buyer() -> list[float]:
        with closing(shop.client(token)) as client:
            milliseconds: list[float] = []
            while not is_over.is_set():
                milliseconds.append(_buy(client, item, f"import-{len(milliseconds)}"))
            return milliseconds

    with ThreadPoolExecutor(1) as threads:
        buying = threads.submit(buyer)
        try:
            began = time.perf_counter()
            said = _import(shop, catalogue)
            seconds = time.perf_counter() - began
        finally:
            is_over.set()
        bought = buying.result()
        _wait_until_found(shop, last)
        return seconds, time.perf_counter() - began, bought, said


def _import(shop: Shop, catalogue: Catalogue) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BAZAR_")}
    done = subprocess.run(
        [sys.executable, "-m", "bazar", "catalogue", "import", catalogue.file, *catalogue.options()],
        env={**clean, "BAZAR_DATA_DIR": str(shop.folder), "BAZAR_PORT": str(shop.port)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


def _wait_until_found(shop: Shop, title: str) -> None:
    path = f"/search?q={quote_plus(' '.join(_words(title)))}"
    deadline = time.monotonic() + WAIT_SECONDS
    with closing(shop.client()) as client:
        while title not in [book["title"] for book in client.call("GET", path).json["items"]]:
            assert time.monotonic() < deadline, f"{title!r} cannot be found"
            time.sleep(0.05)


def _ask_for_words(client: Client, titles: Sequence[str]) -> tuple[list[float], list[list[int]]]:
    """Milliseconds of each search for two words of one title, and the item numbers that it found."""
    chance = random.Random(3)  # noqa: S311 - no secret
    wordy = [words for words in map(_words, titles) if len(words) > 1]
    milliseconds: list[float] = []
    found: list[list[int]] = []
    for words in chance.choices(wordy, k=QUESTIONS):
        took, items = _ask(client, f"/search?q={quote_plus(' '.join(chance.sample(words, 2)))}")
        milliseconds.append(took)
        found.append(items)
    return milliseconds, found


def _words(title: str) -> list[str]:
    return re.findall(r"[^\W_]{3,}", title)


def _ask(client: Client, path: str) -> tuple[float, list[int]]:
    """Milliseconds, and the item numbers of what was found."""
    began = time.perf_counter()
    answer = client.call("GET", path)
    took = (time.perf_counter() - began) * 1000
    assert answer.status == 200, answer
    return took, [book["item_number"] for book in answer.json.get("items", [answer.json])]


def _median_and_p99(milliseconds: Sequence[float]) -> str:
    percentiles = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return f"median {percentiles[49]:.1f} ms, p99 {percentiles[98]:.1f} ms"


if __name__ == "__main__":
    main()
