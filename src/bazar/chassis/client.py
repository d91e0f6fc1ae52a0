"""Calls to a neighbour over a kept connection: mutual TLS, a token per call, a deadline, bounded repetition."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from ssl import SSLContext
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from bazar.chassis import headers
from bazar.chassis.clock import Deadline
from bazar.chassis.connections import Connections, NoAnswer, NotConnected, Response
from bazar.chassis.logging import get_logger, request_id
from bazar.chassis.position import seen_position
from bazar.contracts.call import Call
from bazar.contracts.problems import Problem, read_problem
from bazar.contracts.wire import Invalid, Malformed, dump, parse

Request = TypeVar("Request")
Answer = TypeVar("Answer")

#: A repeatable call is made this often at most when its connection breaks: a neighbour that takes up new
#: certificates closes kept connections, and may close the next one too while its old worker drains.
MOST_TRIES = 4
#: Where nobody listens at all, the second try is the last: callers are told at once.
MOST_TRIES_TO_CONNECT = 2
#: The pause before the first repetition is drawn from 0 to this; for each further one it doubles.
LONGEST_FIRST_PAUSE_SECONDS = 0.05
_POSITION = headers.POSITION.lower()

_log = get_logger(__name__)


class NeighbourUnavailable(Exception):
    """No answer, or one that says that there is none now. Whether the call took effect is unknown."""

    def __init__(self, service: str, detail: str) -> None:
        super().__init__(f"{service}: {detail}")
        self.service = service
        self.detail = detail


class NeighbourRefused(Exception):
    """The neighbour answered with a problem of the caller's making (4xx)."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


@dataclass(frozen=True)
class Reply(Generic[Answer]):
    """An answer, and how far the data behind it were when it was given (None where that does not matter)."""

    answer: Answer
    position: str | None = None


class ServiceClient:
    """Calls one service. Thread-safe; connections are kept and shared."""

    def __init__(
        self,
        service: str,
        url: str,
        tls: SSLContext,
        token: Callable[[str], str],
        *,
        most_connections: int = 32,
        certificate_name: str | None = None,
    ) -> None:
        """``url``: ``https://host:port``. Whatever the host, the certificate must name the service.

        ``token`` makes the proof of who calls, for the audience that it is given. ``certificate_name``: where
        the certificate has another name than the service.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or not parts.port:
            raise ValueError(f"the address of {service} must be https://host:port, not {url!r}")
        self._service = service
        self._token = token
        self._connections = Connections(
            parts.hostname, parts.port, tls, certificate_name or service, most_kept=most_connections
        )

    def call(self, call: Call[Request, Answer], request: Request, deadline: Deadline, **path: object) -> Reply[Answer]:
        """Make the call; raises NeighbourRefused or NeighbourUnavailable."""
        target, body = call.path_for(**path), None
        if call.method == "GET":
            query = _query(request)
            target = f"{target}?{query}" if query else target
        else:
            body = dump(request)
        response = self._send(call, target, body, deadline)
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NeighbourUnavailable(self._service, f"answered {response.status}")
        try:
            position = response.headers.get(_POSITION)
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise NeighbourRefused(replace(read_problem(response.body), position=position))
            return Reply(parse(response.body, call.answer), position)
        except (Malformed, Invalid) as error:
            raise NeighbourUnavailable(self._service, f"answered {response.status}, unreadable: {error}") from error

    def get_raw(self, path: str, deadline: Deadline) -> tuple[int, bytes]:
        """Status and body of a GET outside the table of calls: health, readiness, metrics."""
        try:
            response = self._request("GET", path, None, deadline)
        except NoAnswer as error:
            raise NeighbourUnavailable(self._service, str(error)) from error
        return response.status, response.body

    def close(self) -> None:
        """Close the kept connections."""
        self._connections.close()

    def _send(self, call: Call[Any, Any], target: str, body: bytes | None, deadline: Deadline) -> Response:
        tried, longest_pause_seconds = 0, LONGEST_FIRST_PAUSE_SECONDS
        while True:
            tried += 1
            try:
                return self._request(call.method, target, body, deadline)
            except NoAnswer as error:
                _log.info("call_failed", to=self._service, path=call.path, error=str(error), tried=tried)
                pause = random.uniform(0, longest_pause_seconds)  # noqa: S311 - spreads load, guards nothing
                if tried >= _most_tries(call, error) or deadline.remaining_seconds() <= pause:
                    raise NeighbourUnavailable(self._service, str(error)) from error
                time.sleep(pause)
                longest_pause_seconds *= 2

    def _request(self, method: str, target: str, body: bytes | None, deadline: Deadline) -> Response:
        remaining = deadline.remaining_seconds()
        if not remaining:
            raise NoAnswer("the time for the request has run out")
        sent = {
            "Authorization": f"Bearer {self._token(self._service)}",
            headers.REMAINING_MS: str(int(remaining * 1000)),
        }
        if body is not None:
            sent["Content-Type"] = "application/json"
        current = request_id.get()
        if current is not None:
            sent[headers.REQUEST_ID] = current
        seen = seen_position.get()
        if seen is not None:
            sent[headers.POSITION] = seen
        # Connecting has no shorter time of its own: a neighbour that takes up new certificates accepts connections at
        # once, but shakes hands only when its new worker is built.
        return self._connections.ask(method, target, sent, body, deadline)


def _most_tries(call: Call[Any, Any], error: NoAnswer) -> int:
    if not call.repeatable:
        return 1
    return MOST_TRIES_TO_CONNECT if isinstance(error, NotConnected) else MOST_TRIES


def _query(request: object) -> str:
    values = msgspec.to_builtins(request)
    return urlencode({name: _query_value(value) for name, value in values.items() if value is not None})


def _query_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
