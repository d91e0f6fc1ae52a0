"""How far whoever asks has seen the data behind the service: ``<epoch>-<number of the change>``.

It comes with a request (header, or cookie of a page), goes along to neighbours, and no answer may be older.
"""

import re
from contextvars import ContextVar

_POSITION = re.compile(r"([0-9a-z]{1,32})-([0-9]{1,18})")

#: Of the request at hand; None where nothing readable came.
seen_position: ContextVar[str | None] = ContextVar("seen_position", default=None)


def read_position(text: str | None) -> tuple[str, int] | None:
    """(epoch, number), or None for what is no position."""
    match = _POSITION.fullmatch(text or "")
    return (match[1], int(match[2])) if match else None
