"""The paths of a shop that is open, and the bounds beside them: one step for each, to be measured round by round."""

import http.client
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bazar.chassis.certificates import service_files
from bazar.chassis.lanes import SLOTS, most_threads
from bench.bounds import TOGETHER, WithoutHops, nginx, on_granian, raw_on_postgresql, raw_on_sqlite, timed
from bench.cpu import watched
from bench.results import Measured
from bench.tills import PLENTY, Till, lines, on_postgresql, on_sqlite, settings_of
from bench.wrk import Load, drive, drive_all, shared_out
from demo import plain_store
from demo.stores import OpenPlainStore
from figures import DURABLE
from postgresql import PostgreSQL
from shop import API, PAST_THE_CACHE, Answer, Shop

CUSTOMERS = 64
#: Of what the cache answers; of what it does not, as many as are at work at a time (SLOTS).
READERS = 32
OK = 200
HELLO = Answer(OK, {"content-type": "application/json"}, b"{}")

Step = Callable[[int], Measured]


@dataclass(frozen=True, kw_only=True)
class Paths:
    """What is open, as steps by name; each is called with the seconds that it has. The first till is on SQLite."""

    steps: Mapping[str, Step]
    tills: Sequence[Till]
    idle_megabytes: float

    @property
    def full_megabytes(self) -> float:
        """The most that the processes of the shop on SQLite took while it sold."""
        return self.tills[0].full_megabytes

    def check(self) -> None:
        """Raises AssertionError where books are wrong."""
        for till in self.tills:
            till.check()


@contextmanager
def open_paths(folder: Path) -> Iterator[Paths]:
    """Everything started anew below the folder, on free ports; all of it ends with the block.

    Raises PostgreSQLMissing.
    """
    with ExitStack() as stack:
        server = PostgreSQL(**DURABLE)
        stack.callback(server.stop)
        shop = opened(stack, folder / "shop")
        idle_megabytes = sum(shop.memory().values())
        urls = on_postgresql(server)
        other = opened(stack, folder / "on-postgresql", **settings_of(urls))
        till = Till(shop, folder / "till", on_sqlite(shop.folder))
        other_till = Till(other, folder / "other-till", urls)
        raw = raw_on_postgresql(server.new_database)
        for close in (till.close, other_till.close, raw.close):
            stack.callback(close)
        steps: dict[str, Step] = {
            **_bounds(stack, folder, shop, till.hot),
            "raw commits, PostgreSQL": partial(timed, raw.buy),
            **{name: watched(shop, step) for name, step in _own(till).items()},
            "purchases, 64 clients, PostgreSQL": watched(other, partial(other_till.buy, CUSTOMERS)),
            "purchases, 1 client, PostgreSQL": watched(other, partial(other_till.buy, 1)),
        }
        yield Paths(steps=steps, tills=(till, other_till), idle_megabytes=idle_megabytes)


def opened(stack: ExitStack, folder: Path, **settings: str) -> Shop:
    """A shop that closes with the stack."""
    shop = Shop(folder, **settings)
    stack.callback(shop.stop)
    return shop


def info_of(item: int) -> str:
    """Its path."""
    return f"{API}/info/{item}"


SEARCH = f"{API}/search/distributed%20systems?limit=10"


def _own(till: Till) -> Mapping[str, Step]:
    info, search = f"{till.shop.url}{info_of(till.hot)}", f"{till.shop.url}{SEARCH}"
    return {
        "cached info": partial(read, [info]),
        "cached search": partial(read, [search]),
        "uncached info": partial(read_past_the_cache, [info]),
        "purchases, 64 clients": partial(till.buy, CUSTOMERS),
        "purchases, one hot book": partial(till.buy, CUSTOMERS, one_book=True),
        "purchases, 1 client": partial(till.buy, 1),
    }


def read(urls: Sequence[str], seconds: int) -> Measured:
    """What the cache answers; readers share the URLs."""
    return drive_all([Load(url=url, connections=share) for url, share in shared_out(urls, READERS)], seconds)


def read_past_the_cache(urls: Sequence[str], seconds: int) -> Measured:
    """What the application answers, each time."""
    headers = [": ".join(PAST_THE_CACHE)]
    return drive_all(
        [Load(url=url, connections=share, headers=headers) for url, share in shared_out(urls, SLOTS)], seconds
    )


def _bounds(stack: ExitStack, folder: Path, shop: Shop, item: int) -> Mapping[str, Step]:
    files = service_files(shop.folder / "certs", "frontend")
    answer = shop_answer(shop, info_of(item))
    raw, without_hops = raw_on_sqlite(folder / "raw"), WithoutHops(folder / "without-hops")
    plain = OpenPlainStore(folder / "plain", PLENTY)
    for close in (raw.close, without_hops.close, plain.close):
        stack.callback(close)
    nobody = lines(folder / "nobody", [""])
    path = lines(folder / "plain-path", [f"/purchase/{plain_store.ITEM}"])

    def on(name: str, app: str, answer: Answer, threads: int = 1) -> str:
        return stack.enter_context(on_granian(folder / name, files, app, answer, threads))

    def buy_plainly(seconds: int) -> Measured:
        load = Load(url=plain.url, connections=CUSTOMERS, arguments=["", str(OK), '{"buyer":"ann"}', path, nobody])
        return drive(load, seconds)

    return {
        "nginx, bytes of info": partial(read, [stack.enter_context(nginx(folder / "nginx", files, answer))]),
        "bare WSGI, bytes of info": partial(read, [on("bare", "bare", answer)]),
        "the cache alone, bytes of info": partial(read, [on("in-cache", "in_cache", answer)]),
        "bare WSGI, as many threads": partial(read, [on("bare-threads", "bare", answer, most_threads(SLOTS))]),
        "bare WSGI, bytes of search": partial(read, [on("bare-search", "bare", shop_answer(shop, SEARCH))]),
        "Flask hello": partial(read, [on("hello", "hello", HELLO)]),
        "Flask hello, as many threads": partial(read, [on("hello-threads", "hello", HELLO, most_threads(SLOTS))]),
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
