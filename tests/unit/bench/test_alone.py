"""The shop without batching, beside which the batches are measured: what its processes read makes rounds of one."""

import os
import subprocess
import sys

import pytest

from bench.shapes import ALONE

ROUNDS = """
from bazar.chassis.clock import Deadline
from bazar.chassis.gather import Gather

rounds = []

def carry_out(items, deadline):
    rounds.append(len(items))
    return items

gather = Gather("purchases", carry_out)
waiting = [gather._enter(number, Deadline.after(30)) for number in range(8)]
gather.start()
for asked in waiting:
    asked.outcome.result(30)
print(max(rounds))
"""


@pytest.mark.parametrize(
    ("service", "folder", "most_together"), [("order", ALONE, 1), ("frontend", ALONE, 1), ("order", "", 8)]
)
def test_purchases_go_alone_where_the_folder_is_read(service: str, folder: str, most_together: int) -> None:
    found = subprocess.run(
        [sys.executable, "-c", ROUNDS, service],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert int(found.stdout.splitlines()[-1]) == most_together
