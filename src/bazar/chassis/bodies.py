"""Request bodies are taken in whole before anything else, and only so many are on their way at a time.

Granian gives a client as long as it likes for its body and tells the application nothing when one is cut short; a
connection whose request body was not read it closes.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from io import BytesIO
from wsgiref.types import WSGIEnvironment

from flask import request
from werkzeug.exceptions import LengthRequired
from werkzeug.wsgi import get_content_length

from bazar.contracts.wire import Malformed

LARGEST_BODY_BYTES = 1024 * 1024
#: Each keeps a thread, and none a slot of those who are let in. One address cannot have all turns, but as many as
#: clients behind one may need at the same moment.
MOST_UNFINISHED_BODIES = 96
MOST_UNFINISHED_BODIES_OF_AN_ADDRESS = 64
#: How many more wait for a turn, and how long.
MOST_WAITING = 4
LONGEST_WAIT_SECONDS = 0.1
#: Nobody reads a body with these (RFC 9110 section 9.3).
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class TooManyBodies(Exception):
    """So many requests are still on their way that this one is not read."""


class Turns:
    """So many at a time, and so many of one address."""

    def __init__(self, most: int = MOST_UNFINISHED_BODIES, most_of_one: int = MOST_UNFINISHED_BODIES_OF_AN_ADDRESS):
        self._most = most
        self._most_of_one = most_of_one
        self._given: dict[str, int] = {}  # by address; those at zero are gone
        self._all_given = 0
        self._waiting = 0
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, address: str) -> Iterator[None]:
        """Have a turn; raises TooManyBodies where none is free soon.

        Who waits keeps a thread too: only few may, and nobody who has all the turns of an address already.
        """
        with self._changed:
            if not self._is_free(address):
                self._wait(address)
            self._given[address] = self._given.get(address, 0) + 1
            self._all_given += 1
        try:
            yield
        finally:
            with self._changed:
                self._all_given -= 1
                self._given[address] -= 1
                if not self._given[address]:
                    del self._given[address]
                if self._waiting:
                    self._changed.notify_all()

    def _wait(self, address: str) -> None:
        if self._given.get(address, 0) >= self._most_of_one or self._waiting >= MOST_WAITING:
            raise TooManyBodies
        self._waiting += 1
        try:
            if not self._changed.wait_for(lambda: self._is_free(address), LONGEST_WAIT_SECONDS):
                raise TooManyBodies
        finally:
            self._waiting -= 1

    def _is_free(self, address: str) -> bool:
        return self._all_given < self._most and self._given.get(address, 0) < self._most_of_one


def take_in_body(environ: WSGIEnvironment, turns: Turns | None) -> None:
    """Have the body of a request at hand, or as much as comes of it; raises TooManyBodies.

    What is wrong with it is told by whoever wants to read it, so that who may not call hears that first; one that is
    too large is left where it is. Without ``turns`` anybody may take all the time: neighbours do not.
    """
    length = None if environ["REQUEST_METHOD"] in _WITHOUT_BODY else get_content_length(environ)
    if length and length <= LARGEST_BODY_BYTES:
        with turns.turn(str(environ.get("REMOTE_ADDR", ""))) if turns else nullcontext():
            environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(length))


def whole_body() -> bytes:
    """The body of the request at hand; raises RequestEntityTooLarge, LengthRequired, Malformed (cut short)."""
    if "Transfer-Encoding" in request.headers:
        # Of a body in chunks nobody could tell whether its end is missing.
        raise LengthRequired
    data = request.get_data(cache=True)
    if len(data) != (request.content_length or 0):
        raise Malformed("The body ended before it was whole.")
    return data
