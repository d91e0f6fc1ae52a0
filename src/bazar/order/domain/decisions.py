"""What the order server decides of a purchase, and from what (DESIGN section 5)."""

import hmac
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

#: Bytes of the HMAC that make the id: 160 bits, of which no two orders share all (RFC 2104 section 5).
ORDER_ID_BYTES = 20


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

    @property
    def total_minor(self) -> int:
        """What the order costs, in minor units."""
        return sum(line.quantity * line.price_minor for line in self.lines)

    @property
    def message(self) -> str:
        """ "bought book <title>", of several "bought books <title>, <title>"."""
        titles = [line.title for line in self.lines]
        return f"bought book{'s' if len(titles) > 1 else ''} {', '.join(titles)}"


def order_id_of(account_id: str, idempotency_key: str, secret: bytes) -> str:
    """The id of the order that this key of this account stands for: a retry finds it without a lookup.

    HMAC-SHA-256 over both, each with its length, cut to 160 bits; 32 characters a-z, 2-7.
    """
    parts = (account_id.encode(), idempotency_key.encode())
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    digest = hmac.digest(secret, message, "sha256")
    return b32encode(digest[:ORDER_ID_BYTES]).decode().lower()


def purchase_hash_of(lines: Iterable[tuple[int, int]], expected_total: tuple[int, str] | None) -> str:
    """SHA-256 over what is bought: (item number, copies) summed and sorted, and the (amount, currency) expected."""
    text = ";".join(f"{item_number}:{quantity}" for item_number, quantity in lines)
    if expected_total is not None:
        text += f"|{expected_total[0]} {expected_total[1]}"
    return sha256(text.encode()).hexdigest()
