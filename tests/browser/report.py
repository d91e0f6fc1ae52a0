"""`make pages-report`: docs/pages.md, each page in each state with what axe-core finds, its weight and its requests."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from browser.axe import findings
from browser.chromium import chromium, look, open_shop
from browser.scale import Scale
from browser.tour import WAYS, States
from browser.visitor import Visitor
from shop import Shop

PAGE = Path(__file__).parents[2] / "docs" / "pages.md"
TESTS = Path(__file__).parent

_HEAD = """# The pages

Written by `make pages-report`, which walks an open shop with the sample catalogue in Chromium
(`tests/browser/tour.py`). *axe* is how much axe-core finds on the page at 360 and at 1280 pixels, in light and in dark,
a page wider than its window included. *kB* (1,000 bytes) and *requests* are what a browser fetches that sees the shop
for the first time, headers included; no page may have more than 60 kB or 5 requests (`tests/browser/test_weight.py`).
"""


@dataclass(frozen=True)
class Row:
    """A page in a state."""

    state: str
    found: int
    wire_bytes: int
    requests: int


def main() -> None:
    """Walk all ways, each with a browser that has never been there, and replace the page."""
    parts = [_HEAD]
    with open_shop() as shop, chromium(shop) as browser:
        for way in WAYS:
            context = look(browser, shop)
            rows = []
            visitor = Visitor(context)
            scale = Scale(visitor)
            for state in way(visitor, shop):
                visitor.page.wait_for_load_state("networkidle")
                # Before axe-core looks: it makes the window smaller, and what that fetches is not of the first sight.
                weight = scale.load.wire_bytes, scale.load.requests
                found = findings(visitor.page)
                rows.append(Row(state, len(found), *weight))
                print(f"{len(found):3} found {weight[0]:6} bytes {weight[1]} requests  {state}", *found, sep="\n  ")
            context.close()
            parts.append(_table(heading(way), rows))
    PAGE.write_text("\n".join([*parts, browser_tests()]), encoding="utf-8")


def heading(way: Callable[[Visitor, Shop], States]) -> str:
    """Of the table of a way: whose it is."""
    return (way.__doc__ or way.__name__).splitlines()[0]


def browser_tests() -> str:
    """The part of the page that lists the browser tests."""
    files = [f"### {path.name}\n\n{told}\n\n{names}\n" for path, told, names in _test_files()]
    return "\n".join(["## Browser tests\n", *files])


def _test_files() -> Iterator[tuple[Path, str, str]]:
    """Each file with its docstring and, as a list, the names of its tests as sentences."""
    for path in sorted(TESTS.glob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        names = [node.name for node in module.body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"]
        told = " ".join((ast.get_docstring(module) or "").split())
        yield path, told, "\n".join(f"- {name.removeprefix('test_').replace('_', ' ')}" for name in names)


def _table(heading: str, rows: list[Row]) -> str:
    lines = [
        f"| {row.state.removeprefix('pages.')} | {row.found} | {row.wire_bytes / 1000:.1f} | {row.requests} |"
        for row in rows
    ]
    heads = "| page | axe | kB | requests |\n|---|---:|---:|---:|"
    return "\n".join([f"## {heading}\n", heads, *lines, ""])


if __name__ == "__main__":
    main()
