"""Whether the books of a store balance: its own data beside what its buyers were told."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from demo.crowd import Reply


@dataclass(frozen=True)
class Tally:
    """What one store did with its copies. ``repetitions``: how often a buyer had to ask again."""

    copies: int
    buyers: int
    orders: Counter[str]  # by buyer
    stock: int
    told: Mapping[str, Reply]
    repetitions: int = 0
    seconds: float = 0.0

    @property
    def bought(self) -> set[str]:
        """Who was told that the copy is theirs."""
        return {buyer for buyer, reply in self.told.items() if reply is Reply.BOUGHT}

    @property
    def oversold(self) -> int:
        """Orders beyond the copies that there were."""
        return max(0, self.orders.total() - self.copies)

    @property
    def lost(self) -> int:
        """Buyers who were told that they bought a copy, without an order in the ledger."""
        return len(self.bought - self.orders.keys())

    @property
    def doubled(self) -> int:
        """Orders beyond the first of one buyer."""
        return self.orders.total() - len(self.orders)

    @property
    def unknown(self) -> int:
        """Buyers who have an order and were not told so."""
        return len(self.orders.keys() - self.bought)

    @property
    def turned_away(self) -> int:
        """Buyers who were told that it is sold out, and for whom there is a copy in the end."""
        return min(max(0, self.stock), len(self.told) - len(self.bought))

    @property
    def unanswered(self) -> int:
        """Buyers who gave up."""
        return self.buyers - len(self.told)

    @property
    def faults(self) -> int:
        """All of the above, and copies that are neither sold nor there."""
        adrift = abs(self.copies - self.orders.total() - self.stock)
        return self.oversold + self.lost + self.doubled + self.unknown + self.turned_away + self.unanswered + adrift
