"""What the order server refuses, as types with data."""

from dataclasses import dataclass
from datetime import datetime

from bazar.order.domain.decisions import ShortLine


class OrderError(Exception):
    """Base of all that the order server refuses."""


@dataclass(eq=False)
class KeyReused(OrderError):
    """The key of this account stands for a purchase of other lines or another expected total."""

    order_id: str


@dataclass(eq=False)
class UnknownBooks(OrderError):
    """Not sold here, or no longer. Uses up no key."""

    item_numbers: tuple[int, ...]


@dataclass(eq=False)
class NotBought(OrderError):
    """Decided against the purchase; final for its key. ``position``: how far the catalog was then."""

    position: str | None


@dataclass(eq=False)
class OutOfStock(NotBought):
    """Too few copies."""

    shortages: tuple[ShortLine, ...]


@dataclass(eq=False)
class PriceChanged(NotBought):
    """The total was another than expected."""

    total_minor: int
    currency: str


@dataclass(eq=False)
class GivenUp(NotBought):
    """Recovery gave it up: nobody waited for the purchase any more."""


@dataclass(eq=False)
class UnknownOrder(OrderError):
    """Nobody who may ask has such an order."""

    order_id: str


@dataclass(eq=False)
class TooLateToCancel(OrderError):
    """The customer's time to cancel ended at ``ended_at``."""

    order_id: str
    ended_at: datetime


@dataclass(eq=False)
class AlreadyCollected(OrderError):
    """What was collected cannot be cancelled: the copies are gone, and paid."""

    order_id: str
    collected_at: datetime


@dataclass(eq=False)
class AlreadyCancelled(OrderError):
    """A cancelled order is neither made ready nor collected: its copies are back on the shelf."""

    order_id: str


@dataclass(eq=False)
class NotStuck(OrderError):
    """The order needs no hand, so nobody can settle it by hand."""

    order_id: str


@dataclass(eq=False)
class CatalogAway(OrderError):
    """The catalog gave no answer in time; whether it did what was asked is unknown."""

    detail: str


@dataclass(eq=False)
class BadCursor(OrderError):
    """The cursor is none that was given out."""

    cursor: str


@dataclass(eq=False)
class WrongCurrency(OrderError):
    """``expected_total`` is in another currency than the shop's."""

    currency: str
    of_the_shop: str
