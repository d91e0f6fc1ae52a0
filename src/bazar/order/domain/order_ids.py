"""What an order is known by: its id, and the hash of what is bought (ADR 0007)."""

import hmac
from base64 import b32encode
from collections.abc import Iterable
from hashlib import sha256

#: Bytes of the HMAC that make the id: 160 bits, of which no two orders share all (RFC 2104 section 5).
ORDER_ID_BYTES = 20


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
