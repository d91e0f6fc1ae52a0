"""Before the application: search, info and anonymous pages are answered from what is kept (ADR 0016).

Only what the application declares to be the same for everybody is kept, and only who shows nothing of their own is
answered from it: no credentials, no cookie but the position. So nobody can be given what is another's.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from bazar.chassis import headers
from bazar.chassis.freshness import ENVIRON_KEY, MadeOf
from bazar.chassis.position import read_position
from bazar.frontend.cache.answers import Answer, Answers, Key
from bazar.frontend.cache.forms import Form, Headers, forms_of

#: Whoever asks for what is being fetched just now waits so long for it, then asks by themselves.
LONGEST_WAIT_SECONDS = 2.0
#: Where a page that is kept may say how old it is.
NOTICE_PLACE = b"<!-- age -->"

_POSITION_COOKIE = re.compile(rf"{headers.POSITION}=([^;]*)")
#: Who sends these is heard by the application.
_UNUSUAL = frozenset({"HTTP_AUTHORIZATION", "HTTP_TRANSFER_ENCODING", "HTTP_IF_MATCH", "HTTP_RANGE"})

Seen = tuple[str, int] | None


class Cache:
    """A WSGI application around another one."""

    def __init__(
        self,
        app: WSGIApplication,
        answers: Answers,
        *,
        whole: Sequence[str],
        begins: Sequence[str],
        variant: Callable[[WSGIEnvironment], str],
        notice: Callable[[int], bytes],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Paths that can be kept are those of ``whole`` and those that begin like one of ``begins``.

        ``variant``: what an answer depends on besides the address (the language, say). ``notice``: the line for a
        page that is so many seconds old.
        """
        self._app = app
        self._answers = answers
        self._whole = frozenset(whole)
        self._begins = tuple(begins)
        self._variant = variant
        self._notice = notice
        self._monotonic = monotonic
        self._fetching: dict[Key, Future[None]] = {}
        #: How many answers were given from what is kept, and of those how many because the application could not.
        self.given = self.given_late = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self._can_be_kept(environ):
            return self._app(environ, start_response)
        position, cookies = environ.get("HTTP_BAZAR_POSITION"), environ.get("HTTP_COOKIE")
        if cookies is not None:
            found = _POSITION_COOKIE.fullmatch(cookies)
            if found is None:  # a sign-in, a basket: this visitor has pages of their own
                return self._app(environ, start_response)
            position = position or found[1]
        seen = None if position is None else read_position(position)
        key = (environ["PATH_INFO"], environ["QUERY_STRING"], self._variant(environ))
        answer = self._answers.get(key)
        if answer is None or not self._answers.is_fresh(answer, seen):
            return self._fetch(key, seen, environ, start_response)
        self.given += 1
        return _give(answer, seen, environ, start_response)

    def _can_be_kept(self, environ: WSGIEnvironment) -> bool:
        path = environ["PATH_INFO"]
        return (
            environ["REQUEST_METHOD"] == "GET"
            and (path.startswith(self._begins) or path in self._whole)
            and environ.get("CONTENT_LENGTH") in _NO_BODY
            and _UNUSUAL.isdisjoint(environ)
        )

    def _fetch(self, key: Key, seen: Seen, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Of many who want the same at once, one asks the application and the others wait for it."""
        mine = Future[None]()
        others = self._fetching.setdefault(key, mine)
        if others is not mine:
            with suppress(TimeoutError):
                others.result(LONGEST_WAIT_SECONDS)
            answer = self._answers.get(key)
            if answer is not None and self._answers.is_fresh(answer, seen):
                self.given += 1
                return _give(answer, seen, environ, start_response)
            return self._ask(key, seen, environ, start_response)
        try:
            return self._ask(key, seen, environ, start_response)
        finally:
            del self._fetching[key]
            mine.set_result(None)

    def _ask(self, key: Key, seen: Seen, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # All of it is fetched, also for somebody who has it: what is kept must be whole.
        whole = {name: value for name, value in environ.items() if name != "HTTP_IF_NONE_MATCH"}
        status, told, body = _call(self._app, whole)
        answer = self._answer(whole.get(ENVIRON_KEY), status, told, body)
        if answer is not None:
            self._answers.keep(key, answer)
            return _give(answer, seen, environ, start_response, is_known_at_seen=False)
        if status.startswith("503"):
            late = self._answers.get(key)
            if late is not None and self._answers.is_as_new_as(late, seen):
                return self._give_late(late, seen, start_response)
        start_response(status, told)
        return [body]

    def _answer(self, made_of: MadeOf | None, status: str, told: Headers, body: bytes) -> Answer | None:
        """What can be kept; None where it was not declared, is no success, is private or does not say how new it is."""
        if made_of is None or made_of.position is None or not status.startswith("200") or _is_private(told):
            return None
        is_page = dict(told)["Content-Type"].startswith("text/html")
        now = self._monotonic()
        ends_at = float("inf") if made_of.seconds is None else now + made_of.seconds
        return Answer(forms_of(told, body), is_page, *made_of.position, made_of.items, made_of.lists, now, ends_at)

    def _give_late(self, late: Answer, seen: Seen, start_response: StartResponse) -> Iterable[bytes]:
        """The application cannot answer now: better what is known, with its age, than nothing."""
        self.given += 1
        self.given_late += 1
        age_seconds = max(1, round(self._monotonic() - late.kept_at))
        body = late.forms.plain.body.replace(NOTICE_PLACE, self._notice(age_seconds), 1)
        ours = {"etag", "cache-control", "content-length"}
        shared = [(name, value) for name, value in late.forms.plain.headers if name.lower() not in ours]
        told = [("Age", str(age_seconds)), ("Cache-Control", "no-store"), ("Content-Length", str(len(body)))]
        start_response("200 OK", _at_seen([*shared, *told], late, seen))
        return [body]


#: What CONTENT_LENGTH is where a request has no body.
_NO_BODY = (None, "", "0")


def _give(
    answer: Answer,
    seen: Seen,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    *,
    is_known_at_seen: bool = True,
) -> Iterable[bytes]:
    """``is_known_at_seen``: nothing that it shows has changed up to what the visitor has seen."""
    form = answer.forms.chosen(environ)
    known = environ.get("HTTP_IF_NONE_MATCH")
    is_known = known is not None and _names(known, form)
    told = form.unchanged if is_known else form.headers
    if answer.is_page and (seen is None or seen[0] != answer.epoch or seen[1] < answer.number):
        position = f"{headers.POSITION}={answer.epoch}-{answer.number}; Secure; HttpOnly; Path=/; SameSite=Lax"
        told = [*told, ("Set-Cookie", position)]
    if is_known_at_seen:
        told = _at_seen(told, answer, seen)
    start_response("304 Not Modified" if is_known else "200 OK", told)
    return [] if is_known else [form.body]


def _at_seen(told: Headers, answer: Answer, seen: Seen) -> Headers:
    """Tells what the visitor has seen where that is more: who sends back what was told last must not fall behind."""
    if seen is None or seen[1] <= answer.number:
        return told
    position = f"{seen[0]}-{seen[1]}"
    return [(name, position if name == headers.POSITION else value) for name, value in told]


def _is_private(told: Headers) -> bool:
    """Whether it was made for this visitor alone, whatever was declared of its parts: a form with a token, say."""
    named = [(name.lower(), value) for name, value in told]
    return any(name == "cache-control" and "no-store" in value for name, value in named) or any(
        name == "set-cookie" and not value.startswith(f"{headers.POSITION}=") for name, value in named
    )


def _names(known: str, form: Form) -> bool:
    """Whether If-None-Match names the form, by weak comparison (RFC 9110 section 13.1.2)."""
    return known.strip() == "*" or form.tag in [tag.strip().removeprefix("W/") for tag in known.split(",")]


def _call(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, Headers, bytes]:
    """Status, headers and whole body of the application's answer."""
    told: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, _error: Any = None) -> Callable[[bytes], object]:
        told.append((status, headers))
        return lambda _data: None

    parts = app(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    status, headers_told = told[-1]
    return status, headers_told, body
