"""The real code in a simulated world: whatever fails, the promises of docs/life-of-a-purchase.md hold."""

import os
import subprocess
import sys
from pathlib import Path

from simulation.batch import first_to_catch, run_many, run_one
from simulation.faults import Fault

QUICK_SEEDS = range(200)
MUTANT = "ANSWER_NOT_FROM_ROW"
SIMULATION = Path(__file__).with_name("simulate.py")


def failing_seed() -> int:
    """The lowest seed in which the mutant breaks a promise."""
    outcome = first_to_catch(MUTANT)
    assert outcome is not None
    return outcome.seed


def simulate(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    """What the command prints."""
    command = [sys.executable, str(SIMULATION), *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_promises_hold_whatever_fails() -> None:
    totals = run_many(QUICK_SEEDS, processes=1)
    assert totals.violations == {}
    assert totals.seeds == len(QUICK_SEEDS)
    assert {fault for fault in Fault if not totals.faults[fault]} == set()
    assert totals.faults.total() / totals.seeds >= 25
    assert {outcome for outcome, number in totals.decisions.items() if number} == {
        *("confirmed", "out-of-stock", "price-changed", "cancelled"),
        "orders that were cancelled",
    }


def test_a_seed_is_the_same_run_event_for_event_in_every_process() -> None:
    first, second = (simulate("--seed", "7", hash_seed=hash_seed) for hash_seed in ("1", "2"))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert run_one(7).history.digest() == run_one(7).history.digest()
    assert run_one(7).history.digest()[:16] in first.stdout
    assert run_one(8).history.digest() != run_one(7).history.digest()


def test_a_failing_seed_tells_its_history_and_how_it_ends() -> None:
    told = simulate("--seed", str(failing_seed()), "--mutant", MUTANT)
    assert told.returncode == 1, told.stderr
    events = told.stdout.split("\n\n")[0].splitlines()
    assert any("VIOLATION" in event for event in events[-3:])
    assert [int(event.split()[0]) for event in events] == list(range(1, len(events) + 1))


def test_a_batch_names_the_seeds_that_fail() -> None:
    seed = failing_seed()
    told = simulate("--seeds", f"0-{seed}", "--mutant", MUTANT, "--processes", "1")
    assert told.returncode == 1, told.stderr
    assert f"make simulate SEED={seed} MUTANT={MUTANT}" in told.stdout
