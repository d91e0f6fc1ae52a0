"""The header Idempotency-Key (after the IETF draft of that name): who repeats a request says so."""

import re

from flask import request

from bazar.contracts.text import IDEMPOTENCY_KEY

_KEY = re.compile(IDEMPOTENCY_KEY)


class BadIdempotencyKey(Exception):
    """The key is missing, empty, too long, or has other characters than visible ASCII."""


def idempotency_key() -> str:
    """The key of the request; raises BadIdempotencyKey."""
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise BadIdempotencyKey
    return key
