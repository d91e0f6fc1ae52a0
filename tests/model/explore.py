"""Has Spin visit every state of purchase_protocol.pml in each scenario, and has it catch each mutant.

No state is left out: a full search, without partial-order reduction, without bit-state hashing. It needs spin and gcc
(Debian: ``apt-get install spin gcc``) and writes below a temporary folder only.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # where the folder model stands

from model.purchase_scenarios import MUTANTS, SCENARIOS, Scenario

MODEL = Path(__file__).with_name("purchase_protocol.pml")
MOST_MEMORY_MB = 8_000
#: Steps from the start to the state that is farthest from it on some path; where it is too few, Spin says so.
DEEPEST = 100_000
#: A search that has lost states, or has not ended, says one of these.
_INCOMPLETE = ("Search not completed", "max search depth too small")
#: From 10**8 on Spin writes numbers with eight digits and an exponent.
_STATES = re.compile(r"^\s*([\d.e+]+) states, stored", re.MULTILINE)
_TRANSITIONS = re.compile(r"^\s*([\d.e+]+) transitions", re.MULTILINE)


class SpinMissing(Exception):
    """A program that the search needs is not installed."""


class SearchFailed(Exception):
    """The model does not compile, or not every state could be visited."""


@dataclass(frozen=True)
class Search:
    """How much was visited, and the shortest history that breaks a promise (empty: there is none)."""

    states: int
    transitions: int
    seconds: float
    history: tuple[str, ...] = ()


def explore(scenario: Scenario) -> Search:
    """Visit every state of the scenario. Raises SpinMissing, SearchFailed."""
    with _workshop(scenario, "NONE", scratch="hidden") as folder:
        found, broken = _search(folder, ["-O2"], [f"-m{DEEPEST}"])
    return hunt(scenario, "NONE") if broken else found


def hunt(scenario: Scenario, mutant: str) -> Search:
    """Visit the states in the order of their distance from the start, until a promise is broken.

    Raises SpinMissing, SearchFailed.
    """
    # Breadth first, Spin keeps nothing outside its states, so what steps compute with becomes a part of them.
    with _workshop(scenario, mutant, scratch="") as folder:
        found, broken = _search(folder, ["-O1", "-DBFS"], [])
        if not broken:
            return found
        told = _run(folder, ["spin", "-t", "-B", "-T", MODEL.name]).splitlines()
    return replace(found, history=tuple(line.strip() for line in told if line.strip() and "spin:" not in line))


def _search(folder: Path, compiling: Sequence[str], searching: Sequence[str]) -> tuple[Search, bool]:
    """What was visited, and whether a promise was broken."""
    whole = ("-DSAFETY", "-DNOREDUCE", f"-DMEMLIM={MOST_MEMORY_MB}")
    began = time.perf_counter()
    _run(folder, ["spin", "-a", MODEL.name])
    _run(folder, ["gcc", "-w", *whole, *compiling, "-o", "pan", "pan.c"])
    said = _run(folder, ["./pan", *searching])
    seconds = time.perf_counter() - began
    states, transitions, broken = _STATES.search(said), _TRANSITIONS.search(said), "errors: 0" not in said
    if states is None or transitions is None or (not broken and any(words in said for words in _INCOMPLETE)):
        raise SearchFailed(said)
    return Search(int(float(states[1])), int(float(transitions[1])), seconds), broken


def _run(folder: Path, command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as missing:
        raise SpinMissing(f"{command[0]} is not installed (Debian: apt-get install spin gcc)") from missing
    if done.returncode:
        raise SearchFailed(done.stdout + done.stderr)
    return done.stdout + done.stderr


@contextmanager
def _workshop(scenario: Scenario, mutant: str, scratch: str) -> Iterator[Path]:
    """A folder with the model and what it includes."""
    with tempfile.TemporaryDirectory(prefix="bazar-model-") as name:
        folder = Path(name)
        shutil.copy(MODEL, folder)
        (folder / "scenario.h").write_text(_header(scenario, mutant, scratch))
        yield folder


def _header(scenario: Scenario, mutant: str, scratch: str) -> str:
    keys, books = range(scenario.keys), range(len(scenario.stock))
    numbers = {name: number for number, name in enumerate(("NONE", *MUTANTS))}
    copies = "0"
    for (key, body), of_book in scenario.lines.items():
        for book, number in enumerate(of_book):
            if number:
                copies = f"((k) == {key} && (b) == {body} && (n) == {book} -> {number} : {copies})"
    stock = "0"
    for book, number in enumerate(scenario.stock):
        stock = f"((n) == {book} -> {number} : {stock})"
    run = [f"Request({number}, {key}, {body})" for number, (key, body) in enumerate(scenario.requests)]
    run += [f"Catalog({key}, {body})" for key, body in sorted(set(scenario.requests))]
    run += [f"Sweeper({sweeper}, {key})" for sweeper in range(scenario.sweepers) for key in keys]
    run += [f"Cancellation({key})" for key in keys if scenario.cancels]
    defined = {
        **numbers,
        "MUTANT": numbers[mutant],
        "SCRATCH": scratch,
        "KEYS": len(keys),
        "BOOKS": len(books),
        "REQUESTS": len(scenario.requests),
        "SWEEPERS": scenario.sweepers,
        "DECLINES": int(scenario.declines),
        "TAKEN_IN": scenario.taken_in,
        "TAKEN_OUT": scenario.taken_out,
        "WITHDRAWS": int(scenario.withdraws),
        "GIVEN_UP": int(scenario.given_up),
        "MAY_BE_STUCK": int(scenario.may_be_stuck),
        "INITIAL(n)": stock,
        "COPIES(k, b, n)": copies,
        "EACH_KEY(p)": " && ".join(f"p({key})" for key in keys),
        "EACH_BOOK(p)": " && ".join(f"p({book})" for book in books),
        "SUM_OVER_KEYS(p, n)": "(" + " + ".join(f"p({key}, n)" for key in keys) + ")",
        "START": " ".join(f"run {process};" for process in (*run, "World()")),
    }
    return "".join(f"#define {name} {value}\n" for name, value in defined.items())


def _print_scenarios(names: Sequence[str]) -> bool:
    row = "{:<14}{:>12,}{:>15,}{:>9.1f}  {}"
    print("{:<14}{:>12}{:>15}{:>9}  {}".format("scenario", "states", "transitions", "seconds", "what is in it"))
    found = []
    for name in names:
        search = explore(SCENARIOS[name])
        print(row.format(name, search.states, search.transitions, search.seconds, SCENARIOS[name].says), flush=True)
        _print_history(search)
        found.append(search)
    sums = (sum(f.states for f in found), sum(f.transitions for f in found), sum(f.seconds for f in found))
    broken = sum(bool(search.history) for search in found)
    print(row.format("in sum", *sums, "all promises hold" if not broken else f"BROKEN in {broken} of {len(found)}"))
    return not broken


def _print_mutants(names: Sequence[str]) -> bool:
    missed = 0
    for name in names:
        mutant = MUTANTS[name]
        search = hunt(SCENARIOS[mutant.scenario].smaller(), name)
        missed += not search.history
        print(f"\n{name}: {mutant.says} ({mutant.scenario}){'' if search.history else ': NOT CAUGHT'}")
        _print_history(search)
    print(f"\nmutants caught: {len(names) - missed} of {len(names)}")
    return not missed


def _print_history(search: Search) -> None:
    for number, line in enumerate(search.history, 1):
        print(f"  {number:>3}  {line}", flush=True)


def main() -> int:
    """Print what was asked for; the answer is the exit status: 1 where a promise is broken or a mutant is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join((*SCENARIOS, *MUTANTS))} (default: all of them)")
    chosen = parser.parse_args().names
    if unknown := set(chosen) - SCENARIOS.keys() - MUTANTS.keys():
        parser.error(f"not known: {', '.join(sorted(unknown))}")
    scenarios = [name for name in SCENARIOS if not chosen or name in chosen]
    mutants = [name for name in MUTANTS if not chosen or name in chosen]
    try:
        held = not scenarios or _print_scenarios(scenarios)
        caught = not mutants or _print_mutants(mutants)
    except SpinMissing as missing:
        parser.exit(2, f"{missing}\n")
    return 0 if held and caught else 1


if __name__ == "__main__":
    sys.exit(main())
