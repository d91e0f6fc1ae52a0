"""A shop with as many generated books as a measurement wants."""

import csv
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bazar.cli.generated_books import HEADINGS, generated_rows
from processes import wait_until
from shop import Shop

#: A million titles take some minutes to import, and as long again until the search has them.
IMPORT_SECONDS = 1800


@dataclass(frozen=True)
class SoldBook:
    """What a page must show of it."""

    item_number: int
    title: str
    authors: tuple[str, ...]
    subjects: frozenset[str]


def stocked(shop: Shop, folder: Path, titles: int) -> Sequence[SoldBook]:
    """Import so many books into a shop that has none, and wait until the search knows all of them."""
    file = folder / "generated.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([HEADINGS, *generated_rows(titles, seed=1)])
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BAZAR_")}
    subprocess.run(
        [sys.executable, "-m", "bazar", "catalogue", "import", file],
        env={**clean, "BAZAR_DATA_DIR": str(shop.folder), "BAZAR_PORT": str(shop.port)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    rows = list(generated_rows(titles, seed=1))
    file.unlink()
    # A new shop numbers its books in the order in which they come.
    books = [
        SoldBook(number, row[1], tuple(row[2].split(";")), frozenset(row[3].split(";")))
        for number, row in enumerate(rows, 1)
    ]
    with closing(shop.client()) as client:
        assert client.call("GET", f"/info/{titles}").json["title"] == books[-1].title
        isbn = rows[-1][4]
        wait_until(lambda: client.call("GET", f"/search?q={isbn}").json["items"], IMPORT_SECONDS)
    return books
