"""What booksellers type, read field by field: all mistakes are told at once, each beside its field."""

import re
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

from msgspec import Meta

from bazar.contracts import text
from bazar.contracts.amounts import amount_text
from bazar.contracts.books import MOST_COPIES, Book, BookChange
from bazar.contracts.wire import Invalid, PublicRequest, convert, dump

#: The fields of a book beside price and stock, in the order of the form.
DETAILS = ("title", "authors", "subjects", "isbn", "language", "year", "blurb")
#: Those of them that have several values, one a line.
SEVERAL = frozenset({"authors", "subjects"})
REASON = "reason"
#: Of a reason, the rest of which is for what a stock-take writes before it.
MOST_OWN_WORDS = text.MOST_REASON_CHARACTERS - 200


class FormMark(PublicRequest, frozen=True):
    """What a form knows of itself: its idempotency key, and the version of the book that it shows."""

    key: Annotated[str, Meta(pattern=text.IDEMPOTENCY_KEY)]
    version: Annotated[int, Meta(ge=1)] = 1


class Shown(PublicRequest, frozen=True):
    """The values that a form showed, as texts; what it did not show is empty."""

    title: str = ""
    authors: str = ""
    subjects: str = ""
    isbn: str = ""
    language: str = ""
    year: str = ""
    blurb: str = ""
    price: str = ""
    stock: str = ""


class Mistakes(Exception):
    """What does not fit, by the name of the field."""

    def __init__(self, by_field: Mapping[str, str]) -> None:
        super().__init__(", ".join(by_field))
        self.by_field = by_field


def new_key() -> str:
    """An idempotency key for one form."""
    return secrets.token_urlsafe(16)


def texts_of(book: Book) -> Shown:
    """The book as a form shows it."""
    return Shown(
        title=plain(book.title),
        authors=plain("\n".join(book.authors)),
        subjects=plain("\n".join(book.subjects)),
        isbn=book.isbn or "",
        language=book.language or "",
        year="" if book.year is None else str(book.year),
        blurb=plain(book.blurb),
        price=amount_text(book.price),
        stock=str(book.quantity),
    )


def shown_by(*names: str) -> Callable[[Shown], str]:
    """For the hidden field of a form: only what the form is about."""
    return lambda texts: dump(Shown(**{name: getattr(texts, name) for name in names})).decode()


def plain(typed: str) -> str:
    """As a field gives it back: browsers send line ends as CR LF (HTML, section 4.10.22.4)."""
    return typed.replace("\r\n", "\n").replace("\r", "\n").strip()


def detail_readers(typed: Mapping[str, str]) -> dict[str, Callable[[], Any]]:
    """For ``gather``: of each of DETAILS what gives its value for a BookChange or a NewBook."""
    return {name: partial(_detail, name, plain(typed.get(name, ""))) for name in DETAILS}


def gather(readers: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """What each reader gives, by name; raises Mistakes with those of all."""
    values, mistakes = {}, {}
    for name, read in readers.items():
        try:
            values[name] = read()
        except Invalid as error:
            mistakes[name] = error.detail
    if mistakes:
        raise Mistakes(mistakes)
    return values


def read_copies(typed: str, fewest: int = 0) -> int:
    """A whole number of copies; raises Invalid."""
    if not re.fullmatch("[0-9]{1,10}", typed.strip()) or not fewest <= int(typed) <= MOST_COPIES:
        raise Invalid("stock", f"is no number of copies; a whole number from {fewest} to {MOST_COPIES} is allowed")
    return int(typed)


def read_reason(typed: str) -> str:
    """Why, in the bookseller's words; raises Invalid."""
    return str(convert({REASON: plain(typed)}, BookChange).reason)


def _detail(name: str, typed: str) -> Any:
    value: object = typed
    if name in SEVERAL:
        value = list(dict.fromkeys(line.strip() for line in typed.split("\n") if line.strip()))
    elif name == "year" and typed and not re.fullmatch("-?[0-9]{1,4}", typed):
        raise Invalid(name, "is no year; a whole number from -4000 to 9999 is allowed")
    elif name in {"isbn", "language", "year"}:
        value = typed or None
    return getattr(convert({name: value}, BookChange), name)
