"""docs/pages.md lists the browser tests that there are, the states of the tour, and no page with a finding."""

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from browser import tour
from browser.report import browser_tests, heading
from browser.tour import States

PAGE = (Path(__file__).parents[2] / "docs" / "pages.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([^|]+) \| (\d+) \| [\d.]+ \| \d+ \|$", re.MULTILINE)


def test_the_page_lists_the_browser_tests_that_there_are() -> None:
    assert PAGE.endswith(browser_tests()), "run `make pages-report`"


def test_no_page_of_the_table_has_a_finding() -> None:
    rows = ROW.findall(PAGE)
    assert rows
    assert [page for page, found in rows if found != "0"] == []


def test_the_tables_have_the_states_of_the_tour() -> None:
    tables = {part.partition("\n")[0]: ROW.findall(part) for part in PAGE.split("\n## ")[1:-1]}
    told = {(whose, state) for whose, rows in tables.items() for state, _ in rows}
    toured = {(heading(way), state) for way in tour.WAYS for state in _states(way)}
    assert told == toured, "run `make pages-report`"


def _states(way: Callable[..., States]) -> set[str]:
    """What the way yields, read from its source: to walk it takes a browser and minutes."""
    nodes = list(ast.walk(ast.parse(inspect.getsource(way))))
    loops = dict(_loop(node) for node in nodes if isinstance(node, ast.For))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Yield) and node.value is not None:
            names = [part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)]
            for values in product(*(loops[name] for name in names)):
                found.add(str(_value(node.value, dict(zip(names, values, strict=True)))))
    return found


def _loop(loop: ast.For) -> tuple[str, list[Any]]:
    """The name that a loop counts with, the first where it has two, and its values."""
    target = loop.target.elts[0] if isinstance(loop.target, ast.Tuple) else loop.target
    assert isinstance(target, ast.Name)
    if target.id == "endpoint":  # what the application has, whoever walks it
        return target.id, _endpoints()
    over = loop.iter
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Attribute) and over.func.attr == "items":
        over = over.func.value  # a dict gives its keys
    parts = over.keys if isinstance(over, ast.Dict) else [over]
    values = [_value(part, vars(tour)) for part in parts if part is not None]
    return target.id, values if isinstance(over, ast.Dict) else list(values[0])


def _endpoints() -> list[str]:
    rules = tour.application().url_map.iter_rules()
    pages = {rule.endpoint for rule in rules if rule.endpoint.startswith("pages.") and "GET" in (rule.methods or ())}
    return [endpoint.removeprefix("pages.") for endpoint in pages - tour.NO_PAGES]


def _value(expression: ast.expr, names: Mapping[str, Any]) -> Any:
    return eval(compile(ast.Expression(expression), "tour.py", "eval"), {}, names)  # noqa: S307 - our own source
