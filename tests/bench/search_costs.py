"""`make bench-search`: what a question costs the catalog, by how many titles it has; nothing here passes or fails.

Inside the catalog, without HTTP: its use cases over SQLite and the search index, a process for each size. All sizes are
asked in turn, so that noise hits all alike. The cost is the CPU time of the thread that answers, which others on the
machine disturb less than the time on the clock; ratios are computed within each round.
"""

import argparse
import json
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

from bench.bare_catalog import Cost, Shelves, build
from bench.page import printed
from bench.results import Spread, percentiles
from marked import replaced
from svg import Line, Panel, axes, picture, polyline, text

ROOT = Path(__file__).parents[2]
SIZES = (1_000, 10_000, 100_000, 1_000_000)
QUICK_SIZES = SIZES[:2]
#: Kind of question, and how many times its cost may grow from the smallest to the largest catalogue.
KINDS = {
    "info": 1.5,
    "a subject": 3.0,
    "a suggestion": 3.0,
    "two words": 3.0,
    "two words, without facets": 3.0,
    "a typing mistake": 3.0,
    "the commonest word": 3.0,
}
COLOURS = ("#06c", "#c40", "#939", "#393", "#9c9", "#f96", "#69f")
HEADINGS = ("question", "titles", "p50 ms", "p99 ms", "CPU ms, median (least to most)", "growth", "asked", "own MB")


@dataclass(frozen=True)
class Answers:
    """To one kind of question by one catalogue in one round."""

    costs: Sequence[Cost]
    megabytes: float

    @property
    def cpu_ms(self) -> float:
        """The median."""
        return statistics.median(cost.cpu_ms for cost in self.costs)


#: By kind and size, round by round.
Found = Mapping[tuple[str, int], list[Answers]]


def main() -> None:
    """Build, ask, print, keep as JSON, and write the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small catalogues, two short rounds: to see that it works")
    parser.add_argument("--largest", type=int, default=SIZES[-1], choices=SIZES[1:], help="no more titles than these")
    parser.add_argument("--write", action="store_true", help="renew the table and plot of docs/benchmarks.md")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench-search.json", help="where all figures go")
    given = parser.parse_args()
    sizes = [size for size in (QUICK_SIZES if given.quick else SIZES) if size <= given.largest]
    rounds, seconds = (2, 0.5) if given.quick else (5, 1.0)
    console = Console(highlight=False, width=130)
    with tempfile.TemporaryDirectory(prefix="bazar-sizes-") as folder, ExitStack() as stack:
        opened = {size: stack.enter_context(_open(Path(folder), size, console)) for size in sizes}
        found = _ask(opened, rounds, seconds)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {rounds} rounds of {seconds:g} s a question"
    rows = list(rows_of(found, sizes))
    console.print(printed(HEADINGS, rows), machine)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    kept = [dict(zip(HEADINGS, row, strict=True)) for row in rows]
    given.json.write_text(json.dumps({"machine": machine, "found": kept}, indent=1) + "\n")
    if given.write:
        lines = [f"| {' | '.join(row)} |" for row in (HEADINGS, ["---", *["---:"] * (len(HEADINGS) - 1)], *rows)]
        page, lead = ROOT / "docs" / "benchmarks.md", f"`make bench-search`: {machine}."
        page.write_text(replaced(page.read_text(), "make bench-search", "\n".join([lead, "", *lines])))
        (page.parent / "images" / "bench-search.svg").write_text(plot(found, sizes))


def _open(folder: Path, size: int, console: Console) -> "closing[Shelves]":
    began = time.perf_counter()
    # In a process of its own: what building takes of memory is not that of answering.
    builder = get_context("spawn").Process(target=build, args=(folder / str(size), size))
    builder.start()
    builder.join()
    if builder.exitcode != 0:
        raise RuntimeError(f"the catalogue of {size} titles could not be built")
    console.print(f"{size:,} titles imported and indexed in {time.perf_counter() - began:.0f} s")
    return closing(Shelves(folder / str(size), size))


def _ask(opened: Mapping[int, Shelves], rounds: int, seconds: float) -> Found:
    found: dict[tuple[str, int], list[Answers]] = {(kind, size): [] for kind in KINDS for size in opened}
    for number in range(rounds + 1):
        for (kind, size), answers in found.items():
            costs, megabytes = opened[size].ask(kind, seconds, seed=number)
            if number:  # the first one warms up
                answers.append(Answers(costs, megabytes))
    return found


def rows_of(found: Found, sizes: Sequence[int]) -> Iterator[Sequence[str]]:
    """As HEADINGS: each kind in each size; growth is that of CPU time, within each round, from the smallest size."""
    for kind, size in found:
        answers, smallest = found[kind, size], found[kind, sizes[0]]
        p50_ms, p99_ms = percentiles([cost.wall_ms for each in answers for cost in each.costs])
        growth = Spread.of([each.cpu_ms / base.cpu_ms for each, base in zip(answers, smallest, strict=True)])
        asked = f"≤ {KINDS[kind]:g}" if size == sizes[-1] else ""
        yield (
            *(kind, f"{size:,}", f"{p50_ms:.2f}", f"{p99_ms:.2f}", Spread.of([a.cpu_ms for a in answers]).told(".2f")),
            *(growth.told(".1f") if size != sizes[0] else "1", asked, f"{answers[-1].megabytes:.0f}"),
        )


def plot(found: Found, sizes: Sequence[int]) -> str:
    """CPU time against the number of titles, by powers of ten."""
    panel = Panel(left=60, top=35, width=400, height=200)
    medians = {key: statistics.median(each.cpu_ms for each in answers) for key, answers in found.items()}
    most = (math.log10(sizes[-1] / sizes[0]), max(medians.values()))
    parts = [
        axes(panel),
        text(10, 20, "CPU milliseconds of a question against titles"),
        text(panel.left - 5, panel.top + 5, f"{most[1]:.1f}", to_the_left=True),
    ]
    for size in sizes:
        place = panel.left + panel.width * math.log10(size / sizes[0]) / most[0]
        parts.append(text(place + 20, panel.floor + 15, f"{size:,}", to_the_left=True))
    for row, (kind, colour) in enumerate(zip(KINDS, COLOURS, strict=True)):
        points = [(math.log10(size / sizes[0]), medians[kind, size]) for size in sizes]
        parts.append(polyline(Line(points, f'stroke="{colour}" stroke-width="2"'), most, panel))
        parts.append(f'<rect x="{panel.right + 40}" y="{panel.top + 20 * row}" width="12" height="4" fill="{colour}"/>')
        parts.append(text(panel.right + 60, panel.top + 20 * row + 6, kind))
    return picture(700, 260, *parts)


if __name__ == "__main__":
    main()
