"""`make bench-shapes`: the shop with and without what makes it fast, all in one run; nothing here passes or fails on
time. Wrong books end it with an error.

With and without the cache, purchases that travel together and each alone, a front-end whose Python stays on one core
and one that moves, one to four front-ends. Everything is started anew on this machine, which it shares with wrk; a
round goes through all steps, so that noise hits all alike.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

from bench.front_ends import beside
from bench.page import Tables, curves_from_zero, printed, step_bars, write_tables
from bench.paths import CUSTOMERS, SEARCH, Step, info_of, opened, read, read_past_the_cache
from bench.results import Round, as_json, rates, ratio
from bench.rounds import HEADINGS, Plan, measured, row_of
from bench.tills import Till, on_postgresql, on_sqlite
from bench.wrk import ProgramMissing, program
from figures import DURABLE
from postgresql import PostgreSQL, PostgreSQLMissing

ROOT = Path(__file__).parents[2]
#: Its sitecustomize.py is read by the processes of a shop that has it on its PYTHONPATH.
ALONE = Path(__file__).with_name("alone")
FRONT_ENDS = (1, 2, 3, 4)
FULL = Plan("make bench-shapes", rounds=5, seconds=5)
QUICK = Plan("make bench-shapes BENCH=--quick", rounds=1, seconds=1)

CACHE = ("info, cache on", "info, cache off", "search, cache on", "search, cache off")
BATCHES = (
    "purchases, batching on",
    "purchases, batching off",
    "one hot book, batching on",
    "one hot book, batching off",
)
#: What many front-ends are asked for; as names of steps, ``of_front_ends``.
KINDS = ("cached info", "uncached info", "purchases")


def of_front_ends(kind: str, count: int) -> str:
    """The name of a step."""
    return f"{kind}, {count} front-end{'s' if count > 1 else ''}"


def on_any_core(kind: str) -> str:
    """The name of a step."""
    return f"{kind}, 1 front-end on any core"


GAINS = (
    *(ratio(f"{what}, cache on / off", f"{what}, cache on", f"{what}, cache off", 1) for what in ("info", "search")),
    *(
        ratio(f"{what}, batching on / off", f"{what}, batching on", f"{what}, batching off", 1)
        for what in ("purchases", "one hot book")
    ),
    *(ratio(f"{kind}, on one core / on any", of_front_ends(kind, 1), on_any_core(kind), 1) for kind in KINDS),
)
GAIN_HEADINGS = ("in one run", "times as many a second, median (least to most)")


@dataclass(frozen=True)
class Shapes:
    """What is open, as steps by name, and whose books are looked at in the end."""

    steps: Mapping[str, Step]
    tills: Sequence[Till]


def main() -> int:
    """Measure, print, keep as JSON, and write the page if asked; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of a second each: to see that it works")
    parser.add_argument("--write", action="store_true", help="renew the tables and plots of docs/benchmarks.md")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench-shapes.json", help="where all figures go")
    given = parser.parse_args()
    plan = QUICK if given.quick else FULL
    console = Console(highlight=False, width=120)
    try:
        program("wrk")
        with tempfile.TemporaryDirectory(prefix="bazar-shapes-") as folder, _open(Path(folder)) as shapes:
            rounds = measured(shapes.steps, plan, console)
            for till in shapes.tills:
                till.check()
    except (ProgramMissing, PostgreSQLMissing) as missing:
        console.print(str(missing))
        return 1
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {plan.rounds} rounds of {plan.seconds} s"
    tables = tables_of(rounds)
    for headings, rows in tables:
        console.print(printed(headings, rows))
    console.print(machine)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    kept = {"machine": machine, "command": plan.command, "rounds": as_json(rounds)}
    given.json.write_text(json.dumps(kept, indent=1) + "\n")
    if given.write:
        plots = plots_of(rounds)
        page = ROOT / "docs" / "benchmarks.md"
        write_tables(page, "make bench-shapes", f"`{plan.command}`: {machine}.", tables, plots)
    return 0


