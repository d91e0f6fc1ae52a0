"""How far this browser has seen the catalog, kept in a cookie: it is never shown anything older."""

import re

from flask import Blueprint, Response, g, request

from bazar.chassis import headers

POSITION_COOKIE = headers.POSITION
_POSITION = re.compile(r"([0-9a-z]{1,32})-([0-9]{1,18})")


def keep_positions(pages: Blueprint) -> None:
    """Send each answer's position, as header and cookie."""

    @pages.after_app_request
    def tell(response: Response) -> Response:
        position = g.get("page_position")
        if position is None:
            return response
        response.headers[headers.POSITION] = position
        known = request.cookies.get(POSITION_COOKIE)
        if known is None or later(position, known) != known:
            # No Max-Age: the epoch may be another one when the browser is opened again.
            response.set_cookie(POSITION_COOKIE, position, path="/", secure=True, httponly=True, samesite="Lax")
        return response


def note(position: str | None) -> None:
    """A part of the page that is being made shows the catalog at this position."""
    if position is not None:
        known: str | None = g.get("page_position")
        g.page_position = position if known is None else later(position, known)


def later(new: str, known: str) -> str:
    """The later of two positions; of two epochs the new one, and the new one where ``known`` is none."""
    here, there = _POSITION.fullmatch(new), _POSITION.fullmatch(known)
    if here and there and here[1] == there[1] and int(here[2]) <= int(there[2]):
        return known
    return new
