"""A Flask application whose errors are problem documents, with health, readiness, metrics and request ids."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus
from typing import Any, cast

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter

from bazar.chassis import headers
from bazar.chassis.admission import RETRY_AFTER_SECONDS, WATCHED_PATHS, Admission
from bazar.chassis.bodies import LARGEST_BODY_BYTES, whole_body
from bazar.chassis.client import NeighbourUnavailable
from bazar.chassis.clock import request_deadline, system_clock
from bazar.chassis.database import StorageUnavailable
from bazar.chassis.gather import TimeRanOut
from bazar.chassis.lanes import SLOTS, Lanes
from bazar.chassis.logging import get_logger, request_id
from bazar.chassis.position import read_position, seen_position
from bazar.contracts import problems
from bazar.contracts.problems import Problem, away, invalid
from bazar.contracts.times import rfc3339
from bazar.contracts.wire import Invalid, Malformed, dump

#: A caller's request id is taken over if it is short and plain; else it gets one of ours.
LONGEST_REQUEST_ID = 64
_METHODS = frozenset(HTTPMethod)
_REQUEST_ID = headers.in_environ(headers.REQUEST_ID)
_POSITION = headers.in_environ(headers.POSITION)

#: Error type → what the caller is told. One table per API; what is not in it is a 500 without detail.
ProblemTable = Mapping[type[Exception], Callable[[Any], Problem]]

_log = get_logger(__name__)


@dataclass(frozen=True)
class Readiness:
    """Whether reads work, and the state of each part ("ok" or what is wrong)."""

    ready: bool
    parts: Mapping[str, str]


class Metrics:
    """What Prometheus is told of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("bazar_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "bazar_request_seconds",
            "Seconds from the request to its answer.",
            ("method", "route"),
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
        )
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answer more."""
        series = self._series.get((method, route, status))
        if series is None:
            # Whatever else a client calls its method must not become a series of its own, nor be remembered.
            known = method if method in _METHODS else "other"
            series = self.requests.labels(known, route, status), self.seconds.labels(known, route)
            self._series[known, route, status] = series
        requests, histogram = series
        requests.inc()
        histogram.observe(seconds)


class _App(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """None of ours is a coroutine, which Flask would ask of each function in each request."""
        return func


class AnyText(BaseConverter):
    """One or more characters of any kind, slashes included."""

    regex = "(?s:.+)"
    part_isolating = False


def new_app(
    import_name: str,
    problem_table: ProblemTable,
    readiness: Callable[[], Readiness],
    converters: Mapping[str, type[BaseConverter]],
    render_problem: Callable[[Problem], Response] | None = None,
    *,
    lanes: Lanes | None = None,
    is_internal: bool = False,
) -> Flask:
    """An application with everything in place but its routes; ``converters`` by the name used in routes.

    ``render_problem`` may show a person a page instead of the document. ``lanes`` say how many requests of which kind
    are let in; without them all are of one kind. ``is_internal``: only neighbours call, and say how long they wait;
    from anybody else, that would let them have half of a thing done.
    """
    app = _App(import_name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES
    app.url_map.merge_slashes = False
    app.url_map.converters.update({"any_text": AnyText, **converters})
    metrics = Metrics()
    app.extensions["metrics"] = metrics
    app.before_request(_begin)
    app.after_request(lambda response: _finish(response, metrics))
    _answer_errors_as_problems(app, problem_table, render_problem or problem_response)

    lanes = lanes or Lanes({"requests": SLOTS}, lambda _method, _path: "requests")
    app.extensions["lanes"] = lanes
    app.wsgi_app = Admission(app.wsgi_app, lanes, metrics.registry, is_internal=is_internal)  # type: ignore[method-assign]  # as Flask says to

    @app.get("/healthz")
    def healthz() -> Response:
        return json_response({"status": "alive", "time": rfc3339(system_clock())})

    @app.get("/readyz")
    def readyz() -> Response:
        state = readiness()
        return json_response({"parts": dict(state.parts)}, status=200 if state.ready else 503)

    @app.get("/metrics")
    def metrics_page() -> Response:
        return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)

    return app


def json_response(message: object, status: int = 200, **more_headers: str) -> Response:
    """``message`` as JSON; header names are given with underscores (``Cache_Control``)."""
    response = Response(dump(message), status=status, content_type="application/json")
    for name, value in more_headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def problem_response(problem: Problem) -> Response:
    """The document (RFC 9457), never to be kept by a cache."""
    response = Response(problem.dump(), status=problem.type.status, content_type=problems.MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if problem.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(problem.retry_after_seconds)
    if problem.position is not None:
        response.headers[headers.POSITION] = problem.position
    if problem.type is problems.UNAUTHENTICATED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def problem_of(error: Exception, table: ProblemTable) -> Problem:
    """What the caller is told of an error that one of several things ended in, the others having gone well."""
    to_problem = table.get(type(error)) or _COMMON_PROBLEMS.get(type(error))
    if to_problem is not None:
        return to_problem(error)
    _log.error("unexpected_error", path=request.path, exc_info=error)
    return _unforeseen()


def body_bytes() -> bytes:
    """The body of a JSON request; raises what whole_body does, or a 415 where it is of another type."""
    data = whole_body()
    if data and request.mimetype != "application/json":
        raise WrongMediaType(request.mimetype)
    return data


class WrongMediaType(Exception):
    """The body is not labelled as JSON."""

    def __init__(self, mimetype: str) -> None:
        super().__init__(mimetype)
        self.mimetype = mimetype


def _begin() -> None:
    g.began = time.perf_counter()
    g.deadline = request_deadline.get()  # set by the door
    environ = request.environ
    sent = environ.get(_REQUEST_ID, "")
    if not (sent.isascii() and sent.isalnum() and len(sent) <= LONGEST_REQUEST_ID):
        sent = secrets.token_hex(8)
    g.request_id = sent
    request_id.set(sent)
    seen = environ.get(_POSITION)
    if not seen and headers.POSITION in environ.get("HTTP_COOKIE", ""):
        seen = request.cookies.get(headers.POSITION)
    seen_position.set(seen if read_position(seen) else None)
    if str(environ.get("PATH_INFO", "")).startswith("//"):
        # Werkzeug takes any number of slashes for one; but lanes, access and caches go by the address as it was sent.
        raise NotFound


def _finish(response: Response, metrics: Metrics) -> Response:
    method, rule, status = request.method, request.url_rule, response.status_code
    route = rule.rule if rule else "unmatched"
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    metrics.count(method, route, status, seconds)
    response.headers[headers.REQUEST_ID] = g.get("request_id", "")
    _log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
    return response


def _answer_errors_as_problems(app: Flask, table: ProblemTable, render: Callable[[Problem], Response]) -> None:
    def tell(to_problem: Callable[[Any], Problem]) -> Callable[[Exception], Response]:
        return lambda error: render(to_problem(error))

    for kind, to_problem in {**_COMMON_PROBLEMS, **table}.items():
        app.register_error_handler(kind, tell(to_problem))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if error.response is not None or error.code is None or error.code < HTTPStatus.BAD_REQUEST:
            return cast(Response, error.get_response())
        kind = _BY_STATUS.get(error.code)
        if kind is None:
            kind = problems.INVALID if error.code < HTTPStatus.INTERNAL_SERVER_ERROR else problems.INTERNAL_ERROR
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            allowed = ", ".join(sorted(error.valid_methods))
            response = render(kind.because(f"{request.method} cannot be used here; allowed are {allowed}."))
            response.headers["Allow"] = allowed
            return response
        own_words = error.description if error.description != type(error).description else None
        return render(kind.because(own_words or _DETAILS.get(kind) or error.description or kind.title))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        # The edge of the process: what nobody foresaw is logged in full and told without detail.
        _log.error("unexpected_error", path=request.path, exc_info=error)
        return render(_unforeseen())


def _unforeseen() -> Problem:
    return problems.INTERNAL_ERROR.because("The mistake is ours. Please tell us the Request-Id.")


_DETAILS = {
    problems.NOT_FOUND: "There is nothing at this address.",
    problems.LENGTH_REQUIRED: "Send the body in one piece with its Content-Length, not in chunks.",
    problems.TOO_LARGE: f"A body may have at most {LARGEST_BODY_BYTES} bytes.",
}
_BY_STATUS = {
    400: problems.MALFORMED,
    404: problems.NOT_FOUND,
    405: problems.METHOD_NOT_ALLOWED,
    411: problems.LENGTH_REQUIRED,
    413: problems.TOO_LARGE,
    415: problems.UNSUPPORTED_MEDIA_TYPE,
}


def _of_malformed(error: Malformed) -> Problem:
    return problems.MALFORMED.because(error.detail)


def _of_wrong_media_type(error: WrongMediaType) -> Problem:
    return problems.UNSUPPORTED_MEDIA_TYPE.because(
        f"The body is labelled {error.mimetype or 'as nothing'}; only application/json is read here."
    )


def _of_unavailable_neighbour(error: NeighbourUnavailable) -> Problem:
    _log.warning("neighbour_unavailable", to=error.service, detail=error.detail)
    return away(error.service, RETRY_AFTER_SECONDS)


def _of_unavailable_storage(error: StorageUnavailable) -> Problem:
    _log.error("storage_unavailable", detail=str(error))
    return problems.UNAVAILABLE.because("The database does not answer.", RETRY_AFTER_SECONDS)


def _of_time_that_ran_out(_error: TimeRanOut) -> Problem:
    return problems.UNAVAILABLE.because("There was no time left to do it in.", RETRY_AFTER_SECONDS)


_COMMON_PROBLEMS: ProblemTable = {
    TimeRanOut: _of_time_that_ran_out,
    Invalid: lambda error: invalid(error.field, error.detail),
    Malformed: _of_malformed,
    WrongMediaType: _of_wrong_media_type,
    NeighbourUnavailable: _of_unavailable_neighbour,
    StorageUnavailable: _of_unavailable_storage,
}

__all__ = [
    "RETRY_AFTER_SECONDS",
    "WATCHED_PATHS",
    "Metrics",
    "ProblemTable",
    "Readiness",
    "body_bytes",
    "json_response",
    "new_app",
    "problem_response",
]
