"""The door of a server, before Flask: takes in the body, sees whether time is left, and has each request take its lane.

Whoever finds no place is told at once: 503, Retry-After, a problem document. It costs some microseconds of Python, so a
server that is asked for twice what it can do goes on doing what it can.
"""

import random
import re
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CollectorRegistry, Counter, Gauge

from bazar.chassis import headers
from bazar.chassis.bodies import TooManyBodies, Turns, take_in_body
from bazar.chassis.clock import Deadline, request_deadline
from bazar.chassis.lanes import FEW_SLOTS, Lane, Lanes
from bazar.chassis.logging import get_logger
from bazar.contracts import problems

#: From when a request arrives until its answer is of no use.
REQUEST_LIFETIME_SECONDS = 5.0
RETRY_AFTER_SECONDS = 1
#: Those who are sent away together do not come back together.
LONGEST_RETRY_AFTER_SECONDS = 3
#: What every server is watched by: the state of the process itself, always let in, and what takes a look at more.
_ALIVE = "/healthz"
WATCHED_PATHS = frozenset({_ALIVE, "/readyz", "/metrics"})
_LOG_PAUSE_SECONDS = 1.0
_REMAINING_MS = headers.in_environ(headers.REMAINING_MS)
_MILLISECONDS = re.compile("[0-9]{1,9}")

_log = get_logger(__name__)


class Admission:
    """WSGI middleware around an application whose requests go by ``lanes``."""

    def __init__(
        self,
        app: WSGIApplication,
        lanes: Lanes,
        registry: CollectorRegistry,
        *,
        is_internal: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``is_internal``: callers are neighbours and say how long they wait; nobody else is believed that."""
        self._app = app
        self._lanes = lanes
        self._watching = Lane("watching", FEW_SLOTS)
        self._turns = None if is_internal else Turns()
        self._is_internal = is_internal
        self._monotonic = monotonic
        self._refusals = _Refusals(registry)
        _show(registry, [*lanes.all.values(), self._watching])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        deadline = self._deadline(environ)
        before = request_deadline.set(deadline)
        try:
            return self._admit(environ, start_response, deadline)
        finally:
            request_deadline.reset(before)

    def _admit(self, environ: WSGIEnvironment, start_response: StartResponse, deadline: Deadline) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if path == _ALIVE:
            return self._app(environ, start_response)
        lane = self._watching if path in WATCHED_PATHS else self._lanes.of(str(environ["REQUEST_METHOD"]), path)
        try:
            take_in_body(environ, self._turns)
        except TooManyBodies:
            return self._refusals.answer(start_response, lane.name, "bodies")
        if not lane.enter():
            return self._refusals.answer(start_response, lane.name, "full")
        try:
            if deadline.passed:
                return self._refusals.answer(start_response, lane.name, "late")
            return self._app(environ, start_response)
        finally:
            lane.leave()

    def _deadline(self, environ: WSGIEnvironment) -> Deadline:
        remaining_ms = str(environ.get(_REMAINING_MS, "")) if self._is_internal else ""
        if _MILLISECONDS.fullmatch(remaining_ms):
            return Deadline.after(min(int(remaining_ms) / 1000, REQUEST_LIFETIME_SECONDS), self._monotonic)
        return Deadline.after(REQUEST_LIFETIME_SECONDS, self._monotonic)


_WHY = {
    "full": "More is asked of this server than it can do at once.",
    "bodies": "Too many requests are still on their way.",
    "late": "Whoever asked has stopped waiting.",
}


class _Refusals:
    """Answers, counts, and says in the log at most once a second how many there were."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counter = Counter(
            "bazar_requests_refused", "Requests that found no place.", ("lane", "reason"), registry=registry
        )
        self._bodies = {reason: problems.UNAVAILABLE.because(detail).dump() for reason, detail in _WHY.items()}
        self._untold = 0
        self._told_at = float("-inf")
        self._telling = threading.Lock()

    def answer(self, start_response: StartResponse, lane: str, reason: str) -> Iterable[bytes]:
        self._counter.labels(lane, reason).inc()
        self._tell(lane, reason)
        body = self._bodies[reason]
        seconds = random.randint(RETRY_AFTER_SECONDS, LONGEST_RETRY_AFTER_SECONDS)  # noqa: S311 - spreads load
        start_response(
            "503 Service Unavailable",
            [
                ("Content-Type", problems.MEDIA_TYPE),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
                ("Retry-After", str(seconds)),
            ],
        )
        return [body]

    def _tell(self, lane: str, reason: str) -> None:
        now = time.monotonic()
        with self._telling:
            self._untold += 1
            if now < self._told_at + _LOG_PAUSE_SECONDS:
                return
            untold, self._untold, self._told_at = self._untold, 0, now
        _log.warning("refused", refused=untold, lane=lane, reason=reason)


def _show(registry: CollectorRegistry, lanes: Iterable[Lane]) -> None:
    at_work = Gauge("bazar_requests_at_work", "Requests that have a slot.", ("lane",), registry=registry)
    waiting = Gauge("bazar_requests_waiting", "Requests that wait for a slot.", ("lane",), registry=registry)
    for lane in lanes:
        at_work.labels(lane.name).set_function(partial(getattr, lane, "at_work"))
        waiting.labels(lane.name).set_function(partial(getattr, lane, "waiting"))
