"""A shop on one database in which emulated browsers play a mix of TPC-W, in processes of their own."""

import resource
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import sqlalchemy as sa

from bazar.chassis.clock import system_clock
from bazar.chassis.database import Database
from bazar.contracts.names import FRONTEND
from bazar.frontend.domain.accounts import Role, SignInKind
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.use_cases.account_ports import Verdict
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.tries import Limits
from bazar.order.use_cases.best_sellers import ORDERS_COUNTED
from bench.cpu import cpu_seconds
from bench.shelves import stocked
from bench.tills import on_postgresql, on_sqlite, settings_of
from bench.visitor import Customer, Stage, Tally, Visitor
from bench.wrk import Load, drive
from figures import DURABLE
from postgresql import PostgreSQL
from shop import API, PASSWORD, Shop

DATABASES = ("SQLite", "PostgreSQL")
TITLES = 10_000
SUBJECTS = 24
#: Of emulated browsers; each has a share of them as threads.
PROCESSES = 2
SELLERS = 16
#: Of a process of browsers, beyond a connection each.
OTHER_DESCRIPTORS = 200


@dataclass(frozen=True)
class Run:
    """One mix on one database by so many browsers. ``signs_in``: with password hashing, else signed in beforehand.

    ``thinks``: each waits before it does the next thing, as TPC-W has it; else nobody waits.
    """

    database: str
    mix: str
    signs_in: bool
    browsers: int
    thinks: bool = False


