"""docs/pages.md lists the browser tests that there are, and no page with a finding."""

import re
from pathlib import Path

from browser.report import browser_tests

PAGE = (Path(__file__).parents[2] / "docs" / "pages.md").read_text(encoding="utf-8")


def test_the_page_lists_the_browser_tests_that_there_are() -> None:
    assert PAGE.endswith(browser_tests()), "run `make pages-report`"


def test_no_page_of_the_table_has_a_finding() -> None:
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \| [\d.]+ \| \d+ \|$", PAGE, re.MULTILINE)
    assert rows
    assert [page for page, found in rows if found != "0"] == []
