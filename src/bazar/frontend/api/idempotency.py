"""The header Idempotency-Key (after the IETF draft of that name): who repeats a request says so."""

import re

from flask import request

from bazar.contracts.text import IDEMPOTENCY_KEY

_KEY = re.compile(IDEMPOTENCY_KEY)


class BadIdempotencyKey(Exception):
    """The key is missing, empty, too long, or has other characters than visible ASCII."""


def idempotency_key() -> str:
    """The key of the request; raises BadIdempotencyKey."""
    keys = request.headers.getlist("Idempotency-Key")
    if len(keys) != 1 or not _KEY.fullmatch(key := keys[0]):
        raise BadIdempotencyKey
    return key
