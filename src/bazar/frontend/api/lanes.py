"""Which lane a request of the front-end takes: what needs the order server never keeps a reader from reading."""

import re

from bazar.chassis.lanes import MANY_TIMES, Lanes

_ORDERS = re.compile("(/api/v1|/staff)?/orders(/.*)?|/staff(/journal/orders)?|/api/v1/purchase/.*|/account/data")
#: The forms are pages of the catalog; what is sent from them is a purchase.
_BUYING = re.compile("/(books/[^/]+|basket)/buy")
#: All that takes a password's hash.
_SIGNING_IN = re.compile(
    "/api/v1/(tokens|accounts)|/sign-in|/register|/account/(password|delete|second-factor/confirm)|/new-password|/admin/accounts"
)
#: For each slot of another kind; they mostly wait for each other's password hashes. One address may come 30 times.
SIGN_INS_PER_SLOT = 2


def lanes(slots: int) -> Lanes:
    """``slots``: requests of one kind at work at a time; of orders, which wait and travel together, many times that."""
    at_work = {
        "reads": slots,
        "orders": MANY_TIMES * slots,
        "sign-ins": SIGN_INS_PER_SLOT * slots,
        "changes": slots,
    }
    return Lanes(at_work, _lane_of)


def _lane_of(method: str, path: str) -> str:
    """Registering is signing in; what staff changes, and signing out, are changes."""
    is_read = method in {"GET", "HEAD", "OPTIONS"}
    if _ORDERS.fullmatch(path) or (not is_read and _BUYING.fullmatch(path)):
        return "orders"
    if method == "POST" and _SIGNING_IN.fullmatch(path):
        return "sign-ins"
    return "reads" if is_read else "changes"
