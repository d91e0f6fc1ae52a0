"""Where in a long list a page is, of lists whose cursor is the number of books before the page."""

from dataclasses import dataclass

from flask import request

from bazar.contracts.books import BookPage


@dataclass(frozen=True)
class Place:
    """Books ``first`` to ``last`` of ``total``; the cursors of the pages around it, None where there is none.

    ``previous`` is empty for the first page, which needs no cursor.
    """

    first: int
    last: int
    total: int
    previous: str | None
    next: str | None


def place_of(page: BookPage, size: int, cursor: str | None) -> Place:
    """The place of a page of at most ``size`` books."""
    before = int(cursor) if cursor and cursor.isascii() and cursor.isdigit() else 0
    previous = None
    if before:
        previous = str(before - size) if before > size else ""
    return Place(before + 1, before + len(page.items), page.total, previous, page.next)


def asked_place(page: BookPage, size: int) -> Place:
    """The place of the page that the request asks for."""
    return place_of(page, size, request.args.get("cursor"))
