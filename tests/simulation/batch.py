"""Many runs, in several processes at once, and what they come to."""

import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache, partial

from simulation.faults import Fault
from simulation.mutants import MUTANTS
from simulation.run import Outcome, run
from simulation.shop import Disks

#: Seeds that a process takes at a time.
SEEDS_TOGETHER = 25
#: A mutant must be caught by so many seeds, from 0 on.
MOST_SEEDS_FOR_A_MUTANT = 300


@dataclass
class Totals:
    """What a batch of runs comes to."""

    seeds: int = 0
    events: int = 0
    seconds: float = 0.0
    faults: Counter[Fault] = field(default_factory=Counter)
    kill_points: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    longest_to_settle_seconds: float = 0.0
    #: Seed → the promises that were broken.
    violations: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def add(self, other: "Totals") -> None:
        """Count these runs too."""
        self.seeds += other.seeds
        self.events += other.events
        self.faults += other.faults
        self.kill_points += other.kill_points
        self.decisions += other.decisions
        self.longest_to_settle_seconds = max(self.longest_to_settle_seconds, other.longest_to_settle_seconds)
        self.violations |= other.violations


@cache
def _disks() -> Disks:
    return Disks()


def run_one(seed: int, mutant: str | None = None) -> Outcome:
    """The run of this seed, in this process."""
    disks = _disks()
    with MUTANTS[mutant].applied() if mutant is not None else nullcontext():
        return run(seed, disks)


def run_many(seeds: range, processes: int, mutant: str | None = None) -> Totals:
    """The runs of all these seeds."""
    began, totals = time.perf_counter(), Totals()
    for part in _in_parts(seeds, processes, mutant):
        totals.add(part)
    totals.seconds = time.perf_counter() - began
    return totals


def first_to_catch(mutant: str) -> Outcome | None:
    """The run of the lowest seed in which the mutant breaks a numbered promise; None where none does.

    Code that no longer fits together is no mutant: what it answers is a 500.
    """
    for seed in range(MOST_SEEDS_FOR_A_MUTANT):
        outcome = run_one(seed, mutant)
        if outcome.violations:
            return outcome if outcome.violations[0][0].isdigit() else None
    return None


def _in_parts(seeds: range, processes: int, mutant: str | None) -> Iterator[Totals]:
    parts = [seeds[first : first + SEEDS_TOGETHER] for first in range(0, len(seeds), SEEDS_TOGETHER)]
    if processes == 1:
        yield from map(partial(_run_part, mutant), parts)
        return
    # Spawned, not forked: a test process has threads.
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(partial(_run_part, mutant), parts)


def _run_part(mutant: str | None, seeds: Iterable[int]) -> Totals:
    totals = Totals()
    # A run leaves little behind, and looking for it after every few thousand objects costs a tenth of the time.
    gc.disable()
    try:
        for seed in seeds:
            outcome = run_one(seed, mutant)
            totals.seeds += 1
            totals.events += len(outcome.history)
            totals.faults += outcome.faults
            totals.kill_points += outcome.kill_points
            totals.decisions += outcome.decisions
            if outcome.violations:
                totals.violations[outcome.seed] = outcome.violations
            else:
                settled = outcome.settled_after_seconds
                totals.longest_to_settle_seconds = max(totals.longest_to_settle_seconds, settled)
    finally:
        gc.enable()
        gc.collect()
    return totals
