"""What is done wrong is seen by the simulation within 300 seeds; all mutants: ``make simulate-mutants``."""

import pytest

from simulation.batch import first_to_catch, run_one

QUICK = ("HOLD_NOT_IDEMPOTENT", "STOCK_NOT_CHECKED", "ANSWER_NOT_FROM_ROW", "NO_SWEEP", "MARKED_TOO_SOON")


@pytest.mark.parametrize("name", QUICK)
def test_what_is_done_wrong_is_seen(name: str) -> None:
    assert first_to_catch(name) is not None


def test_a_mutant_is_gone_when_its_run_is_over() -> None:
    before = run_one(3).history.digest()
    for name in QUICK:
        run_one(3, name)
    assert run_one(3).history.digest() == before
