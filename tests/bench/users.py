"""`make bench-users`: how many emulated browsers the shop holds that think before they click, by TPC-W's shopping mix;
nothing here passes or fails on time.

They are held if the 99th percentile of their interactions is under 200 ms, where one that got a wrong answer, or none,
took for ever. The crowd is doubled until it is not held, then halved in between. Who buys signs in, at real cost.
"""

import argparse
import json
import math
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

from bench.mixes import HEADINGS_OF_TABLE, as_json, print_failures, row_of
from bench.page import Tables, printed, write_tables
from bench.theatre import DATABASES, TITLES, Outcome, Run, Times, open_theatre
from bench.wrk import ProgramMissing, program
from postgresql import PostgreSQLMissing

ROOT = Path(__file__).parents[2]
MIX = "shopping"
HELD_MS = 200.0
HEADINGS = (*HEADINGS_OF_TABLE, "held")


@dataclass(frozen=True)
class Search:
    """From so many browsers to so many, then so often in between. No front-end takes more connections than 4,096."""

    first: int
    most: int
    finer: int
    times: Times


FULL = Search(first=250, most=4_000, finer=2, times=Times(15, 30))
QUICK = Search(first=20, most=40, finer=0, times=Times(3, 6))


def main() -> int:
    """Measure, print, keep as JSON, and write the page if asked; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two small crowds on SQLite: to see that it works")
    parser.add_argument("--databases", nargs="+", choices=DATABASES, help="both unless given; when quick, SQLite")
    parser.add_argument("--write", action="store_true", help="renew the table of docs/benchmarks.md")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench-users.json", help="where all figures go")
    given = parser.parse_args()
    search = QUICK if given.quick else FULL
    databases = given.databases or (DATABASES[:1] if given.quick else DATABASES)
    console = Console(highlight=False, width=140)
    try:
        program("wrk")
        outcomes = [each for database in databases for each in _searched(database, search, console)]
    except (ProgramMissing, PostgreSQLMissing) as missing:
        console.print(str(missing))
        return 1
    lead = (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {search.times.seconds:g} s each, "
        f"{TITLES:,} titles, think time 7 s on average"
    )
    rows = [(*row_of(outcome), "yes" if is_held(outcome) else "no") for outcome in outcomes]
    tables: Tables = [(HEADINGS, rows)]
    console.print(printed(HEADINGS, rows), lead)
    print_failures(outcomes, console)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    kept = [{**as_json(outcome), "held": is_held(outcome)} for outcome in outcomes]
    given.json.write_text(json.dumps({"machine": lead, "runs": kept}, indent=1) + "\n")
    if given.write:
        command = "make bench-users" + (" BENCH=--quick" if given.quick else "")
        write_tables(ROOT / "docs" / "benchmarks.md", "make bench-users", f"`{command}`: {lead}.", tables)
    return 0


def _searched(database: str, search: Search, console: Console) -> Sequence[Outcome]:
    outcomes: list[Outcome] = []
    with open_theatre(database) as theatre:

        def holds(browsers: int) -> bool:
            console.print(f"{database}, {browsers:,} browsers ...")
            run = Run(database, MIX, signs_in=True, browsers=browsers, thinks=True)
            outcomes.append(theatre.play(run, search.times))
            return is_held(outcomes[-1])

        look_for_most(holds, search)
        theatre.check(outcome.tally for outcome in outcomes)
    return sorted(outcomes, key=lambda outcome: outcome.run.browsers)


def is_held(outcome: Outcome) -> bool:
    """Whether almost everybody was answered in time, and rightly."""
    times = sorted([*outcome.tally.milliseconds, *[math.inf] * len(outcome.tally.failures)])
    return bool(times) and times[math.ceil(0.99 * len(times)) - 1] < HELD_MS  # by rank: there are infinite ones


def look_for_most(holds: Callable[[int], bool], search: Search) -> int:
    """The most browsers that were tried and held; 0 where none were."""
    most, crowd = 0, search.first
    while crowd <= search.most and holds(crowd):
        most, crowd = crowd, 2 * crowd
    too_many = crowd
    if too_many <= search.most:
        for _ in range(search.finer):
            crowd = (most + too_many) // 2
            if holds(crowd):
                most = crowd
            else:
                too_many = crowd
    return most


if __name__ == "__main__":
    sys.exit(main())
