"""The runbook's table of settings is the one of the code."""

import re
from pathlib import Path

import bazar
from bazar.settings import settings_table

RUNBOOK = Path(bazar.__file__).parent.parent.parent / "docs" / "runbook.md"


def test_the_runbook_shows_every_setting_with_its_default_and_meaning() -> None:
    assert table_in(RUNBOOK.read_text()) == settings_table()


def test_a_table_is_read_as_markdown_shows_it() -> None:
    head = "text\n\n| Setting | Default | Meaning |\n|---|:-:|---|\n"
    text = head + "| `A` | `x\\|y` | Why |\n| `B` | | What `B` is |\n\n| C |"
    assert table_in(text) == [("A", "x|y", "Why"), ("B", "", "What B is")]


def table_in(markdown: str) -> list[tuple[str, ...]]:
    """The rows of the first table whose header begins with Setting, without marks of code."""
    lines = iter(markdown.splitlines())
    for line in lines:
        if cells(line)[:1] == ["Setting"]:
            next(lines)  # the line that sets header and rows apart
            break
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(tuple(cells(line)))
    return rows


def cells(line: str) -> list[str]:
    if not line.startswith("|"):
        return []
    return [part.strip().replace("`", "").replace("\\|", "|") for part in re.split(r"(?<!\\)\|", line)[1:-1]]
