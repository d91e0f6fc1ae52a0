"""The network: requests between processes, which may be lost, doubled or late, and connections that break."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from bazar.chassis.connections import NoAnswer, NotConnected
from simulation.faults import ON_THE_WAY, Fault
from simulation.scheduler import Wait
from simulation.world import ServerProcess, World

#: What is late arrives when its caller has given up, or has been started anew, or has come back with the same key.
LATE_SECONDS = (5.0, 8.0)
#: A slow answer may come within the caller's patience, or not.
SLOW_SECONDS = 6.0


class Request(NamedTuple):
    """An HTTP request, as far as it matters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


class Response(NamedTuple):
    """An HTTP response, as far as it matters."""

    status: int
    data: bytes
    headers: Mapping[str, str] = MappingProxyType({})


Serve = Callable[[Request], Response]


class Exchange:
    """A request for whose answer somebody may still wait."""

    def __init__(self, waiting: Wait | None) -> None:
        self._waiting = waiting

    def answer(self, answer: Response | Exception) -> None:
        """The caller gets it, if it still waits."""
        if self._waiting is not None:
            self._waiting.end(answer)


class Network:
    """Knows who listens. A service may have several servers; each request goes to one of them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._on_the_way = world.faults.occasion(*ON_THE_WAY)
        self._listening: dict[str, dict[ServerProcess, Serve]] = {}
        self._answering: dict[ServerProcess, dict[Exchange, None]] = {}
        self._under_way = 0

    @property
    def is_empty(self) -> bool:
        """Whether no request is on its way any more."""
        return self._under_way == 0

    def listens(self, process: ServerProcess) -> bool:
        """Whether it can be reached."""
        return process in self._answering and not process.stands_still

    def listen(self, process: ServerProcess, serve: Serve) -> None:
        """From now on, it is reached."""
        self._listening.setdefault(process.service, {})[process] = serve
        self._answering[process] = {}

    def leave(self, process: ServerProcess) -> None:
        """It is dead: its connections break."""
        self._listening.get(process.service, {}).pop(process, None)
        for exchange in self._answering.pop(process, {}):
            exchange.answer(NoAnswer("connection reset by peer"))

    def ask(self, service: str, request: Request, timeout_seconds: float) -> Response:
        """The response; raises NoAnswer or NotConnected when there is none."""
        world, what = self._world, f"{request.method} {request.target}"
        world.step(f"before it sends {what}")
        if not self._listening.get(service):
            raise NotConnected("connection refused")
        fault = self._on_the_way.strikes()
        exchange = Exchange(world.scheduler.waiting())
        world.note("asks {}: {}{}", service, what, "" if fault is None else f" ({fault})")
        if fault is Fault.DOUBLED:
            self._send_again(service, request, is_late=world.random.random() < 0.3)
        if fault is Fault.LATE:
            self._send_again(service, request, is_late=True)
        elif fault is Fault.BROKEN:
            if world.random.random() < 0.5:
                self._send(service, request, Exchange(None), world.moment())
            exchange.answer(NoAnswer("connection broken"))
        elif fault is not Fault.REQUEST_LOST:
            self._send(service, request, exchange, world.moment(), fault)
        answer = world.scheduler.wait(timeout_seconds)
        if answer is None:
            world.note("has no answer in time: {}", what)
            raise NoAnswer("no answer in time")
        if isinstance(answer, Exception):
            world.note("has no answer: {} ({})", what, answer)
            raise answer
        assert isinstance(answer, Response)
        world.step(f"after the answer to {what}")
        return answer

    def _send_again(self, service: str, request: Request, *, is_late: bool) -> None:
        """So that nobody gets the answer."""
        soonest, latest = LATE_SECONDS if is_late else (0.0, 1.0)
        seconds = soonest + (latest - soonest) * self._world.random.random()
        self._world.faults.lasts_until(self._world.scheduler.now + seconds)
        self._send(service, request, Exchange(None), seconds)

    def _send(
        self, service: str, request: Request, exchange: Exchange, seconds: float, fault: Fault | None = None
    ) -> None:
        self._under_way += 1
        self._world.scheduler.at(seconds, None, partial(self._arrives, service, request, exchange, fault))

    def _arrives(self, service: str, request: Request, exchange: Exchange, fault: Fault | None) -> None:
        world, listening = self._world, self._listening.get(service)
        self._under_way -= 1
        if not listening:
            exchange.answer(NoAnswer("connection reset by peer"))
            return
        process = world.random.choice(list(listening))
        self._answering[process][exchange] = None
        what = f"{request.method} {request.target}"
        world.scheduler.spawn(process, what, partial(self._serve, listening[process], request, exchange, fault))

    def _serve(self, serve: Serve, request: Request, exchange: Exchange, fault: Fault | None) -> None:
        world = self._world
        process = world.scheduler.current.process
        assert isinstance(process, ServerProcess)
        what = f"{request.method} {request.target}"
        response = serve(request)
        world.note("answers {}: {}", what, response.status)
        world.step(f"before the answer to {what}")
        del self._answering[process][exchange]
        if fault is not Fault.ANSWER_LOST:
            seconds = world.random.random() * SLOW_SECONDS if fault is Fault.SLOW else world.moment()
            world.scheduler.at(seconds, None, partial(exchange.answer, response))
