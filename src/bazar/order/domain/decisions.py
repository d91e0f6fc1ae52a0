"""What the order server decides of a purchase."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How a purchase was decided. Only CONFIRMED is an order; the others are answers to a key."""

    CONFIRMED = "confirmed"
    OUT_OF_STOCK = "out-of-stock"
    PRICE_CHANGED = "price-changed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class OrderedLine:
    """So many copies of a book at the price and under the title of the hold."""

    item_number: int
    title: str
    quantity: int
    price_minor: int


@dataclass(frozen=True)
class ShortLine:
    """A book of which there were too few."""

    item_number: int
    requested: int
    available: int


@dataclass(frozen=True)
class Decision:
    """The one final answer to an idempotency key, never changed, never deleted."""

    order_id: str
    account_id: str
    purchase_hash: str
    outcome: Outcome
    decided_at: datetime
    currency: str
    lines: tuple[OrderedLine, ...] = ()
    shortages: tuple[ShortLine, ...] = ()
    #: How far the catalog was when it held the copies, so that whoever repeats the purchase sees it too.
    position: str | None = None

    @property
    def total_minor(self) -> int:
        """What the order costs, in minor units."""
        return sum(line.quantity * line.price_minor for line in self.lines)

    @property
    def message(self) -> str:
        """ "bought book <title>", of several "bought books <title>, <title>"."""
        titles = [line.title for line in self.lines]
        return f"bought book{'s' if len(titles) > 1 else ''} {', '.join(titles)}"
