"""Random faults at random moments; `make chaos` makes more of them."""

from pathlib import Path

import pytest

from chaos.campaign import SOON, run, schedules
from postgresql import PostgreSQL

SCHEDULES_PER_DATABASE = 50
#: Always the same: a failure comes with its number, and `make chaos` repeats it.
SEED = 1


@pytest.mark.slow
def test_no_schedule_of_random_faults_violates_an_invariant(folder: Path, postgresql: PostgreSQL) -> None:
    report = run(schedules(SEED, range(SCHEDULES_PER_DATABASE)), folder, postgresql, constants=SOON, say=print)
    print(report.summary(), report.faults())
    assert report.violations == []
    assert report.faults().total() >= 2 * SCHEDULES_PER_DATABASE
