"""What may stand in an address of the shop; anything else is answered by 404 and what would be right.

Left to the routing, an address with a bad number would match no route: nobody could say why, and whoever may not call
at all would hear 404 before 401. So the converters take any text, and what is none is refused after the access rules.
"""

import re
from dataclasses import dataclass

from flask import Flask, request
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter

from bazar.chassis.converters import Base32Id, PositiveInteger

_NUMBER = re.compile(PositiveInteger.regex)
_ORDER_ID = re.compile(Base32Id.regex)
LONGEST_QUOTED = 40


@dataclass(frozen=True)
class Misread:
    """Stands for a part of the address that is none; ``reason`` is for whoever asked."""

    reason: str


class ItemNumber(BaseConverter):
    """The number of a book."""

    def to_python(self, value: str) -> int | Misread:
        if _NUMBER.fullmatch(value) and int(value) <= PositiveInteger.largest:
            return int(value)
        return Misread(
            f"{value[:LONGEST_QUOTED]!r} is no item number; those are 1 to {PositiveInteger.largest}, "
            "in digits 0 to 9 without leading zeros."
        )


class OrderId(BaseConverter):
    """The id of an order."""

    def to_python(self, value: str) -> str | Misread:
        if _ORDER_ID.fullmatch(value):
            return value
        return Misread(f"{value[:LONGEST_QUOTED]!r} is no order's id; those are 32 letters a to z and digits 2 to 7.")


def refuse_misread(app: Flask) -> None:
    """404 for such addresses, after all that was registered before; a view never meets a Misread."""

    def check() -> None:
        for value in (request.view_args or {}).values():
            if isinstance(value, Misread):
                raise NotFound(value.reason)

    app.before_request(check)
