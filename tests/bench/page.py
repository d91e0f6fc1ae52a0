"""Prints tables, and puts them and plots into docs/benchmarks.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from bench.results import Round, rates
from marked import replaced
from svg import Bar, Line, Panel, Point, axes, bars, picture, polyline, text

READS = (
    "nginx, bytes of info",
    "bare WSGI, bytes of info",
    "the cache alone, bytes of info",
    "bare WSGI, as many threads",
    "cached info",
    "cached search",
    "Flask hello",
    "Flask hello, as many threads",
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
    "raw commits, PostgreSQL",
    "purchases, 64 clients, PostgreSQL",
    "purchases, 1 client, PostgreSQL",
)
PLOTS = {"bench-reads.svg": ("Reads a second", READS), "bench-purchases.svg": ("Purchases a second", PURCHASES)}

COLOURS = ("#06c", "#c40", "#393", "#69f", "#f96", "#6c6")

Tables = Sequence[tuple[Sequence[str], Sequence[Sequence[str]]]]


def write_tables(
    page: Path, mark: str, lead: str, tables: Tables, plots: Mapping[str, tuple[str, str]] | None = None
) -> None:
    """Replace what stands between the page's marks of that name.

    ``plots``: by the name of its file what a plot is called, and its SVG; they go into the folder ``images`` beside the
    page, and are shown below the tables.
    """
    parts = [lead, *(_markdown(headings, rows) for headings, rows in tables)]
    for name, (title, drawn) in (plots or {}).items():
        (page.parent / "images" / name).write_text(drawn)
        parts.append(f"![{title}](images/{name})")
    page.write_text(replaced(page.read_text(), mark, "\n\n".join(parts)))


def write_page(page: Path, lead: str, tables: Tables, rounds: Sequence[Round]) -> None:
    """Replace what stands between the page's marks, and draw the plots into the folder ``images`` beside it."""
    plots = {name: (title, step_bars(title, steps, rounds)) for name, (title, steps) in PLOTS.items()}
    write_tables(page, "make bench", lead, tables, plots)


def step_bars(title: str, steps: Sequence[str], rounds: Sequence[Round]) -> str:
    """A bar for each step, from its rounds."""
    spreads = {step: rates(step, rounds) for step in steps}
    return bars(title, [Bar(step, each.median, each.least, each.most) for step, each in spreads.items()])


def write_mixes(page: Path, lead: str, tables: Tables, curves: Mapping[str, Sequence[Point]]) -> None:
    """The same for the mixes; ``curves``: WIPS against emulated browsers."""
    title = "Web interactions a second (WIPS) against emulated browsers, no sign-ins"
    drawn = curves_from_zero(title, "browsers", curves)
    write_tables(page, "make bench-mixes", lead, tables, {"bench-mixes.svg": ("WIPS against emulated browsers", drawn)})


def curves_from_zero(title: str, across: str, curves: Mapping[str, Sequence[Point]], form: str = ",.0f") -> str:
    """A line for each, by its name, from zero on; ``across``: what is counted from left to right."""
    panel = Panel(left=50, top=35, width=400, height=200)
    most = (max(x for points in curves.values() for x, _ in points), max(y for p in curves.values() for _, y in p) or 1)
    parts = [
        axes(panel),
        text(10, 20, title),
        text(panel.left - 5, panel.top + 5, f"{most[1]:{form}}", to_the_left=True),
        text(panel.right, panel.floor + 15, f"{most[0]:,.0f} {across}", to_the_left=True),
    ]
    for row, ((name, points), colour) in enumerate(zip(curves.items(), COLOURS, strict=False)):
        parts.append(polyline(Line([(0, 0), *points], f'stroke="{colour}" stroke-width="2"'), most, panel))
        parts.append(f'<rect x="{panel.right + 30}" y="{panel.top + 20 * row}" width="12" height="4" fill="{colour}"/>')
        parts.append(text(panel.right + 50, panel.top + 20 * row + 6, name))
    return picture(700, 260, *parts)


def printed(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """For the terminal."""
    table = Table()
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(headings)} |", "|---|" + "---:|" * (len(headings) - 1)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
