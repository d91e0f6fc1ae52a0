"""What stands in for the world outside: the names in the real modules that mean a clock, a thread, a socket, HTTP.

All else is the real code: wiring, the tables of routes and problems, gateways with their repetitions, use cases, loops,
storage. Nothing here knows what the code does.
"""

import concurrent.futures._base
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import bazar.catalog.api.routes
import bazar.catalog.wiring
import bazar.chassis.client
import bazar.chassis.gather
import bazar.chassis.loop
import bazar.chassis.web
import bazar.frontend.cache.follower
import bazar.order.api.routes
import bazar.order.recovery.settle
import bazar.order.recovery.sweep
import bazar.order.wiring
from bazar.chassis import connections, headers
from bazar.chassis.admission import REQUEST_LIFETIME_SECONDS
from bazar.chassis.client import Reply, ServiceClient
from bazar.chassis.clock import Deadline
from bazar.chassis.database import StorageUnavailable
from bazar.chassis.web import _COMMON_PROBLEMS, ProblemTable
from bazar.contracts import problems
from bazar.contracts.call import Call
from bazar.contracts.wire import convert, dump, parse
from simulation.network import Network, Request, Response
from simulation.threads import Condition, Event, SimpleQueue, Thread
from simulation.world import World

#: What an operator's person sees of a neighbour's certificate is not part of the simulation.
_NO_TOKEN = ""
LOOK_REST_SECONDS = 0.8
SWEEP_REST_SECONDS = 4.0


class Client(ServiceClient):
    """The real client over the simulated network."""

    def __init__(self, network: Network, service: str) -> None:
        self._service = service
        self._token = lambda _audience: _NO_TOKEN
        self._connections = Connections(network, service)  # type: ignore[assignment]  # a stand-in


class Connections:
    """Stands in for those of the chassis."""

    def __init__(self, network: Network, service: str) -> None:
        self._network = network
        self._service = service

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, within: Deadline
    ) -> connections.Response:
        """The response; raises what they raise."""
        request = Request(method, target, headers, body or b"")
        answer = self._network.ask(self._service, request, within.remaining_seconds())
        told = {name.lower(): value for name, value in answer.headers.items()}
        return connections.Response(answer.status, told, answer.data)

    def close(self) -> None:
        """Nothing is open."""


