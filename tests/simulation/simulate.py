"""Runs the simulation of the real code: many seeds, one seed with its history, or what is done wrong on purpose.

python tests/simulation/simulate.py --seeds 0-9999          the runs of these seeds
python tests/simulation/simulate.py --seed 123              one run, event by event
python tests/simulation/simulate.py --mutant NO_TOMBSTONE   until the mutant is caught, with the history of that run
python tests/simulation/simulate.py --mutants               the table of mutants and what catches each
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # where the folders simulation and model stand

from model.purchase_scenarios import MUTANTS as MODEL_MUTANTS
from simulation.batch import MOST_SEEDS_FOR_A_MUTANT, Totals, first_to_catch, run_many, run_one
from simulation.mutants import MUTANTS
from simulation.run import Outcome

MOST_SHOWN = 10


def main() -> int:
    """Print what was asked for; the exit status is 1 where a promise is broken, or a mutant is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seeds", type=_seeds, help="from-to, both included")
    what.add_argument("--seed", type=int)
    what.add_argument("--mutants", action="store_true")
    parser.add_argument("--mutant", choices=MUTANTS)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    chosen = parser.parse_args()
    if chosen.mutants:
        return 0 if _show_mutants() else 1
    if chosen.seed is not None:
        return _show_run(run_one(chosen.seed, chosen.mutant))
    totals = run_many(chosen.seeds, chosen.processes, chosen.mutant)
    _show_totals(totals, chosen.mutant)
    return 1 if totals.violations else 0


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _show_run(outcome: Outcome) -> int:
    for line in outcome.history.lines():
        print(line)
    print(f"\nseed {outcome.seed}: {len(outcome.history)} events, {outcome.faults.total()} faults", end=", ")
    print(f"history {outcome.history.digest()[:16]}")
    return 1 if outcome.violations else 0


def _show_totals(totals: Totals, mutant: str | None) -> None:
    each = f"{totals.faults.total() / totals.seeds:.1f} faults and {totals.events / totals.seeds:.0f} events a run"
    print(f"{totals.seeds:,} seeds in {totals.seconds:.0f} s ({totals.seeds / totals.seconds:.0f} a second), {each}")
    _show_counts("faults", {str(fault): number for fault, number in totals.faults.items()})
    _show_counts("processes killed", totals.kill_points)
    _show_counts("decided", totals.decisions)
    print(f"\nlongest time to settle after the last fault: {totals.longest_to_settle_seconds:.1f} s (simulated)")
    for seed, violations in sorted(totals.violations.items())[:MOST_SHOWN]:
        again = f"make simulate SEED={seed}" + (f" MUTANT={mutant}" if mutant else "")
        print(f"\nseed {seed} ({again}):\n  " + "\n  ".join(violations))
    print(f"violations: {len(totals.violations)}")


def _show_counts(title: str, counts: Mapping[str, int]) -> None:
    print(f"\n{title}: {sum(counts.values()):,}")
    for name, number in sorted(counts.items(), key=lambda count: -count[1]):
        print(f"{number:>9,}  {name}")


def _show_mutants() -> bool:
    print("| mutant | what is done wrong | caught by seed | by invariant | by the model |")
    print("|---|---|---|---|---|")
    missed = 0
    for name, mutant in MUTANTS.items():
        outcome = first_to_catch(name)
        by_model = "yes" if name in MODEL_MUTANTS else "not in it"
        if outcome is None:
            missed += 1
            seed, invariant = f"none of {MOST_SEEDS_FOR_A_MUTANT}", "-"
        else:
            seed, invariant = str(outcome.seed), outcome.violations[0].partition(":")[0]
        print(f"| `{name}` | {mutant.says} | {seed} | {invariant} | {by_model} |", flush=True)
    print(f"\nmutants caught: {len(MUTANTS) - missed} of {len(MUTANTS)}")
    return not missed


if __name__ == "__main__":
    sys.exit(main())
