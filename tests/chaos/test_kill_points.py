"""kill -9 at every named step of the protocol, on SQLite and on PostgreSQL: nothing is lost, doubled or oversold."""

from pathlib import Path

import pytest

from chaos.campaign import DATABASES, SOON, Report, kill_points, run
from chaos.ordeal import SETTLE_SECONDS, START_POINTS
from chaos.points import POINTS
from postgresql import PostgreSQL

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(folder: Path, postgresql: PostgreSQL) -> Report:
    """The whole table, on each database."""
    return run(kill_points(), folder, postgresql, constants=SOON, start_points=START_POINTS, say=print)


def test_no_kill_violates_an_invariant(report: Report) -> None:
    assert report.violations == []


@pytest.mark.parametrize("database", DATABASES)
def test_a_process_died_at_every_point_of_the_table(report: Report, database: str) -> None:
    started = {point.name for point in START_POINTS}
    struck = started & {result.name for result in report.results[database]}  # those not struck are violations
    for result in report.results[database]:
        struck |= {point.name for point in POINTS if result.faults[f"SIGKILL worker at {point.name}"]}
    assert {point.name for point in POINTS} - struck == set()


def test_everything_settles_within_a_minute_of_the_last_fault(report: Report) -> None:
    print(report.summary())
    assert 0 < report.longest_settle_seconds <= SETTLE_SECONDS
