"""The table of kill points names what the product has, each once."""

import functools
import importlib
from collections import Counter
from collections.abc import Callable

import pytest

from chaos.points import CATALOG, FRONTEND, ORDER, POINTS, Point


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_a_point_names_a_function_of_the_product(point: Point) -> None:
    found = functools.reduce(getattr, point.function.split("."), importlib.import_module(point.module))
    assert isinstance(found, Callable)  # type: ignore[arg-type]  # an abstract class


def test_no_two_points_have_one_name() -> None:
    assert [name for name, count in Counter(point.name for point in POINTS).items() if count > 1] == []


def test_each_server_has_points() -> None:
    assert {point.service for point in POINTS} == {FRONTEND, ORDER, CATALOG}
