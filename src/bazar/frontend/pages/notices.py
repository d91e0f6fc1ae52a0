"""What is said of a purchase that gave no order; the templates have the words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flask import Response, make_response

from bazar.chassis.web import RETRY_AFTER_SECONDS
from bazar.contracts import problems
from bazar.frontend.domain.errors import KeyReused, NeighbourAway, NotBought, UnknownBook


@dataclass(frozen=True)
class Shortage:
    """A book of which there were too few copies."""

    item_number: int
    requested: int
    available: int


@dataclass(frozen=True)
class SameAgain:
    """The form that was sent, to be sent once more as it was: under its key it is one purchase."""

    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Notice:
    """``why`` beyond those of NotBought: ``invalid`` (the form), ``full`` (the basket), ``not-sold`` (a book),
    ``key-reused``, ``other-numbers`` (than the sum was shown for), ``unknown`` (no answer in time; then ``again``
    asks for it).
    """

    why: Literal[
        "out-of-stock",
        "price-changed",
        "order-cancelled",
        "invalid",
        "full",
        "not-sold",
        "key-reused",
        "other-numbers",
        "unknown",
    ]
    status: int
    shortages: tuple[Shortage, ...] = field(default=())
    again: SameAgain | None = None


INVALID = Notice("invalid", problems.INVALID.status)
FULL = Notice("full", problems.INVALID.status)
OTHER_NUMBERS = Notice("other-numbers", problems.PRICE_CHANGED.status)


def notice_of(error: NotBought | KeyReused | NeighbourAway | UnknownBook, again: SameAgain) -> Notice:
    """What to say where a purchase raised this."""
    if isinstance(error, NeighbourAway):
        return Notice("unknown", problems.UNAVAILABLE.status, again=again)
    if isinstance(error, KeyReused):
        return Notice("key-reused", problems.KEY_REUSED.status)
    if isinstance(error, UnknownBook):
        return Notice("not-sold", problems.NOT_FOUND.status)
    shortages = (
        Shortage(int(line["item_number"]), int(line["requested"]), int(line["available"])) for line in error.lines
    )
    return Notice(error.why, problems.OUT_OF_STOCK.status, shortages=tuple(shortages))


def answer_with(page: str, notice: Notice) -> Response:
    """The page with the notice on it, as an answer."""
    response = make_response(page, notice.status)
    response.headers["Cache-Control"] = "no-store"
    if notice.status == problems.UNAVAILABLE.status:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
