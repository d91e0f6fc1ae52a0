"""`make bench-sizes`: what info and search cost in shops of different sizes; nothing here passes or fails on time.

One shop for each size, all open at once, asked in turn, over one kept TLS connection each and past the cache: info
about a book by chance, and search for two words of a title by chance. Figures are medians;
ratios are to the smallest shop.
"""

import argparse
import http.client
import json
import os
import platform
import random
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import quote_plus

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

from bench.page import Tables, printed, write_tables
from bench.results import percentiles
from bench.shelves import SoldBook, stocked
from shop import API, PAST_THE_CACHE, Shop

ROOT = Path(__file__).parents[2]
SIZES = (1_000, 10_000, 100_000)
QUESTIONS = 500
HEADINGS = (
    "titles",
    "info p50 ms",
    "p99 ms",
    "to the smallest",
    "search p50 ms",
    "p99 ms",
    "to the smallest",
    "MB (PSS)",
)


def main() -> int:
    """Measure, print, keep as JSON, and write the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--titles", type=int, nargs="+", default=SIZES, help="sizes of the catalogues, ascending")
    parser.add_argument("--write", action="store_true", help="renew the table of docs/benchmarks.md")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench-sizes.json", help="where all figures go")
    given = parser.parse_args()
    console = Console(highlight=False, width=120)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bazar-sizes-")))
        shops: dict[Shop, Sequence[SoldBook]] = {}
        for titles in given.titles:
            console.print(f"{titles:,} titles ...")
            shop = Shop(folder / str(titles), BAZAR_SAMPLE="0")
            stack.callback(shop.stop)
            shops[shop] = stocked(shop, folder, titles)
        found = _ask_in_turn(shops)
        megabytes = [sum(shop.memory().values()) for shop in shops]
    rows = _rows(given.titles, found, megabytes)
    lead = (
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {QUESTIONS} questions of each kind to each shop"
    )
    console.print(printed(HEADINGS, rows), lead)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps({"machine": lead, "headings": HEADINGS, "rows": rows}, indent=1) + "\n")
    if given.write:
        tables: Tables = [(HEADINGS, rows)]
        write_tables(ROOT / "docs" / "benchmarks.md", "make bench-sizes", f"`make bench-sizes`: {lead}.", tables)
    return 0


Milliseconds = tuple[list[float], list[float]]


def _ask_in_turn(shops: Mapping[Shop, Sequence[SoldBook]]) -> list[Milliseconds]:
    """Of each shop, how long info and search took."""
    chance = random.Random(1)  # noqa: S311 - no secret
    found: list[Milliseconds] = [([], []) for _ in shops]
    with ExitStack() as stack:
        connections = [
            stack.enter_context(closing(http.client.HTTPSConnection("localhost", shop.port, context=shop.tls)))
            for shop in shops
        ]
        for _ in range(QUESTIONS):
            for connection, books, (infos, searches) in zip(connections, shops.values(), found, strict=True):
                book = chance.choice(books)
                infos.append(_ask(connection, f"/info/{book.item_number}", book))
                words = chance.sample(re.findall(r"\w+", book.title), 2)
                searches.append(_ask(connection, f"/search?q={quote_plus(' '.join(words))}", None))
    return found


def _ask(connection: http.client.HTTPSConnection, path: str, book: SoldBook | None) -> float:
    """Milliseconds; raises AssertionError where the answer is not right."""
    began = time.perf_counter()
    connection.request("GET", f"{API}{path}", headers=dict([PAST_THE_CACHE]))
    response = connection.getresponse()
    body = json.loads(response.read())
    took = (time.perf_counter() - began) * 1000
    assert response.status == 200, body
    assert body["title"] == book.title if book else body["items"], body
    return took


def _rows(titles: Sequence[int], found: Sequence[Milliseconds], megabytes: Sequence[float]) -> list[Sequence[str]]:
    smallest_info, smallest_search = (percentiles(milliseconds)[0] for milliseconds in found[0])
    rows: list[Sequence[str]] = []
    for size, (infos, searches), weight in zip(titles, found, megabytes, strict=True):
        (info, info_p99), (search, search_p99) = percentiles(infos), percentiles(searches)
        rows.append(
            (
                *(f"{size:,}", f"{info:.1f}", f"{info_p99:.1f}", f"{info / smallest_info:.2f}"),
                *(f"{search:.1f}", f"{search_p99:.1f}", f"{search / smallest_search:.2f}", f"{weight:.0f}"),
            )
        )
    return rows


if __name__ == "__main__":
    sys.exit(main())
