"""A bookseller's form that changed nothing: why, with what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flask import Response, make_response, render_template, request

from bazar.chassis.web import RETRY_AFTER_SECONDS
from bazar.contracts import problems
from bazar.frontend.domain.errors import BadRequest, KeyReused, StockBelowZero
from bazar.frontend.pages.notices import SameAgain
from bazar.frontend.pages.sessions import FORM_TOKEN_FIELD
from bazar.frontend.pages.staff.doubts import Doubt, NotSure
from bazar.frontend.pages.staff.fields import Mistakes, new_key

#: Fields of the catalog's contract by the name that they have in a form.
_FIELD_OF = {"stock_change": "stock"}


@dataclass(frozen=True)
class Difference:
    """A field that somebody else has changed since the form was made."""

    field: str
    was: str
    now: str


class ChangedMeanwhile(Exception):
    """Somebody else was faster."""

    def __init__(self, differences: tuple[Difference, ...]) -> None:
        super().__init__(differences)
        self.differences = differences


@dataclass(frozen=True)
class Sent:
    """The form as it was sent; ``form`` is its name, ``why`` has its words in the template.

    ``key`` is that of the form to be sent next: as long as nothing was done under the old one, it stays.
    """

    form: str
    why: Literal["invalid", "changed", "key-reused", "stale-form", "not-sure"]
    status: int
    key: str
    typed: Mapping[str, str]
    mistakes: Mapping[str, str] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def sure(self) -> str:
        """For the hidden field of the form, once its sender has read what is doubted."""
        return " ".join(doubt.mark for doubt in self.doubts)


#: What a change can end in, other than done or unknown.
REFUSALS = (Mistakes, BadRequest, StockBelowZero, ChangedMeanwhile, KeyReused, NotSure)


def refused(
    form: str, error: Mistakes | BadRequest | StockBelowZero | ChangedMeanwhile | KeyReused | NotSure, key: str
) -> Sent:
    """What to say of the form of this request, where sending it raised this."""
    match error:
        case ChangedMeanwhile():
            status = problems.PRECONDITION_FAILED.status
            return Sent(form, "changed", status, key, request.form, differences=error.differences)
        case KeyReused():
            return Sent(form, "key-reused", problems.KEY_REUSED.status, new_key(), request.form)
        case NotSure():
            return Sent(form, "not-sure", problems.INVALID.status, key, request.form, doubts=error.doubts)
        case StockBelowZero():
            status, mistakes = problems.STOCK_BELOW_ZERO.status, {"stock": error.detail}
        case BadRequest():
            name = error.field.removeprefix("change.").removeprefix("book.").partition(".")[0]
            status, mistakes = problems.INVALID.status, {_FIELD_OF.get(name, name): error.detail}
        case Mistakes():
            status, mistakes = problems.INVALID.status, dict(error.by_field)
    return Sent(form, "invalid", status, key, request.form, mistakes)


def unreadable(form: str) -> Sent:
    """The fields that the page itself had put into the form are not as it had made them."""
    return Sent(form, "stale-form", problems.INVALID.status, new_key(), request.form)


def ask_again(action: str, item_number: int | None = None) -> Response:
    """No answer came: the form once more as it was, under its key, so that it changes once."""
    fields = {name: value for name, value in request.form.items() if name != FORM_TOKEN_FIELD}
    page = render_template("staff_again.html", again=SameAgain(action, fields), item_number=item_number)
    response = make_response(page, problems.UNAVAILABLE.status)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
