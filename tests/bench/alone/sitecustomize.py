"""Read by each process of a shop that has this folder on its PYTHONPATH: no purchase travels or commits with another.

Each is a round of its own, as many at a time as a neighbour works on, so that none is refused.
"""

import sys

SLOTS = 16

if {"frontend", "order"} & set(sys.orig_argv):
    from bazar.chassis.gather import Gather

    Gather.__init__.__kwdefaults__.update(most_together=1, lanes=SLOTS)  # type: ignore[union-attr]  # there are defaults
