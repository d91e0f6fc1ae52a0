"""Every error of a service has a problem in the table of its API; what had none would be a bare 500."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bazar
import bazar.catalog
import bazar.frontend
import bazar.order
from bazar.catalog.api import routes as catalog_routes
from bazar.catalog.domain.errors import CatalogError
from bazar.chassis.web import ProblemTable
from bazar.cli import account as account_command
from bazar.contracts import problems
from bazar.contracts.problems import PROBLEM_TYPES, ProblemType
from bazar.frontend.api import problems as frontend_problems
from bazar.frontend.domain.account_care import UnknownAccount
from bazar.frontend.domain.accounts import AccountExists
from bazar.frontend.domain.errors import ShopError
from bazar.frontend.pages import sessions as page_sessions
from bazar.order.api import routes as order_routes
from bazar.order.domain.errors import OrderError

FRONTEND: ProblemTable = {**frontend_problems.PROBLEMS, **page_sessions.PROBLEMS}
#: Raised to a command too, which has words for it.
OF_COMMANDS = {AccountExists, UnknownAccount}


def errors_of(package: object, base: type[Exception]) -> Iterator[type[Exception]]:
    """All subclasses of ``base``, whichever module of the package they stand in."""
    path, name = inspect.getmodule(package).__path__, inspect.getmodule(package).__name__  # type: ignore[union-attr]  # a package
    for module in pkgutil.walk_packages(path, f"{name}."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    waiting = base.__subclasses__()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if not kind.__subclasses__():  # the others only say what theirs have in common
            yield kind


@pytest.mark.parametrize(
    ("package", "base", "table"),
    [
        (bazar.frontend, ShopError, FRONTEND),
        (bazar.catalog, CatalogError, catalog_routes.PROBLEMS),
        (bazar.order, OrderError, order_routes.PROBLEMS),
    ],
    ids=["frontend", "catalog", "order"],
)
def test_every_error_has_a_problem(package: object, base: type[Exception], table: ProblemTable) -> None:
    found = set(errors_of(package, base))
    assert found, "no error was found at all"
    assert found - table.keys() == set()


def test_an_error_of_commands_has_words_there() -> None:
    assert account_command._IN_WORDS.keys() >= OF_COMMANDS


def test_every_problem_type_is_in_the_register_under_its_own_name() -> None:
    declared = [value for value in vars(problems).values() if isinstance(value, ProblemType)]
    assert {kind.name: kind for kind in declared} == dict(PROBLEM_TYPES)
    assert len({kind.title for kind in declared}) == len(declared)
    for kind in declared:
        assert re.fullmatch("[a-z]+(-[a-z]+)*", kind.name)
        assert 400 <= kind.status < 600
        assert kind.meaning.endswith(".")


def test_problem_types_are_made_nowhere_else() -> None:
    source = Path(bazar.__file__).parent
    makers = [
        file.relative_to(source) for file in source.rglob("*.py") if re.search(r"\bProblemType\(", file.read_text())
    ]
    assert makers == [Path("contracts/problems.py")]


def test_what_does_not_fit_is_told_in_one_form() -> None:
    source = Path(bazar.__file__).parent
    makers = [file.relative_to(source) for file in source.rglob("*.py") if re.search(r"\berrors=\[", file.read_text())]
    assert makers == [Path("contracts/problems.py")]
