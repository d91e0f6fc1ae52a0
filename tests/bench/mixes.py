"""`make bench-mixes`: TPC-W's browsing, shopping and ordering mixes on our pages; nothing here passes or fails on time.

Emulated browsers in Python, in processes of their own on the same machine, think time 0, over TLS. Every answer is
looked at; a wrong one is a failure and counts in no rate. At the end the orders are counted in the database.
"""

import argparse
import json
import os
import platform
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

from bazar.chassis.clock import system_clock
from bazar.chassis.database import Database
from bazar.frontend.domain.accounts import Role, SignInKind
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.tries import Limits
from bazar.order.use_cases.best_sellers import ORDERS_COUNTED
from bench.page import Tables, printed, write_mixes
from bench.results import percentiles
from bench.shares import MIXES
from bench.shelves import stocked
from bench.visitor import Customer, Stage, Tally, Visitor
from bench.wrk import Load, drive
from figures import DURABLE, SERVICES
from postgresql import PostgreSQL
from shop import API, PASSWORD, Shop

ROOT = Path(__file__).parents[2]
TITLES = 10_000
SUBJECTS = 24
#: Of emulated browsers; each has a share of them as threads.
PROCESSES = 2
WARM_UP_SECONDS = 2
FEW, BROWSERS, MANY = 4, 16, 48
HEADINGS_OF_TABLE = (
    *("database", "mix", "sign-ins", "browsers", "WIPS", "p50 ms", "p99 ms", "failures"),
    *("browsers' CPU", "shop's CPU"),
)


@dataclass(frozen=True)
class Run:
    """One mix on one database by so many browsers. ``signs_in``: with password hashing, else signed in beforehand."""

    database: str
    mix: str
    signs_in: bool
    browsers: int


@dataclass(frozen=True)
class Outcome:
    """What came of it; shares of CPU are of one core."""

    run: Run
    seconds: float
    tally: Tally
    shop_cpu: float

    @property
    def rate(self) -> float:
        """Web interactions a second (WIPS)."""
        return len(self.tally.milliseconds) / self.seconds

    def row(self) -> Sequence[str]:
        """As HEADINGS_OF_TABLE."""
        p50_ms, p99_ms = percentiles(self.tally.milliseconds)
        return (
            *(self.run.database, self.run.mix, "yes" if self.run.signs_in else "no", str(self.run.browsers)),
            *(f"{self.rate:,.0f}", f"{p50_ms:.1f}", f"{p99_ms:.1f}", str(len(self.tally.failures))),
            *(f"{self.tally.cpu_seconds / self.seconds:.0%}", f"{self.shop_cpu:.0%}"),
        )


