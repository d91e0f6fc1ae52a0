"""docs/life-of-a-purchase.md names functions and tests that exist, and is as short as it says."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "life-of-a-purchase.md"
MOST_FILES = 8
MOST_LINES = 800

_ROW = re.compile(r"^\| \d \|.*\| (?P<functions>`.*`) \| (?P<tests>`.*`) \|$", re.MULTILINE)


def rows() -> list[tuple[str, list[str], list[str]]]:
    """(source file, functions, tests as file::function) of each row of the table."""
    found = []
    for row in _ROW.finditer(PAGE.read_text(encoding="utf-8")):
        first, *more = re.findall(r"`([^`]*)`", row["functions"])
        path, _, function = first.partition(": ")
        found.append((path, [function, *more], re.findall(r"`([^`]*)`", row["tests"])))
    return found


def names_defined_in(path: Path) -> set[str]:
    """Functions and classes at the top, and methods as Class.method."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
    return names


def test_the_table_has_rows() -> None:
    assert len(rows()) > 8


@pytest.mark.parametrize(("path", "functions", "tests"), rows())
def test_each_step_names_functions_and_tests_that_exist(path: str, functions: list[str], tests: list[str]) -> None:
    assert set(functions) <= names_defined_in(ROOT / "src" / "bazar" / path)
    for test in tests:
        file, _, name = test.partition("::")
        assert [found for found in (ROOT / "tests").rglob(file) if name in names_defined_in(found)], f"no {test}"


def test_the_whole_path_can_be_read_in_one_sitting() -> None:
    files = {path for path, _, _ in rows()}
    texts = [(ROOT / "src" / "bazar" / path).read_text(encoding="utf-8") for path in files]
    assert len(files) <= MOST_FILES
    assert sum(bool(line.strip()) for text in texts for line in text.splitlines()) <= MOST_LINES
