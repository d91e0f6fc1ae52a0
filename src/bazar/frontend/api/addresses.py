"""What may stand in an address of the shop; anything else is answered by 404 and what would be right."""

import re

from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter

from bazar.chassis.converters import PositiveInteger

_NUMBER = re.compile(PositiveInteger.regex)
LONGEST_QUOTED = 40


class ItemNumber(BaseConverter):
    """The number of a book: what PositiveInteger reads, but what is none gets a NotFound with the reason.

    Left to the routing, such an address would match no route, and nobody could say why; werkzeug would even
    answer 405 where the number is only too large and the address has other methods.
    """

    def to_python(self, value: str) -> int:
        if not _NUMBER.fullmatch(value) or int(value) > PositiveInteger.largest:
            raise NotFound(
                f"{value[:LONGEST_QUOTED]!r} is no item number; those are 1 to {PositiveInteger.largest}, "
                "in digits 0 to 9 without leading zeros."
            )
        return int(value)
