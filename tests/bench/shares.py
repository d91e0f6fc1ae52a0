"""The mixes of TPC-W: how often each of its 14 web interactions happens (TPC-W 1.8, clause 5.3.1)."""

import random
from collections.abc import Mapping
from itertools import accumulate

MIXES = ("browsing", "shopping", "ordering")
#: Per cent in the steady state, in the order of MIXES, of each interaction by its name there.
SHARES: Mapping[str, tuple[float, float, float]] = {
    "Home": (29.00, 16.00, 9.12),
    "New Products": (11.00, 5.00, 0.46),
    "Best Sellers": (11.00, 5.00, 0.46),
    "Product Detail": (21.00, 17.00, 12.35),
    "Search Request": (12.00, 20.00, 14.53),
    "Search Results": (11.00, 17.00, 13.08),
    "Shopping Cart": (2.00, 11.60, 13.53),
    "Customer Registration": (0.82, 3.00, 12.86),
    "Buy Request": (0.75, 2.60, 12.73),
    "Buy Confirm": (0.69, 1.20, 10.18),
    "Order Inquiry": (0.30, 0.75, 0.25),
    "Order Display": (0.25, 0.66, 0.22),
    "Admin Request": (0.10, 0.10, 0.12),
    "Admin Confirm": (0.09, 0.09, 0.11),
}


class Deck:
    """Draws interactions of one mix by their shares."""

    def __init__(self, mix: str, chance: random.Random) -> None:
        column = MIXES.index(mix)
        self._chance = chance
        self._names = tuple(SHARES)
        self._ends = tuple(accumulate(shares[column] for shares in SHARES.values()))

    def draw(self) -> str:
        """The next one."""
        (name,) = self._chance.choices(self._names, cum_weights=self._ends)
        return name
