"""Which lane a request of the front-end takes: what needs the order server never keeps a reader from reading."""

import re

from bazar.chassis.lanes import MANY_TIMES, Lanes

_ORDERS = re.compile("(/api/v1)?/orders(/.*)?|/api/v1/purchase/.*")
#: The forms are pages of the catalog; what is sent from them is a purchase.
_BUYING = re.compile("/(books/[^/]+|basket)/buy")


def lanes(slots: int) -> Lanes:
    """``slots``: requests of one kind at work at a time; of orders, which wait and travel together, many times that."""
    return Lanes({"reads": slots, "orders": MANY_TIMES * slots, "changes": slots}, _lane_of)


def _lane_of(method: str, path: str) -> str:
    """Signing in, and what staff changes, are changes."""
    is_read = method in {"GET", "HEAD", "OPTIONS"}
    if _ORDERS.fullmatch(path) or (not is_read and _BUYING.fullmatch(path)):
        return "orders"
    return "reads" if is_read else "changes"
