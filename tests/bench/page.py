"""Puts tables and plots into docs/benchmarks.md."""

from collections.abc import Sequence
from pathlib import Path

from bench.results import Round, rates
from marked import replaced
from svg import Bar, bars

READS = (
    "nginx, bytes of info",
    "bare WSGI, bytes of info",
    "cached info",
    "cached search",
    "Flask hello",
    "uncached info",
)
PURCHASES = (
    "raw commits, one by one",
    "one process, one by one",
    "one process, 32 together",
    "purchases, 64 clients",
    "purchases, one hot book",
    "purchases, 1 client",
    "plain store, 64 clients",
)
PLOTS = {"bench-reads.svg": ("Reads a second", READS), "bench-purchases.svg": ("Purchases a second", PURCHASES)}

Tables = Sequence[tuple[Sequence[str], Sequence[Sequence[str]]]]


def write_page(page: Path, lead: str, tables: Tables, rounds: Sequence[Round]) -> None:
    """Replace what stands between the page's marks, and draw the plots into the folder ``images`` beside it."""
    parts = [lead, *(_markdown(headings, rows) for headings, rows in tables)]
    page.write_text(replaced(page.read_text(), "make bench", "\n\n".join(parts)))
    for name, (title, steps) in PLOTS.items():
        spreads = {step: rates(step, rounds) for step in steps}
        drawn = bars(title, [Bar(step, each.median, each.least, each.most) for step, each in spreads.items()])
        (page.parent / "images" / name).write_text(drawn)


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(headings)} |", "|---|" + "---:|" * (len(headings) - 1)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
