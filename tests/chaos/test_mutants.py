"""The checks fail where the product is wrong: each mutant is caught, by what ought to catch it."""

import re
from pathlib import Path

import pytest

from chaos.campaign import SOON
from chaos.faults import kill_at
from chaos.ordeal import opened
from chaos.points import POINTS

pytestmark = pytest.mark.slow

MOST_ROUNDS = 6
#: What a mutant never settles is not waited for as long as the product may take.
SETTLE_SECONDS = 12.0
KILLED_AT = ("order: the purchases have arrived", "order: decision: the settle loop knows")

#: Mutant → what one of the violations says.
CAUGHT_BY = {
    "sells without taking": r"!= \d+ taken in",
    "forgets decisions": "different final answers|nothing is decided|its decision",
    "answers before the commit": "different final answers|nothing is decided|its decision",
    "never recovers": "not settled 12 s after the last fault",
    "random order ids": "different final answers",
    "sees too few copies": "is not linearizable",
    "puts back twice": r"!= \d+ taken in",
    "any basket for a key": "different final answers|asked for",
}


@pytest.mark.parametrize("mutant", CAUGHT_BY)
def test_a_mutant_is_caught(tmp_path: Path, mutant: str) -> None:
    by_name = {point.name: point for point in POINTS}
    with opened(tmp_path, constants=SOON, mutant=mutant, settle_seconds=SETTLE_SECONDS) as ordeal:
        found: list[str] = []
        for number in range(MOST_ROUNDS):
            if any(re.search(CAUGHT_BY[mutant], wrong) for wrong in found):
                break
            point = by_name[KILLED_AT[number % len(KILLED_AT)]]
            found += ordeal.round(f"round {number}", kill_at(point)).violations
        else:
            raise AssertionError(f"{mutant} survived: {found}")
