"""Before the application: search, info and pages are answered from what is kept (ADR 0016, 0020).

Only what the application declares to be the same for everybody, or for all visitors of a kind but for its places, is
kept. What is one visitor's own is filled in when it is given: nobody can be given what is another's.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from bazar.chassis import headers
from bazar.chassis.freshness import ENVIRON_KEY, MadeOf
from bazar.chassis.position import read_position
from bazar.frontend.cache.answers import Answer, Answers, Key
from bazar.frontend.cache.forms import Form, Forms, Headers, forms_of
from bazar.frontend.cache.sheets import PRIVATE, Sheet
from bazar.frontend.domain import shared_pages
from bazar.frontend.domain.shared_pages import Kind, Marks, SharedPage, Visitor

#: Whoever asks for what is being fetched just now waits so long for it, then asks by themselves.
LONGEST_WAIT_SECONDS = 2.0
#: Where a page that is kept may say how old it is.
NOTICE_PLACE = b"<!-- age -->"
ANYBODY = Visitor(Kind.ANYBODY)

_POSITION_COOKIE = re.compile(rf"(?:^|; ?){headers.POSITION}=([^;]*)")
#: Who sends these is heard by the application.
_UNUSUAL = frozenset({"HTTP_AUTHORIZATION", "HTTP_TRANSFER_ENCODING", "HTTP_IF_MATCH", "HTTP_RANGE"})

Seen = tuple[str, int] | None


@dataclass(frozen=True)
class _Question:
    """What is asked for, by whom, and how far they have seen the catalog."""

    key: Key
    visitor: Visitor
    seen: Seen


class Cache:
    """A WSGI application around another one."""

    def __init__(
        self,
        app: WSGIApplication,
        answers: Answers,
        *,
        documents: Sequence[str],
        pages: Sequence[str],
        whole_pages: Sequence[str],
        variant: Callable[[WSGIEnvironment], str],
        visitor: Callable[[WSGIEnvironment], Visitor | None],
        notice: Callable[[int], bytes],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Paths that can be kept begin like one of ``documents`` or ``pages``, or are one of ``whole_pages``.

        ``variant``: what an answer depends on besides the address (the language, say). ``visitor``: who sent a request
        with cookies for a page; None where the application should see for itself; of documents all are the same to all.
        ``notice``: the line for a page that is so many seconds old.
        """
        self._app = app
        self._answers = answers
        self._documents = tuple(documents)
        self._pages = tuple(pages)
        self._whole_pages = frozenset(whole_pages)
        self._variant = variant
        self._visitor = visitor
        self._notice = notice
        self._monotonic = monotonic
        self._marks = Marks()
        self._fetching: dict[Key, Future[None]] = {}
        #: How many answers were given from what is kept, and of those how many because the application could not.
        self.given = self.given_late = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        is_page = path in self._whole_pages or path.startswith(self._pages)
        if not (is_page or path.startswith(self._documents)) or not _is_usual(environ):
            return self._app(environ, start_response)
        position, cookies = environ.get("HTTP_BAZAR_POSITION"), environ.get("HTTP_COOKIE")
        visitor = ANYBODY
        if cookies is not None:
            found = _POSITION_COOKIE.search(cookies)
            position = position or (found and found[1])
            if is_page and not (found and found[0] == cookies):
                known = self._visitor(environ)
                if known is None:
                    return self._app(environ, start_response)
                visitor = known
        seen = None if position is None else read_position(position)
        asked = _Question((path, environ["QUERY_STRING"], self._variant(environ), visitor.kind), visitor, seen)
        answer = self._answers.get(asked.key)
        if answer is None or not self._answers.is_fresh(answer, seen):
            return self._fetch(asked, environ, start_response)
        self.given += 1
        return _give(answer, asked, environ, start_response)

    def _fetch(self, asked: _Question, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Of many who want the same at once, one asks the application and the others wait for it."""
        mine = Future[None]()
        others = self._fetching.setdefault(asked.key, mine)
        if others is not mine:
            with suppress(TimeoutError):
                others.result(LONGEST_WAIT_SECONDS)
            answer = self._answers.get(asked.key)
            if answer is not None and self._answers.is_fresh(answer, asked.seen):
                self.given += 1
                return _give(answer, asked, environ, start_response)
            return self._ask(asked, environ, start_response)
        try:
            return self._ask(asked, environ, start_response)
        finally:
            del self._fetching[asked.key]
            mine.set_result(None)

    def _ask(self, asked: _Question, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # All of it is fetched, also for somebody who has it: what is kept must be whole.
        whole = {name: value for name, value in environ.items() if name != "HTTP_IF_NONE_MATCH"}
        is_shared = asked.visitor.kind is not Kind.ANYBODY
        if is_shared:
            whole[shared_pages.ENVIRON_KEY] = SharedPage(asked.visitor.kind, self._marks)
            # Made for many, so of nobody's cookies; how far the visitor has seen goes along.
            del whole["HTTP_COOKIE"]
            if asked.seen is not None:
                whole["HTTP_BAZAR_POSITION"] = "{}-{}".format(*asked.seen)
        status, told, body = _call(self._app, whole)
        sheet = Sheet.of(told, body, self._marks) if is_shared else None
        answer = self._answer(whole.get(ENVIRON_KEY), status, told, sheet or body)
        if answer is not None:
            self._answers.keep(asked.key, answer)
            return _give(answer, asked, environ, start_response, is_known_at_seen=False)
        if status.startswith("503"):
            late = self._answers.get(asked.key)
            if late is not None and self._answers.is_as_new_as(late, asked.seen):
                return self._give_late(late, asked, start_response)
        if sheet is not None:
            body = sheet.filled(asked.visitor)
            cookies = [(name, value) for name, value in told if name.lower() == "set-cookie"]
            told = [*sheet.headers, *cookies, PRIVATE, ("Content-Length", str(len(body)))]
        start_response(status, told)
        return [body]

    def _answer(self, made_of: MadeOf | None, status: str, told: Headers, body: bytes | Sheet) -> Answer | None:
        """What can be kept; None where it was not declared, is no success, is private or does not say how new it is."""
        if made_of is None or made_of.position is None or not status.startswith("200") or _is_private(told):
            return None
        content = body if isinstance(body, Sheet) else forms_of(told, body)
        is_page = dict(told)["Content-Type"].startswith("text/html")
        now = self._monotonic()
        ends_at = float("inf") if made_of.seconds is None else now + made_of.seconds
        return Answer(content, is_page, *made_of.position, made_of.items, made_of.lists, now, ends_at)

    def _give_late(self, late: Answer, asked: _Question, start_response: StartResponse) -> Iterable[bytes]:
        """The application cannot answer now: better what is known, with its age, than nothing."""
        self.given += 1
        self.given_late += 1
        age_seconds = max(1, round(self._monotonic() - late.kept_at))
        if isinstance(late.content, Sheet):
            body, shared = late.content.filled(asked.visitor), late.content.headers
        else:
            plain, ours = cast(Forms, late.content).plain, {"etag", "cache-control", "content-length"}
            body, shared = plain.body, [(name, value) for name, value in plain.headers if name.lower() not in ours]
        if late.is_page:  # in a document these characters are somebody's words
            body = body.replace(NOTICE_PLACE, self._notice(age_seconds), 1)
        told = [*shared, ("Age", str(age_seconds)), PRIVATE, ("Content-Length", str(len(body)))]
        start_response("200 OK", _at_seen(told, late, asked.seen))
        return [body]


#: What CONTENT_LENGTH is where a request has no body.
_NO_BODY = (None, "", "0")


def _is_usual(environ: WSGIEnvironment) -> bool:
    return (
        environ["REQUEST_METHOD"] == "GET"
        and environ.get("CONTENT_LENGTH") in _NO_BODY
        and _UNUSUAL.isdisjoint(environ)
    )


def _give(
    answer: Answer,
    asked: _Question,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    *,
    is_known_at_seen: bool = True,
) -> Iterable[bytes]:
    """``is_known_at_seen``: nothing that it shows has changed up to what the visitor has seen."""
    seen, is_known = asked.seen, False
    if isinstance(answer.content, Sheet):
        body = answer.content.filled(asked.visitor)
        told = [*answer.content.headers, PRIVATE, ("Content-Length", str(len(body)))]
    else:
        form = cast(Forms, answer.content).chosen(environ)
        known = environ.get("HTTP_IF_NONE_MATCH")
        is_known = known is not None and _names(known, form)
        body, told = form.body, form.unchanged if is_known else form.headers
    if answer.is_page and (seen is None or seen[0] != answer.epoch or seen[1] < answer.number):
        position = f"{headers.POSITION}={answer.epoch}-{answer.number}; Secure; HttpOnly; Path=/; SameSite=Lax"
        told = [*told, ("Set-Cookie", position)]
    if is_known_at_seen:
        told = _at_seen(told, answer, seen)
    start_response("304 Not Modified" if is_known else "200 OK", told)
    return [] if is_known else [body]


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
