"""What can go wrong in the shop, as types with data; the API and the pages turn them into words and statuses.

The types are not frozen: Python itself writes an exception's traceback and context.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


class ShopError(Exception):
    """Base of all that the shop refuses."""


@dataclass(eq=False)
class UnknownBook(ShopError):
    """No book that is sold here has this number. ``position``, here and below: how far the catalog was then."""

    item_numbers: tuple[int, ...]
    position: str | None = None


@dataclass(eq=False)
class UnknownOrder(ShopError):
    """The person who asks can see no such order."""


@dataclass(eq=False)
class NotBought(ShopError):
    """The purchase was decided against; final for its key.

    ``lines`` where copies were short (item_number, requested, available); ``total`` where the price had changed
    (amount, currency).
    """

    why: Literal["out-of-stock", "price-changed", "order-cancelled"]
    detail: str
    lines: tuple[Mapping[str, Any], ...] = ()
    total: Mapping[str, Any] | None = None
    position: str | None = None


@dataclass(eq=False)
class TooLateToCancel(ShopError):
    """The customer's time to cancel the order is over, or it has been collected."""

    detail: str


@dataclass(eq=False)
class CannotMove(ShopError):
    """The order was cancelled: it is neither made ready nor collected."""

    detail: str


@dataclass(eq=False)
class NotStuck(ShopError):
    """The order needs no hand."""

    detail: str


@dataclass(eq=False)
class KeyReused(ShopError):
    """The idempotency key belongs to a request for another item or with another body."""


@dataclass(eq=False)
class StockBelowZero(ShopError):
    """The change would take away more copies than there are."""

    detail: str
    position: str | None = None


@dataclass(eq=False)
class StaleVersion(ShopError):
    """The book has changed since the version that the request names."""

    detail: str
    position: str | None = None


@dataclass(eq=False)
class BadRequest(ShopError):
    """A neighbour found a field that does not fit."""

    field: str
    detail: str


@dataclass(eq=False)
class NotSignedIn(ShopError):
    """The call needs a person."""


@dataclass(eq=False)
class NotAllowed(ShopError):
    """The person's role does not include the call."""

    needed: str


@dataclass(eq=False)
class NeighbourAway(ShopError):
    """A neighbour gave no answer in time; whether it did what was asked is unknown."""

    service: str
    detail: str
