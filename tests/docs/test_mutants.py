"""The tables of mutants in docs/reliability.md name all that there are, and what the model has of them."""

import re
from pathlib import Path

from model.purchase_scenarios import MUTANTS as MODEL_MUTANTS
from simulation.mutants import MUTANTS

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| \d+ \| \d \| (yes|not in it) \|$", re.MULTILINE)


def test_the_table_of_the_simulation_has_each_mutant_caught() -> None:
    assert ROW.findall(PAGE.read_text(encoding="utf-8")) == [
        (name, mutant.says, "yes" if name in MODEL_MUTANTS else "not in it") for name, mutant in MUTANTS.items()
    ]