@contextmanager
def _open(folder: Path) -> Iterator[Shapes]:
    with ExitStack() as stack:
        server = PostgreSQL(**DURABLE)
        stack.callback(server.stop)
        # Several front-ends cannot share a file of SQLite; the databases of the other servers are files.
        shared = on_postgresql(server)["FRONTEND"]
        shop = opened(stack, folder / "shop", BAZAR_FRONTEND_DATABASE_URL=shared)
        urls = [shop.url, *stack.enter_context(beside(shop, folder, shared, FRONT_ENDS[-1] - 1))]
        slow = on_postgresql(server)["FRONTEND"]
        path = os.pathsep.join(filter(None, [str(ALONE), os.environ.get("PYTHONPATH")]))
        slow_shop = opened(stack, folder / "alone", PYTHONPATH=path, BAZAR_FRONTEND_DATABASE_URL=slow)
        moving = on_postgresql(server)["FRONTEND"]
        moving_shop = opened(stack, folder / "moving", BAZAR_ONE_CORE="0", BAZAR_FRONTEND_DATABASE_URL=moving)
        tills = [
            Till(each, each.folder.with_suffix(".till"), on_sqlite(each.folder))
            for each in (shop, slow_shop, moving_shop)
        ]
        for each in tills:
            stack.callback(each.close)
        till, slow_till, moving_till = tills
        steps = {
            **_cache(till),
            **_batches(till, slow_till),
            **_by_kind(moving_till, [moving_shop.url], on_any_core),
        }
        for count in FRONT_ENDS:
            steps |= _by_kind(till, urls[:count], partial(of_front_ends, count=count))
        yield Shapes(steps, tills)


def _cache(till: Till) -> Mapping[str, Step]:
    info, search = [f"{till.shop.url}{info_of(till.hot)}"], [f"{till.shop.url}{SEARCH}"]
    steps = (partial(read, info), partial(read_past_the_cache, info))
    more = (partial(read, search), partial(read_past_the_cache, search))
    return dict(zip(CACHE, (*steps, *more), strict=True))


def _batches(till: Till, slow_till: Till) -> Mapping[str, Step]:
    steps = [
        partial(each.buy, CUSTOMERS, one_book=one_book) for one_book in (False, True) for each in (till, slow_till)
    ]
    return dict(zip(BATCHES, steps, strict=True))


def _by_kind(till: Till, urls: Sequence[str], name_of: Callable[[str], str]) -> Mapping[str, Step]:
    infos = [f"{url}{info_of(till.hot)}" for url in urls]
    steps = (partial(read, infos), partial(read_past_the_cache, infos), partial(till.buy, CUSTOMERS, urls=urls))
    return dict(zip(map(name_of, KINDS), steps, strict=True))


def tables_of(rounds: Sequence[Round]) -> Tables:
    """The steps, and what is gained."""
    steps = [row_of(name, rounds) for name in rounds[0]]
    gains = [(gain.name, gain.spread(rounds).told(".1f")) for gain in GAINS]
    return [(HEADINGS, steps), (GAIN_HEADINGS, gains)]


def plots_of(rounds: Sequence[Round]) -> Mapping[str, tuple[str, str]]:
    """What each is called, and its SVG, by the name of its file."""
    curves = {
        kind: [(count, rates(of_front_ends(kind, count), rounds).median) for count in FRONT_ENDS] for kind in KINDS
    }
    relative = {kind: [(x, y / (points[0][1] or 1)) for x, y in points] for kind, points in curves.items()}
    cache, batches = "Reads a second, cache on and off", "Purchases a second by 64 clients, batching on and off"
    front_ends = "Answers a second against front-ends; with one it is 1"
    return {
        "bench-cache.svg": (cache, step_bars(cache, CACHE, rounds)),
        "bench-batching.svg": (batches, step_bars(batches, BATCHES, rounds)),
        "bench-front-ends.svg": (front_ends, curves_from_zero(front_ends, "front-ends", relative, ".2f")),
    }


if __name__ == "__main__":
    sys.exit(main())
