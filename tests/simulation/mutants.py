"""What is done wrong on purpose: each mutant is one small change of the real code, made for the length of a run.

A check that has never failed proves nothing. Names are those of tests/model where the model has the same mutant.
"""

from collections.abc import Mapping

from simulation.catalog_mutants import CATALOG_MUTANTS
from simulation.front_end_mutants import FRONT_END_MUTANTS
from simulation.mutant import Mutant
from simulation.order_mutants import ORDER_MUTANTS

MUTANTS: Mapping[str, Mutant] = {**CATALOG_MUTANTS, **ORDER_MUTANTS, **FRONT_END_MUTANTS}