def main() -> int:
    """Measure, print, keep as JSON, and write the page if asked; 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="on SQLite, a few seconds each: to see that it works")
    parser.add_argument("--write", action="store_true", help="renew the table and plot of docs/benchmarks.md")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench-mixes.json", help="where all figures go")
    given = parser.parse_args()
    databases = ("SQLite",) if given.quick else ("SQLite", "PostgreSQL")
    seconds, crowds = (4, (BROWSERS,)) if given.quick else (15, (FEW, BROWSERS, MANY))
    console = Console(highlight=False, width=140)
    outcomes: list[Outcome] = []
    for database in databases:
        with _open_theatre(database) as theatre:
            for mix in MIXES:
                runs = [Run(database, mix, False, crowd) for crowd in crowds] + [Run(database, mix, True, BROWSERS)]
                for run in runs:
                    console.print(f"{run.database}, {run.mix} mix, {run.browsers} browsers ...")
                    outcomes.append(theatre.play(run, seconds))
            theatre.check(outcome.tally for outcome in outcomes if outcome.run.database == database)
    lead = f"{os.cpu_count()} cores, Python {platform.python_version()}, {seconds} s each, {TITLES:,} titles"
    tables: Tables = [(HEADINGS_OF_TABLE, [outcome.row() for outcome in outcomes])]
    console.print(*(printed(headings, rows) for headings, rows in tables), lead)
    failures = Counter(failure for outcome in outcomes for failure in outcome.tally.failures)
    for failure, count in failures.most_common(20):
        console.print(f"{count} x {failure}", markup=False)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps({"machine": lead, "runs": [_as_json(each) for each in outcomes]}, indent=1) + "\n")
    if given.write:
        command = "make bench-mixes" + (" BENCH=--quick" if given.quick else "")
        curves = {
            f"{database}, {mix}": [
                (outcome.run.browsers, outcome.rate)
                for outcome in outcomes
                if (outcome.run.database, outcome.run.mix, outcome.run.signs_in) == (database, mix, False)
            ]
            for database in databases
            for mix in MIXES
        }
        write_mixes(ROOT / "docs" / "benchmarks.md", f"`{command}`: {lead}.", tables, curves)
    return 1 if failures else 0


def _as_json(outcome: Outcome) -> dict[str, Any]:
    p50_ms, p99_ms = percentiles(outcome.tally.milliseconds)
    return {
        **vars(outcome.run),
        "wips": outcome.rate,
        "p50_ms": p50_ms,
        "p99_ms": p99_ms,
        "interactions": dict(outcome.tally.done),
        "failures": len(outcome.tally.failures),
        "browsers_cpu": outcome.tally.cpu_seconds / outcome.seconds,
        "shop_cpu": outcome.shop_cpu,
    }


class Theatre:
    """A shop with the catalogue, its customers, and orders enough to have best sellers."""

    def __init__(self, shop: Shop, folder: Path, urls: Mapping[str, str]) -> None:
        self._shop = shop
        self._orders = Database(urls["ORDER"])
        self._accounts_database = Database(urls["FRONTEND"])
        books = stocked(shop, folder, TITLES)
        subjects = Counter(subject for book in books for subject in book.subjects)
        known = dict(subjects.most_common(SUBJECTS))
        self._stage = Stage(shop.port, str(shop.ca), books, known, shop.staff())
        self._customers = self._signed_in(MANY)
        self._sold_before = self._sell(folder)
        self._played = 0

    def play(self, run: Run, seconds: int) -> Outcome:
        """Warm up, then measure; orders of the warming up count for ``check``."""
        self._act(run, WARM_UP_SECONDS, is_warming_up=True)
        return self._act(run, seconds)

    def check(self, tallies: Iterator[Tally]) -> None:
        """Raises AssertionError unless each thanked customer has an order, and nobody else has."""
        tallies_seen = list(tallies)
        thanked = self._sold_before + sum(tally.orders for tally in tallies_seen)
        unknown = sum(failure.startswith("Buy Confirm") for tally in tallies_seen for failure in tally.failures)
        assert thanked <= self._count() <= thanked + unknown, (thanked, self._count(), unknown)

    def close(self) -> None:
        """Close what it looks into."""
        self._orders.close()
        self._accounts_database.close()

    def _act(self, run: Run, seconds: int, *, is_warming_up: bool = False) -> Outcome:
        customers = self._customers[: run.browsers]
        if run.signs_in:
            customers = [Customer(customer.email, customer.password, None) for customer in customers]
        self._played += 1
        shares = [customers[number::PROCESSES] for number in range(PROCESSES)]
        tally, used = Tally(), self._cpu_seconds()
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as processes:
            seeds = [1000 * self._played + number for number in range(PROCESSES)]
            for each in processes.map(partial(visit, self._stage, run.mix, seconds), shares, seeds):
                tally.add(each)
        shop_cpu = (self._cpu_seconds() - used) / seconds
        if is_warming_up:
            self._sold_before += tally.orders
        return Outcome(run, seconds, tally, shop_cpu)

    def _cpu_seconds(self) -> float:
        return sum(map(_cpu_seconds, self._shop.processes()))

    def _signed_in(self, count: int) -> list[Customer]:
        accounts = Accounts(SqlAccountStore(self._accounts_database), PasswordHasher(), system_clock, Limits(0, 0, 0))
        made = []
        for number in range(count):
            email = f"reader-{number}@example.org"
            accounts.create_account(email, PASSWORD, Role.CUSTOMER)
            secret = accounts.sign_in(email, PASSWORD, SignInKind.SESSION, "127.0.0.1").secret
            made.append(Customer(email, PASSWORD, secret))
        return made

    def _sell(self, folder: Path) -> int:
        """As many orders as the best sellers are counted from."""
        (folder / "paths").write_text(
            "".join(f"{API}/purchase/{book.item_number}\n" for book in self._stage.books if book.item_number % 3)
        )
        (folder / "tokens").write_text(self._shop.customer("earlier@example.org") + "\n")
        while self._count() < ORDERS_COUNTED:
            arguments = [secrets.token_hex(4), "201", '{"quantity":1}', str(folder / "paths"), str(folder / "tokens")]
            drive(Load(url=self._shop.url, connections=BROWSERS, arguments=arguments), 2)
        time.sleep(1)  # what was on its way when wrk stopped
        return self._count()

    def _count(self) -> int:
        with self._orders.reading() as connection:
            found = connection.execute(sa.text("SELECT count(*) FROM decisions WHERE outcome = 'confirmed'"))
            return int(found.scalar_one())


def visit(stage: Stage, mix: str, seconds: int, customers: Sequence[Customer], seed: int) -> Tally:
    """In a process of its own: a thread for each customer's browser."""
    visitors = [Visitor(stage, customer, mix, 100 * seed + number) for number, customer in enumerate(customers)]
    began = time.process_time()
    end = time.perf_counter() + seconds

    def go(visitor: Visitor) -> None:
        with closing(visitor):
            while time.perf_counter() < end:
                visitor.act()

    threads = [threading.Thread(target=go, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    tally = Tally()
    for thread, visitor in zip(threads, visitors, strict=True):
        thread.join()
        tally.add(visitor.tally)
    tally.cpu_seconds = time.process_time() - began
    return tally


@contextmanager
def _open_theatre(database: str) -> Iterator[Theatre]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bazar-mixes-")))
        urls = {service: f"sqlite:///{folder / 'shop' / service.lower()}.sqlite3" for service in SERVICES}
        settings = {}
        if database == "PostgreSQL":
            server = PostgreSQL(**DURABLE)
            stack.callback(server.stop)
            urls = {service: server.new_database() for service in SERVICES}
            settings = {f"BAZAR_{service}_DATABASE_URL": url for service, url in urls.items()}
        shop = Shop(folder / "shop", BAZAR_SAMPLE="0", **settings)
        stack.callback(shop.stop)
        theatre = Theatre(shop, folder, urls)
        stack.callback(theatre.close)
        yield theatre


def _cpu_seconds(process_id: int) -> float:
    try:
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
