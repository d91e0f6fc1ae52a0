"""Hold what ``mutmut run`` let live against tests that take longer, and say what no test notices.

    .venv/bin/python tests/mutation/second_look.py [--stages services simulation postgresql] [PATTERN ...]

Works on the folder mutants/ that mutmut leaves behind. Each change goes from stage to stage until one notices it.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import pytest

MUTANTS = Path(__file__).parents[2] / "mutants"
#: Cheap ones first. What they select is named as on pytest's command line.
STAGES = {
    "services": [
        *("tests/component/test_counter_over_services.py", "tests/component/test_staff_books_over_services.py"),
        *("tests/component/test_positions.py", "tests/component/test_bad_input.py"),
    ],
    "simulation": ["tests/simulation/test_simulation.py::test_promises_hold_whatever_fails"],
    "postgresql": [
        *("tests/integration/order", "tests/integration/catalog", "tests/integration/test_last_copy.py"),
        *("-k", "postgresql"),
    ],
}
#: A change that makes for a loop without end is noticed too.
STAGE_SECONDS = 300
PYTEST = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow"]
LIVES = "no test"


def let_live(patterns: Sequence[str]) -> Iterator[str]:
    """Names of changes that survived or that none of the selected tests reached."""
    told = subprocess.run(
        [Path(sys.executable).with_name("mutmut"), "results"],
        cwd=MUTANTS.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    for line in told.stdout.splitlines():
        name, _, status = line.strip().partition(": ")
        if status in ("survived", "no tests") and any(fnmatch(name, pattern) for pattern in patterns):
            yield name


def passes(stage: str, mutant: str) -> bool:
    """Whether the tests of the stage notice nothing."""
    environment = {**os.environ, "MUTANT_UNDER_TEST": mutant, "PYTHONPATH": str(MUTANTS / "src")}
    try:
        done = subprocess.run(
            [*PYTEST, *STAGES[stage]],
            cwd=MUTANTS,
            env=environment,
            capture_output=True,
            text=True,
            timeout=STAGE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    if done.returncode in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode == pytest.ExitCode.OK


def noticed_by(stages: Sequence[str], mutant: str) -> str:
    """The first stage that notices the change, or LIVES."""
    return next((stage for stage in stages if not passes(stage, mutant)), LIVES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*", default=["*"], metavar="PATTERN")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--children", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    for stage in asked.stages:
        if not passes(stage, ""):
            sys.exit(f"{stage}: its tests fail without any change")
    mutants = list(let_live(asked.patterns))
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(asked.children) as threads:
        for mutant, by in zip(mutants, threads.map(partial(noticed_by, asked.stages), mutants), strict=True):
            counts[by] += 1
            print(f"{mutant}: {by}", flush=True)
    print(", ".join(f"{by}: {count}" for by, count in counts.most_common()))


if __name__ == "__main__":
    main()
