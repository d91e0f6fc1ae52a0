"""`make chaos`: every kill point, every stop, and random schedules, on both databases; prints the table.

`make chaos CHAOS="--seed 7 --schedules 500"`; `--only 17 --seed 7` repeats the faults of one schedule.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

# From tests/ on: there, this folder is the package chaos; from here, this file would be.
sys.path.remove(str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from chaos import campaign
from chaos.campaign import DATABASES, SOON, SQLITE, Report, Task
from chaos.ordeal import START_POINTS
from chaos.plan import SHORT_PAUSES
from postgresql import PostgreSQL

SCHEDULES = 2_000


def main() -> int:
    """The exit status: 0 without a violation."""
    asked = _arguments()
    console = Console(width=160, highlight=False)
    console.print(f"seed {asked.seed}; evidence of violations stays below {asked.folder}")
    server = PostgreSQL() if asked.databases != [SQLITE] else None
    began = time.monotonic()
    total = Report()

    def part(name: str, tasks: Sequence[Task], *, soon: bool, under_fire: bool = False) -> None:
        console.print(f"{name} ({len(tasks)}) ...")
        report = campaign.run(
            tasks,
            asked.folder / name,
            server,
            databases=asked.databases,
            shops=asked.shops,
            constants=SOON if soon else SHORT_PAUSES,
            start_points=START_POINTS if under_fire else (),
            say=lambda line: console.print(line) if asked.verbose else None,
        )
        console.print(report.table() if not name.startswith("random") else "", report.summary())
        total.add(report)

    try:
        if asked.only is None:
            part("kill points, given up after 2 s", campaign.kill_points(), soon=True, under_fire=True)
            part("kill points, given up after 15 s", campaign.kill_points(), soon=False)
            part("stops and masters, given up after 15 s", campaign.stops_and_masters(), soon=False)
        numbers = range(asked.schedules // len(asked.databases)) if asked.only is None else [asked.only]
        part("random schedules, given up after 2 s", campaign.schedules(asked.seed, numbers), soon=True)
    finally:
        if server:
            server.stop()
    for violation in total.violations:
        console.print(f"VIOLATION {violation}", style="red")
    console.print(f"faults made: {dict(total.faults().most_common(12))}")
    console.print(f"seed {asked.seed}; all of it took {time.monotonic() - began:.0f} s. {total.summary()}")
    return 1 if total.violations else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the random schedules")  # noqa: S311
    parser.add_argument("--schedules", type=int, default=SCHEDULES, help="how many, on all databases together")
    parser.add_argument("--only", type=int, help="this one schedule, and nothing else")
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--shops", type=int, default=2, help="at a time, on each database")
    parser.add_argument("--verbose", action="store_true", help="say each round")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / f"bazar-chaos-{int(time.time())}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
