"""Whatever is done wrong, the simulation sees it within 300 seeds."""

import pytest

from simulation.batch import first_to_catch, run_one
from simulation.mutants import MUTANTS

QUICK = ("HOLD_NOT_IDEMPOTENT", "STOCK_NOT_CHECKED", "ANSWER_NOT_FROM_ROW", "NO_SWEEP", "MARKED_TOO_SOON")
OTHERS = tuple(name for name in MUTANTS if name not in QUICK)


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)])
def test_what_is_done_wrong_is_seen(name: str) -> None:
    assert first_to_catch(name) is not None


def test_a_mutant_is_gone_when_its_run_is_over() -> None:
    before = run_one(3).history.digest()
    for name in QUICK:
        run_one(3, name)
    assert run_one(3).history.digest() == before
