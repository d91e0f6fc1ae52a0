"""Read by each process of a shop that has this folder on its PYTHONPATH: its catalog reads the stock, then writes.

Holds are asked for side by side, as by several order servers: one alone asks for the next when it has the answer.
"""

import sys

SIDE_BY_SIDE = 8

if {"frontend", "order"} & set(sys.orig_argv):
    from bazar.chassis.gather import Gather

    Gather.__init__.__kwdefaults__["lanes"] = SIDE_BY_SIDE  # type: ignore[index]  # there are defaults

if "catalog" in sys.orig_argv:
    import bazar.catalog.storage.store
    from bazar.catalog.use_cases.hold_copies import HoldCopies
    from bazar.contracts.purchasing import HoldAnswers, HoldBatch
    from read_then_write import ReadThenWriteStore

    hold_copies = HoldCopies.hold

    def hold(self: HoldCopies, batch: HoldBatch) -> tuple[HoldAnswers, str]:
        """The first hold begins the sale."""
        self._store.mutated = True  # type: ignore[attr-defined]  # the store below
        return hold_copies(self, batch)

    HoldCopies.hold = hold  # type: ignore[method-assign]  # on purpose
    bazar.catalog.storage.store.CatalogStore = ReadThenWriteStore  # type: ignore[misc]  # on purpose
