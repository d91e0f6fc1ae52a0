"""The paths of a shop that is open, and the bounds beside them: one step for each, to be measured round by round."""

import http.client
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bazar.chassis.certificates import service_files
from bazar.chassis.lanes import SLOTS
from bench.bounds import TOGETHER, RawCommits, WithoutHops, nginx, on_granian, timed
from bench.results import Measured
from bench.wrk import Load, drive
from demo import plain_store
from demo.stores import OpenPlainStore
from processes import wait_until
from shop import API, PAST_THE_CACHE, Answer, Shop

CUSTOMERS = 64
#: Of what the cache answers; of what it does not, as many as are at work at a time (SLOTS).
READERS = 32
BOOKS = 64
ACCOUNTS = 8
PLENTY = 10_000_000
CREATED, OK = 201, 200
HELLO = Answer(OK, {"content-type": "application/json"}, b"{}")

Step = Callable[[int], Measured]


@dataclass
class Paths:
    """What is open, as steps by name; each is called with the seconds that it has."""

    steps: Mapping[str, Step]
    shop: Shop
    bought: int = 0
    in_flight: int = 0
    idle_megabytes: float = 0.0
    full_megabytes: float = 0.0
    items: list[int] = field(default_factory=list)

    def check(self) -> None:
        """Raises AssertionError unless stock and sales add up, and every purchase that was answered is an order."""
        left, taken = (_asked(self.shop, "catalog", query) for query in (_STOCK, _TAKEN))
        assert left + taken == PLENTY * len(self.items), (left, taken)
        orders = _asked(self.shop, "order", "SELECT count(*) FROM decisions WHERE outcome = 'confirmed'")
        assert orders == taken, (orders, taken)
        # What was on its way when wrk stopped may have been carried out.
        assert self.bought <= orders <= self.bought + self.in_flight, (self.bought, orders, self.in_flight)


#: What is not of the sample.
_STOCK = "SELECT sum(stock) FROM books WHERE title LIKE 'Benchmark book%'"
_TAKEN = "SELECT coalesce(sum(quantity), 0) FROM hold_lines JOIN holds USING (order_id) WHERE state = 'settled'"


@contextmanager
def open_paths(folder: Path) -> Iterator[Paths]:
    """Everything started anew below the folder, on free ports; all of it ends with the block."""
    with ExitStack() as stack:
        shop = Shop(folder / "shop")
        stack.callback(shop.stop)
        paths = Paths({}, shop)
        paths.idle_megabytes = sum(shop.memory().values())
        paths.items = [shop.add_book(PLENTY, f"Benchmark book {number}") for number in range(BOOKS + 1)]
        paths.steps = {**_bounds(stack, folder, shop, paths.items[0]), **_own(folder, paths)}
        yield paths


def _info(item: int) -> str:
    return f"{API}/info/{item}"


SEARCH = f"{API}/search/distributed%20systems?limit=10"


def _own(folder: Path, paths: Paths) -> Mapping[str, Step]:
    shop, (hot, *spread) = paths.shop, paths.items
    tokens = _lines(folder / "tokens", [shop.customer(f"reader-{number}@example.org") for number in range(ACCOUNTS)])
    one = _lines(folder / "one", [f"{API}/purchase/{hot}"])
    many = _lines(folder / "many", [f"{API}/purchase/{item}" for item in spread])

    def read(path: str, seconds: int) -> Measured:
        return drive(Load(url=f"{shop.url}{path}", connections=READERS), seconds)

    def read_uncached(path: str, seconds: int) -> Measured:
        return drive(Load(url=f"{shop.url}{path}", connections=SLOTS, headers=[": ".join(PAST_THE_CACHE)]), seconds)

    def buy(what: str, customers: int, seconds: int) -> Measured:
        arguments = [secrets.token_hex(4), str(CREATED), '{"quantity":1}', what, tokens]
        load = Load(url=shop.url, connections=customers, arguments=arguments)
        found = drive(load, seconds, halfway=partial(_weigh, paths))
        paths.bought += found.answers - found.failures
        paths.in_flight += customers
        _wait_until_settled(paths)
        return found

    return {
        "cached info": partial(read, _info(hot)),
        "cached search": partial(read, SEARCH),
        "uncached info": partial(read_uncached, _info(hot)),
        "purchases, 64 clients": partial(buy, many, CUSTOMERS),
        "purchases, one hot book": partial(buy, one, CUSTOMERS),
        "purchases, 1 client": partial(buy, many, 1),
    }


def _bounds(stack: ExitStack, folder: Path, shop: Shop, item: int) -> Mapping[str, Step]:
    files = service_files(shop.folder / "certs", "frontend")
    answer = shop_answer(shop, _info(item))
    raw, without_hops = RawCommits(folder / "raw"), WithoutHops(folder / "without-hops")
    plain = OpenPlainStore(folder / "plain", PLENTY)
    for close in (raw.close, without_hops.close, plain.close):
        stack.callback(close)
    nobody = _lines(folder / "nobody", [""])
    path = _lines(folder / "plain-path", [f"/purchase/{plain_store.ITEM}"])

    def read(url: str, seconds: int) -> Measured:
        return drive(Load(url=url, connections=READERS), seconds)

    def on(name: str, app: str, answer: Answer) -> str:
        return stack.enter_context(on_granian(folder / name, files, app, answer))

    def buy_plainly(seconds: int) -> Measured:
        load = Load(url=plain.url, connections=CUSTOMERS, arguments=["", str(OK), '{"buyer":"ann"}', path, nobody])
        return drive(load, seconds)

    return {
        "nginx, bytes of info": partial(read, stack.enter_context(nginx(folder / "nginx", files, answer))),
        "bare WSGI, bytes of info": partial(read, on("bare", "bare", answer)),
        "bare WSGI, bytes of search": partial(read, on("bare-search", "bare", shop_answer(shop, SEARCH))),
        "Flask hello": partial(read, on("hello", "hello", HELLO)),
        "raw commits, one by one": partial(timed, raw.buy),
        "one process, one by one": partial(timed, without_hops.buy),
        "one process, 32 together": lambda seconds: timed(without_hops.buy_together, seconds, TOGETHER),
        "plain store, 64 clients": buy_plainly,
    }


def shop_answer(shop: Shop, path: str) -> Answer:
    """What the shop answers; raises AssertionError where that is not a success."""
    connection = http.client.HTTPSConnection("localhost", shop.port, context=shop.tls)
    with closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, told, response.read())
    assert answer.status == OK, answer
    return answer


def _weigh(paths: Paths) -> None:
    paths.full_megabytes = max(paths.full_megabytes, sum(paths.shop.memory().values()))


def _wait_until_settled(paths: Paths) -> None:
    """What follows the answers is part of the work: the next step begins when it is done."""
    wait_until(lambda: _asked(paths.shop, "catalog", "SELECT count(*) FROM holds WHERE state = 'held'") == 0)


def _asked(shop: Shop, service: str, query: str) -> int:
    with closing(sqlite3.connect(f"file:{shop.folder / service}.sqlite3?mode=ro", uri=True)) as connection:
        return int(connection.execute(query).fetchone()[0])


def _lines(file: Path, lines: list[str]) -> str:
    file.write_text("".join(f"{line}\n" for line in lines))
    return str(file)
