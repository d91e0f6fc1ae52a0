"""Header fields of the REST API, as its document tells of them."""

from collections.abc import Mapping
from typing import Any

from bazar.chassis import headers
from bazar.contracts import text

#: Header fields of requests.
PARAMETERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "IdempotencyKey": (
        "Idempotency-Key",
        {
            "required": True,
            "description": "Random, new for each purchase, the same again for a repetition: you then buy once. "
            "Send it once: two such headers are read as one key with a comma between.",
            "schema": {"type": "string", "pattern": text.IDEMPOTENCY_KEY},
        },
    ),
    "OptionalIdempotencyKey": (
        "Idempotency-Key",
        {
            "description": "With it a repetition of this change changes nothing more.",
            "schema": {"type": "string", "pattern": text.IDEMPOTENCY_KEY},
        },
    ),
    "IfMatch": (
        "If-Match",
        {
            "description": "The ETag of the version that the change is meant for (RFC 9110 section 13.1.1).",
            "schema": {"type": "string"},
            "example": '"3"',
        },
    ),
    "IfNoneMatch": (
        "If-None-Match",
        {
            "description": "The ETag that you have: 304 where it is still right (RFC 9110 section 13.1.2).",
            "schema": {"type": "string"},
            "example": '"3"',
        },
    ),
    "Position": (
        headers.POSITION,
        {
            "description": "How far you have seen the shop, from an earlier answer: this one is not older.",
            "schema": {"type": "string"},
        },
    ),
}

#: Header fields of answers; each is always there where it is named, but for Bazar-Position.
HEADERS: Mapping[str, Mapping[str, Any]] = {
    "ETag": {"description": "The version of the book, for If-Match and If-None-Match.", "required": True},
    "Location": {"description": "Where the new book is.", "required": True},
    "Retry-After": {"description": "Seconds to wait before the next try.", "required": True},
    headers.POSITION: {"description": "How far the shop was when it answered; send it back to see nothing older."},
}