class App:
    """Stands in for a Flask application: its routes by method and path, and its table of problems."""

    def __init__(self, world: World, table: ProblemTable) -> None:
        self._world = world
        self._table = {**_COMMON_PROBLEMS, **table}
        self._plain: dict[tuple[str, str], Callable[[Request, str], Response]] = {}
        self._patterns: list[tuple[str, re.Pattern[str], Any]] = []

    def mount(self, call: Call[Any, Any], handler: Callable[..., Any]) -> None:
        """What a call of the table is answered by."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", call.path))
        if pattern.groups:
            self._patterns.append((call.method, pattern, partial(_view, call, handler)))
        else:
            self._plain[call.method, call.path] = partial(_view, call, handler, {})

    def serve(self, request: Request) -> Response:
        """The response, that to an error too."""
        remaining_ms = request.headers.get(headers.REMAINING_MS)
        seconds = REQUEST_LIFETIME_SECONDS if remaining_ms is None else int(remaining_ms) / 1000
        self._world.scheduler.current.deadline = Deadline.after(seconds, self._world.monotonic)
        path, _, query = request.target.partition("?")
        try:
            plain = self._plain.get((request.method, path))
            if plain is not None:
                return plain(request, query)
            for method, pattern, view in self._patterns:
                match = pattern.fullmatch(path) if method == request.method else None
                if match:
                    return view(match.groupdict(), request, query)  # type: ignore[no-any-return]  # a Response
        except Exception as error:  # noqa: BLE001 - as at the edge of the real process
            return refusal(self._world, self._table, error)
        raise AssertionError(f"no route for {request.method} {request.target}")


def refusal(world: World, table: ProblemTable, error: Exception) -> Response:
    """What is answered to an error; one that nobody foresaw breaks a promise."""
    for kind in type(error).__mro__:
        if kind in table:
            problem = table[kind](error)
            sent = {} if problem.position is None else {headers.POSITION: problem.position}
            return Response(problem.type.status, problem.dump(), sent)
    world.violation(f"a server answers 500: {error!r}")
    return Response(500, problems.INTERNAL_ERROR.because("").dump())


def _view(
    call: Call[Any, Any], handler: Callable[..., Any], path: Mapping[str, str], request: Request, query: str
) -> Response:
    asked = convert(dict(parse_qsl(query)), call.request) if call.method == "GET" else parse(request.body, call.request)
    named = {name: int(value) if name == "item_number" else value for name, value in path.items()}
    result = handler(asked, **named)
    if not isinstance(result, Reply):
        return Response(200, dump(result))
    return Response(200, dump(result.answer), {} if result.position is None else {headers.POSITION: result.position})


class Log:
    """Stands in for a logger: only what nobody foresaw matters."""

    def __init__(self, world: World) -> None:
        self._world = world

    def info(self, _event: str, **_values: object) -> None:
        """Nobody reads it."""

    warning = error = info

    def exception(self, event: str, **values: object) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, StorageUnavailable):
            self._world.violation(f"{event} {values}: {error!r}")


@dataclass(frozen=True)
class NoIndex:
    """Stands in for the search index, which is another matter."""

    ready: bool = True


@dataclass
class Outside:
    """Puts the stand-ins into the real modules for as long as a run lasts."""

    world: World
    network: Network
    open_database: Callable[[str], object]
    _kept: list[tuple[object, str, object]] = field(default_factory=list)

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """The real modules with the stand-ins in them."""
        kept = [(module, name, getattr(module, name)) for module, name, _ in self._stand_ins()]
        try:
            for module, name, stand_in in self._stand_ins():
                setattr(module, name, stand_in)
            yield
        finally:
            for module, name, real in kept:
                setattr(module, name, real)

    def _stand_ins(self) -> Iterator[tuple[object, str, object]]:
        world, log = self.world, Log(self.world)
        scheduler = world.scheduler
        for wiring in (bazar.order.wiring, bazar.catalog.wiring):
            yield wiring, "own_database", lambda _settings, service, _migrations: self.open_database(service)
            yield wiring, "verifier", lambda _settings, _service: None
            yield wiring, "system_clock", world.wall_clock
        yield bazar.order.wiring, "time", SimpleNamespace(monotonic=world.monotonic)
        yield bazar.order.wiring, "neighbour", lambda _settings, _caller, service: Client(self.network, service)
        yield bazar.catalog.wiring, "BookIndex", lambda _folder: NoIndex()
        no_writer = SimpleNamespace(start=_nothing, stop=_nothing)
        yield bazar.catalog.wiring, "IndexWriter", lambda _index, _source: no_writer
        for routes in (bazar.order.api.routes, bazar.catalog.api.routes):
            yield routes, "new_app", lambda _name, table, *_others, **_more: App(world, table)
            yield routes, "ServiceApi", lambda app, _verifier: SimpleNamespace(serve=app.mount)
        yield bazar.order.api.routes, "g", RequestContext(world)
        # What a deadline is measured by, unless it is told.
        yield vars(Deadline)["after"].__func__, "__defaults__", (world.monotonic,)
        yield bazar.chassis.client, "time", SimpleNamespace(sleep=scheduler.sleep)
        yield bazar.frontend.cache.follower, "time", SimpleNamespace(monotonic=world.monotonic)
        # A look every 50 ms would be most of what is simulated, and a round of the sweep every 2 s too much of it.
        # Looks come after commits, too.
        yield bazar.frontend.cache.follower, "REST_SECONDS", LOOK_REST_SECONDS
        yield bazar.order.recovery.sweep, "REST_SECONDS", SWEEP_REST_SECONDS
        yield bazar.chassis.client, "random", SimpleNamespace(uniform=lambda _least, most: most * world.random.random())
        threading = SimpleNamespace(
            Event=lambda: Event(scheduler),
            Condition=lambda: Condition(scheduler),
            Thread=lambda **asked: Thread(scheduler, **asked),
        )
        yield bazar.chassis.loop, "threading", threading
        yield concurrent.futures._base, "threading", threading
        yield bazar.chassis.gather, "SimpleQueue", lambda: SimpleQueue(scheduler)
        for module in (
            bazar.chassis.client,
            bazar.chassis.gather,
            bazar.chassis.loop,
            bazar.chassis.web,
            bazar.order.recovery.settle,
            bazar.order.recovery.sweep,
            bazar.frontend.cache.follower,
        ):
            yield module, "_log", log


class RequestContext:
    """Stands in for Flask's g."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def deadline(self) -> object:
        """Of the request at hand."""
        return self._world.scheduler.current.deadline


def _nothing() -> None:
    """There is nothing to do."""
