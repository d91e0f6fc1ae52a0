"""Processes stand still beyond every deadline and go on; masters and ``bazar up`` are killed."""

from pathlib import Path

import pytest

from chaos.campaign import run, stops_and_masters
from postgresql import PostgreSQL


@pytest.mark.slow
def test_no_stop_and_no_dead_master_violates_an_invariant(folder: Path, postgresql: PostgreSQL) -> None:
    report = run(stops_and_masters(), folder, postgresql, say=print)
    print(report.summary())
    assert report.violations == []