@dataclass(frozen=True)
class Times:
    """What is seen while it warms up is not measured, wrong answers excepted."""

    warm_up_seconds: float
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What came of it; shares of CPU are of one core."""

    run: Run
    seconds: float
    tally: Tally
    shop_cpu: float
    front_end_cpu: float

    @property
    def rate(self) -> float:
        """Web interactions a second (WIPS)."""
        return len(self.tally.milliseconds) / self.seconds

    @property
    def browsers_cpu(self) -> float:
        """What all browsers took."""
        return self.tally.cpu_seconds / self.seconds


class Theatre:
    """A shop with the catalogue, its customers, and orders enough to have best sellers."""

    def __init__(self, shop: Shop, folder: Path, urls: Mapping[str, str]) -> None:
        self._shop = shop
        self._front_end = shop.worker_of(FRONTEND)
        self._orders = Database(urls["ORDER"])
        self._accounts_database = Database(urls["FRONTEND"])
        books = stocked(shop, folder, TITLES)
        subjects = Counter(subject for book in books for subject in book.subjects)
        known = dict(subjects.most_common(SUBJECTS))
        self._stage = Stage(shop.port, str(shop.ca), books, known, shop.staff())
        self._accounts = Accounts(SqlAccountStore(self._accounts_database), _OneHash(), system_clock, Limits(0, 0, 0))
        self._customers: list[Customer] = []
        self._sold_before = self._sell(folder)
        self._played = 0

    def play(self, run: Run, times: Times) -> Outcome:
        """Warm up, then measure."""
        customers = self._signed_in(run.browsers)
        if run.signs_in:
            customers = [replace(customer, session=None) for customer in customers]
        self._played += 1
        shares = [customers[number::PROCESSES] for number in range(PROCESSES)]
        seeds = [1000 * self._played + number for number in range(PROCESSES)]
        tally, used, of_front_end = Tally(), self._cpu_seconds(), cpu_seconds(self._front_end)
        with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as processes:
            for each in processes.map(partial(visit, self._stage, run, times), shares, seeds):
                tally.add(each)
        took = times.warm_up_seconds + times.seconds
        return Outcome(
            run,
            times.seconds,
            tally,
            shop_cpu=(self._cpu_seconds() - used) / took,
            front_end_cpu=(cpu_seconds(self._front_end) - of_front_end) / took,
        )

    def check(self, tallies: Iterable[Tally]) -> None:
        """Raises AssertionError unless each thanked customer has an order, and nobody else has; of all that played."""
        tallies_seen = list(tallies)
        thanked = self._sold_before + sum(tally.orders for tally in tallies_seen)
        unknown = sum(failure.startswith("Buy Confirm") for tally in tallies_seen for failure in tally.failures)
        assert thanked <= self._count() <= thanked + unknown, (thanked, self._count(), unknown)

    def close(self) -> None:
        """Close what it looks into."""
        self._orders.close()
        self._accounts_database.close()

    def _cpu_seconds(self) -> float:
        return sum(map(cpu_seconds, self._shop.processes()))

    def _signed_in(self, count: int) -> list[Customer]:
        for number in range(len(self._customers), count):
            email = f"reader-{number}@example.org"
            self._accounts.create_account(email, PASSWORD, Role.CUSTOMER)
            secret = self._accounts.sign_in(email, PASSWORD, SignInKind.SESSION, "127.0.0.1").secret
            self._customers.append(Customer(email, PASSWORD, secret))
        return self._customers[:count]

    def _sell(self, folder: Path) -> int:
        """As many orders as the best sellers are counted from."""
        (folder / "paths").write_text(
            "".join(f"{API}/purchase/{book.item_number}\n" for book in self._stage.books if book.item_number % 3)
        )
        (folder / "tokens").write_text(self._shop.customer("earlier@example.org") + "\n")
        while self._count() < ORDERS_COUNTED:
            arguments = [secrets.token_hex(4), "201", '{"quantity":1}', str(folder / "paths"), str(folder / "tokens")]
            drive(Load(url=self._shop.url, connections=SELLERS, arguments=arguments), 2)
        time.sleep(1)  # what was on its way when wrk stopped
        return self._count()

    def _count(self) -> int:
        with self._orders.reading() as connection:
            found = connection.execute(sa.text("SELECT count(*) FROM decisions WHERE outcome = 'confirmed'"))
            return int(found.scalar_one())


class _OneHash:
    """Implements the port Hasher for accounts that are made beforehand and have one password: they share its hash."""

    def __init__(self) -> None:
        self._made: dict[bytes, str] = {}

    def hash(self, password: bytes) -> str:
        if password not in self._made:
            self._made[password] = PasswordHasher().hash(password)
        return self._made[password]

    def verify(self, password: bytes, password_hash: str | None) -> Verdict:
        return Verdict(right=password_hash is not None and self._made.get(password) == password_hash)


def visit(stage: Stage, run: Run, times: Times, customers: Sequence[Customer], seed: int) -> Tally:
    """In a process of its own: a thread for each customer's browser."""
    _allow_descriptors(len(customers) + OTHER_DESCRIPTORS)
    tls = stage.tls()
    visitors = [Visitor(stage, tls, each, run.mix, 100_000 * seed + number) for number, each in enumerate(customers)]
    begin = time.perf_counter() + times.warm_up_seconds
    end = begin + times.seconds

    def go(visitor: Visitor) -> None:
        is_warm = False
        with closing(visitor):
            while True:
                if run.thinks:
                    time.sleep(max(0.0, min(visitor.think(), end - time.perf_counter())))
                now = time.perf_counter()
                if now >= end:
                    break
                if now >= begin and not is_warm:
                    is_warm = True
                    visitor.tally.forget_times()
                visitor.act()
        if not is_warm:
            visitor.tally.forget_times()

    tally = Tally()
    with ThreadPoolExecutor(len(visitors)) as threads:
        visits = [threads.submit(go, visitor) for visitor in visitors]
        time.sleep(max(0.0, begin - time.perf_counter()))
        used = time.process_time()
        for each, visitor in zip(visits, visitors, strict=True):
            each.result()  # raises what nobody foresaw: a browser that is gone unseen would make a smaller crowd
            tally.add(visitor.tally)
    tally.cpu_seconds = time.process_time() - used
    return tally


@contextmanager
def open_theatre(database: str) -> Iterator[Theatre]:
    """With a shop on one of DATABASES, all of it new; raises PostgreSQLMissing."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bazar-mixes-")))
        urls, settings = on_sqlite(folder / "shop"), {}
        if database == "PostgreSQL":
            server = PostgreSQL(**DURABLE)
            stack.callback(server.stop)
            urls = on_postgresql(server)
            settings = dict(settings_of(urls))
        shop = Shop(folder / "shop", BAZAR_SAMPLE="0", **settings)
        stack.callback(shop.stop)
        theatre = Theatre(shop, folder, urls)
        stack.callback(theatre.close)
        yield theatre


def _allow_descriptors(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
