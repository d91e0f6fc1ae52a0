"""`make bench-mixes`: TPC-W's browsing, shopping and ordering mixes on our pages; nothing here passes or fails on time.

Emulated browsers in Python, in processes of their own on the same machine, think time 0, over TLS. Every answer is
looked at; a wrong one is a failure and counts in no rate. At the end the orders are counted in the database.
"""

import argparse
import json
import os
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

from bench.page import Tables, printed, write_mixes
from bench.results import percentiles
from bench.shares import MIXES
from bench.theatre import DATABASES, TITLES, Outcome, Run, Times, open_theatre
from bench.wrk import ProgramMissing, program
from postgresql import PostgreSQLMissing

ROOT = Path(__file__).parents[2]
WARM_UP_SECONDS = 2
FEW, BROWSERS, MANY = 4, 16, 48
HEADINGS_OF_TABLE = (
    *("database", "mix", "sign-ins", "browsers", "WIPS", "p50 ms", "p99 ms", "failures"),
    *("browsers' CPU", "front-end's CPU", "shop's CPU"),
)


def main() -> int:
    """Measure, print, keep as JSON, and write the page if asked; 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="on SQLite, a few seconds each: to see that it works")
    parser.add_argument("--databases", nargs="+", choices=DATABASES, help="both unless given; when quick, SQLite")
    parser.add_argument("--write", action="store_true", help="renew the table and plot of docs/benchmarks.md")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench-mixes.json", help="where all figures go")
    given = parser.parse_args()
    databases = given.databases or (DATABASES[:1] if given.quick else DATABASES)
    seconds, crowds = (4, (BROWSERS,)) if given.quick else (15, (FEW, BROWSERS, MANY))
    console = Console(highlight=False, width=140)
    try:
        program("wrk")
        outcomes = [each for database in databases for each in _played(database, crowds, seconds, console)]
    except (ProgramMissing, PostgreSQLMissing) as missing:
        console.print(str(missing))
        return 1
    lead = f"{os.cpu_count()} cores, Python {platform.python_version()}, {seconds} s each, {TITLES:,} titles"
    tables: Tables = [(HEADINGS_OF_TABLE, [row_of(outcome) for outcome in outcomes])]
    console.print(*(printed(headings, rows) for headings, rows in tables), lead)
    print_failures(outcomes, console)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps({"machine": lead, "runs": [as_json(each) for each in outcomes]}, indent=1) + "\n")
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
    return 1 if any(outcome.tally.failures for outcome in outcomes) else 0


def _played(database: str, crowds: Sequence[int], seconds: int, console: Console) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with open_theatre(database) as theatre:
        for mix in MIXES:
            runs = [Run(database, mix, False, crowd) for crowd in crowds] + [Run(database, mix, True, BROWSERS)]
            for run in runs:
                console.print(f"{run.database}, {run.mix} mix, {run.browsers} browsers ...")
                outcomes.append(theatre.play(run, Times(WARM_UP_SECONDS, seconds)))
        theatre.check(outcome.tally for outcome in outcomes)
    return outcomes


def row_of(outcome: Outcome) -> Sequence[str]:
    """As HEADINGS_OF_TABLE."""
    run, (p50_ms, p99_ms) = outcome.run, percentiles(outcome.tally.milliseconds)
    return (
        *(run.database, run.mix, "yes" if run.signs_in else "no", f"{run.browsers:,}"),
        *(f"{outcome.rate:,.0f}", f"{p50_ms:.1f}", f"{p99_ms:.1f}", str(len(outcome.tally.failures))),
        *(f"{outcome.browsers_cpu:.0%}", f"{outcome.front_end_cpu:.0%}", f"{outcome.shop_cpu:.0%}"),
    )


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Every figure of it."""
    p50_ms, p99_ms = percentiles(outcome.tally.milliseconds)
    return {
        **vars(outcome.run),
        "wips": outcome.rate,
        "p50_ms": p50_ms,
        "p99_ms": p99_ms,
        "interactions": dict(outcome.tally.done),
        "failures": len(outcome.tally.failures),
        "browsers_cpu": outcome.browsers_cpu,
        "front_end_cpu": outcome.front_end_cpu,
        "shop_cpu": outcome.shop_cpu,
    }


def print_failures(outcomes: Sequence[Outcome], console: Console) -> None:
    """What was wrong, the commonest first."""
    failures = Counter(failure for outcome in outcomes for failure in outcome.tally.failures)
    for failure, count in failures.most_common(20):
        console.print(f"{count} x {failure}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
