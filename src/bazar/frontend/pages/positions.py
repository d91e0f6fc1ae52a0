"""How far this browser has seen the catalog, kept in a cookie: it is never shown anything older."""

from flask import Blueprint, Response, g, request

from bazar.chassis import headers
from bazar.chassis.position import read_position

POSITION_COOKIE = headers.POSITION


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
    here, there = read_position(new), read_position(known)
    if here and there and here[0] == there[0] and here[1] <= there[1]:
        return known
    return new
