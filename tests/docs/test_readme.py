"""The README's first steps run as they stand, and no document points to what is not there."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bazar.contracts.catalogue_file import Columns, GoodRow, Reading, read_rows
from shop import Shop

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK_SECONDS = 60

_BLOCK = re.compile(r"^<!-- a test runs this block -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^ {4}.*$", re.MULTILINE)
_INLINE = re.compile(r"`[^`]+`")
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)

needs_curl = pytest.mark.skipif(
    os.environ.get("CI") != "true" and not (shutil.which("bash") and shutil.which("curl")),
    reason="bash or curl is not installed",
)


@needs_curl
def test_the_first_steps_do_what_the_readme_says(new_shop: Shop, tmp_path: Path) -> None:
    subject, words, info, account, bought, again, orders, changed = run_first_steps(new_shop, tmp_path)
    assert "RPCs for Noobs" in [book["title"] for book in subject["items"]]
    assert "Distributed Systems: Concepts and Design" in [book["title"] for book in words["items"]]
    assert info["title"] == "RPCs for Noobs"
    assert account == {"email": "reader@example.org"}
    assert bought["message"] == "bought book RPCs for Noobs"
    assert again["order_id"] == bought["order_id"]
    assert [order["order_id"] for order in orders["items"]] == [bought["order_id"]]
    assert changed["price"] == {"amount": 1999, "currency": "USD"}
    assert changed["quantity"] == info["quantity"] - 1 + 10


def test_the_list_of_books_that_the_readme_shows_can_be_imported(tmp_path: Path) -> None:
    shown = re.search(r"^```\n(source_id.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert shown
    file = tmp_path / "books.csv"
    file.write_text(shown[1])
    (row,) = read_rows(file, Columns(), Reading(currency="USD"))
    assert isinstance(row, GoodRow), row
    assert (row.book.book.authors, row.book.book.price.amount) == (("Robert Louis Stevenson",), 1250)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert list(dead_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert make_targets_named_in(page.read_text(encoding="utf-8")) <= set(targets)


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# The shop's `own` certificate\n```\n# no heading\n```\n")
    page = tmp_path / "page.md"
    good = "[a](other.md) ![b](other.md#the-shops-own-certificate) [c](https://example.org/) [d](#here) `[e](code.md)`"
    page.write_text(f"## Here\n{good}\n[f](gone.md) [g](other.md#no-heading) [two\nlines](#there)")
    assert list(dead_links(page)) == ["gone.md", "other.md#no-heading", "#there"]


def test_make_targets_are_found_in_code_only() -> None:
    text = "To make sense, `make one` or\n```\nmake two  # more\n```\n\n    make three-times\n\nand make no other."
    assert make_targets_named_in(text) == {"one", "two", "three-times"}


def run_first_steps(shop: Shop, folder: Path) -> list[Any]:
    """The JSON that the block prints, when it runs beside the shop's data as beside those of ``make run``."""
    block = _BLOCK.search(README.read_text(encoding="utf-8"))
    assert block, "the README has no block that a test runs"
    assert block[1].count("localhost:8443") == 1
    (folder / "var").symlink_to(shop.folder)
    (folder / ".venv").symlink_to(sys.prefix)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BAZAR_")}
    done = subprocess.run(
        ["bash", "-c", "set -euo pipefail\n" + block[1].replace("localhost:8443", f"localhost:{shop.port}")],
        cwd=folder,
        env={**clean, "BAZAR_PORT": str(shop.port)},
        capture_output=True,
        text=True,
        timeout=BLOCK_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def dead_links(page: Path) -> Iterator[str]:
    """Relative links and images that lead to no file, or to no heading of it."""
    for link in _LINK.findall(_INLINE.sub("", without_blocks(page))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            yield link


def anchors_of(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = _HEADING.findall(without_blocks(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def without_blocks(page: Path) -> str:
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def make_targets_named_in(markdown: str) -> set[str]:
    """Those in blocks and marks of code: prose may make what it likes."""
    prose = _FENCED.sub("", markdown)
    code = [*_FENCED.findall(markdown), *_INDENTED.findall(prose), *_INLINE.findall(prose)]
    return {target for part in code for target in re.findall(r"\bmake ([a-z][a-z-]*)", part)}
