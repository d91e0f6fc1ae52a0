"""`make bench`: what Bazar does a second beside the bounds of this machine, all in one run; nothing here passes or
fails on time. Wrong books (stock and sales that do not add up) end it with an error.

Everything is started anew on this machine, which it shares with wrk. Each round goes through all steps, so that
noise hits all alike; figures are medians over the rounds, ratios are computed within each.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

from bench.cpu import SERVERS
from bench.page import Tables, printed, write_page
from bench.paths import Paths, open_paths
from bench.results import Goal, Round, as_json, ratio
from bench.rounds import HEADINGS, Plan, measured, row_of
from bench.wrk import ProgramMissing, program
from postgresql import PostgreSQLMissing

ROOT = Path(__file__).parents[2]

GOALS = (
    ratio("cached info / bare WSGI", "cached info", "bare WSGI, bytes of info", 0.85),
    ratio("the cache alone / bare WSGI", "the cache alone, bytes of info", "bare WSGI, bytes of info", 0.85),
    ratio("cached info / bare WSGI, as many threads", "cached info", "bare WSGI, as many threads", 0.85),
    ratio("cached info / nginx", "cached info", "nginx, bytes of info", 0.60),
    ratio("cached search / bare WSGI", "cached search", "bare WSGI, bytes of search", 0.60),
    ratio("uncached info / Flask hello", "uncached info", "Flask hello", 0.25),
    ratio("uncached info / Flask hello, as many threads", "uncached info", "Flask hello, as many threads", 0.25),
    ratio("purchases, 64 clients / raw commits", "purchases, 64 clients", "raw commits, one by one", 1.5),
    ratio("purchases, 64 clients / 1 client", "purchases, 64 clients", "purchases, 1 client", 3.0, ".1f"),
    ratio("purchases, one hot book / spread", "purchases, one hot book", "purchases, 64 clients", 0.9),
    ratio(
        "purchases, PostgreSQL, 64 clients / raw commits",
        "purchases, 64 clients, PostgreSQL",
        "raw commits, PostgreSQL",
        1.5,
    ),
    ratio(
        "purchases, PostgreSQL, 64 clients / 1 client",
        "purchases, 64 clients, PostgreSQL",
        "purchases, 1 client, PostgreSQL",
        3.0,
        ".1f",
    ),
    Goal(
        name="purchases, 64 clients, p99 in ms",
        figure=lambda each: each["purchases, 64 clients"].p99_ms,
        bound=60,
        at_most=True,
        form=".0f",
    ),
)
CPU_HEADING = "CPU of an answer in µs: front-end + catalog + order"
GOAL_HEADINGS = ("ratio in one run", "asked", "median (least to most)", "reached")


FULL = Plan("make bench", rounds=5, seconds=8)
QUICK = Plan("make bench-quick", rounds=2, seconds=2)


def main() -> int:
    """Measure, print, keep as JSON, and write the page if asked; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two short rounds: to see that it works")
    parser.add_argument("--write", action="store_true", help="renew the tables and plots of docs/benchmarks.md")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench.json", help="where all figures go")
    given = parser.parse_args()
    plan = QUICK if given.quick else FULL
    console = Console(highlight=False, width=120)
    try:
        program("wrk"), program("nginx")
        with tempfile.TemporaryDirectory(prefix="bazar-bench-") as folder, open_paths(Path(folder)) as paths:
            rounds = measured(paths.steps, plan, console)
            paths.check()
    except (ProgramMissing, PostgreSQLMissing) as missing:
        console.print(str(missing))
        return 1
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {plan.rounds} rounds of {plan.seconds} s"
    tables = _tables(paths, rounds)
    for headings, rows in tables:
        console.print(printed(headings, rows))
    console.print(machine)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    memory = {"idle": paths.idle_megabytes, "full load": paths.full_megabytes}
    kept = {"machine": machine, "command": plan.command, "rounds": as_json(rounds), "megabytes": memory}
    given.json.write_text(json.dumps(kept, indent=1) + "\n")
    if given.write:
        write_page(ROOT / "docs" / "benchmarks.md", f"`{plan.command}`: {machine}.", tables, rounds)
    return 0


def _tables(paths: Paths, rounds: Sequence[Round]) -> Tables:
    steps = [(*row_of(name, rounds), _cpu_of(name, rounds)) for name in paths.steps]
    goals = [
        (goal.name, goal.asked, goal.spread(rounds).told(goal.form), "yes" if goal.is_reached(rounds) else "no")
        for goal in GOALS
    ]
    for name, megabytes, most in (("idle", paths.idle_megabytes, 300), ("at full load", paths.full_megabytes, 500)):
        reached = "yes" if megabytes <= most else "no"
        goals.append((f"memory of all processes (PSS) {name}, MB", f"≤ {most}", f"{megabytes:.0f}", reached))
    return [((*HEADINGS, CPU_HEADING), steps), (GOAL_HEADINGS, goals)]


def _cpu_of(name: str, rounds: Sequence[Round]) -> str:
    """As CPU_HEADING; medians over the rounds."""
    if not rounds[0][name].servers_cpu_seconds:
        return "-"
    costs = [
        [each[name].servers_cpu_seconds[server] / max(each[name].answers, 1) for each in rounds] for server in SERVERS
    ]
    return " + ".join(f"{statistics.median(seconds) * 1e6:,.0f}" for seconds in costs)


if __name__ == "__main__":
    sys.exit(main())
