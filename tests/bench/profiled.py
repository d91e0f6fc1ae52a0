"""An application that is asked in this process: what a request costs it, and which of its parts have that.

What it costs is the CPU time of the process: of the thread that asks, of those that carry out what is gathered (ADR
0013), and of the loops beside, whatever they do meanwhile. Python samples only its main thread, so where requests are
gathered they are asked once more, of an application in which whoever asks carries out: that tells the parts, and what
it saves is what handing over costs. (Linux.)
"""

import ctypes
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from types import FrameType
from typing import Any
from unittest.mock import patch
from wsgiref.types import WSGIEnvironment

from bazar.chassis.clock import Deadline
from bazar.chassis.gather import Gather
from bazar.chassis.server import RunningService
from bench.results import Spread

ROUNDS = 5
#: At the most: where the system's clock ticks more slowly, so do the samples.
SAMPLE_EVERY_NANOSECONDS = 1_000_000
#: What is executed in a file whose path has one of these belongs to the part.
PARTS = {
    "log line": ("/structlog/", "/logging/__init__.py", "/logging/handlers.py", "bazar/chassis/logging.py"),
    "metrics": ("/prometheus_client/",),
    "database": ("/sqlalchemy/", "/storage/", "bazar/chassis/database.py", "bazar/chassis/glance.py"),
    "call to the neighbour": ("/urllib3/", "/http/client.py", "/ssl.py", "chassis/client.py", "chassis/connections.py"),
    "messages": ("bazar/contracts/",),
    "templates": ("/jinja2/", "/markupsafe/", "/babel/", "bazar/frontend/templates/"),
    "Flask, werkzeug": ("/flask/", "/werkzeug/"),
    "our other code: door, views, use cases": ("/src/bazar/",),
}
REST = "none of these"
HANDING_OVER = "handing over to a thread and back"
LOOPS = "loops beside"


class Asked:
    """Requests of one kind, asked of an application one after the other.

    ``made``: the next request. ``is_right``: whether an answer is, by its status and body; each is looked at.
    ``gathers``: whether they come to a Gather. ``together``: so many purchases are in each; figures are of one of them.
    """

    def __init__(
        self,
        build: Callable[[], RunningService],
        made: Callable[[], WSGIEnvironment],
        is_right: Callable[[str, bytes], bool],
        *,
        requests: int,
        gathers: bool = False,
        together: int = 1,
    ) -> None:
        self._build = build
        self._made = made
        self._is_right = is_right
        self._requests = requests
        self._gathers = gathers
        self._together = together
        self._parts: Counter[str] = Counter()

    def column(self) -> dict[str, str]:
        """Microseconds of CPU, in all and of each part, by the names of the rows."""
        whole, of_requests = self._rounds()
        at_once = of_requests
        if self._gathers:
            with patch.multiple(Gather, ask=_ask_at_once, ask_all=_ask_all_at_once):
                _, at_once = self._rounds()
        cells = {name: at_once * self._parts[name] / self._parts.total() for name in (*PARTS, REST)}
        cells |= {HANDING_OVER: of_requests - at_once, LOOPS: whole.median - of_requests}
        return {"in all, median (least to most)": whole.told()} | {name: f"{cell:,.0f}" for name, cell in cells.items()}

    def _rounds(self) -> tuple[Spread, float]:
        """Microseconds of the process, and the median of those of the threads that see to requests."""
        service = self._build()
        try:
            self._round(service)  # what is made or remembered once
            self._parts.clear()
            wholes, of_requests = zip(*(self._round(service) for _ in range(ROUNDS)), strict=True)
        finally:
            service.stop()
        return Spread.of(wholes), median(of_requests)

    def _round(self, service: RunningService) -> tuple[float, float]:
        environs = [self._made() for _ in range(self._requests)]
        began = time.process_time(), _seconds_of_requests()
        with _ticking(self._look):
            answers = self._answers(service, environs)
        ended = time.process_time(), _seconds_of_requests()
        for status, body in answers:
            assert self._is_right(status, body), (status, body)
        whole, of_requests = (
            (after - before) / self._requests / self._together * 1e6 for before, after in zip(began, ended, strict=True)
        )
        return whole, of_requests

    def _answers(self, service: RunningService, environs: Sequence[WSGIEnvironment]) -> list[tuple[str, bytes]]:
        statuses: list[str] = []

        def start_response(status: str, *_: object) -> Callable[[bytes], object]:
            statuses.append(status)
            return lambda _data: None

        bodies = [b"".join(service.app(environ, start_response)) for environ in environs]
        return list(zip(statuses, bodies, strict=True))

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        while frame is not None and (file := frame.f_code.co_filename) != __file__:
            for name, places in PARTS.items():
                if any(place in file for place in places):
                    self._parts[name] += 1
                    return
            frame = frame.f_back
        self._parts[REST] += 1


def _seconds_of_requests() -> float:
    """CPU of this thread and of those of Gathers."""
    gathering = [thread.ident for thread in threading.enumerate() if thread.name.startswith("gather ")]
    clocks = [time.pthread_getcpuclockid(ident) for ident in gathering if ident is not None]
    return time.thread_time() + sum(map(time.clock_gettime, clocks))


def _ask_at_once(gather: Gather[Any, Any], item: object, deadline: Deadline) -> object:
    (outcome,) = _ask_all_at_once(gather, [item], deadline)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _ask_all_at_once(gather: Gather[Any, Any], items: Sequence[object], deadline: Deadline) -> Sequence[object]:
    return gather._carry_out(items, deadline)


class _Event(ctypes.Structure):
    """``struct sigevent`` of Linux, see sigevent(3type)."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("thread", ctypes.c_int),
        ("padding", ctypes.c_int * 11),
    )


@contextmanager
def _ticking(look: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have ``look`` called as this thread, the main one, spends CPU time.

    setitimer would do it as any thread does, and take this one for the one at work: Python knows no other timers.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    timer, thread_id_notifies = ctypes.c_void_p(), 4
    event = _Event(signal=signal.SIGPROF, notify=thread_id_notifies, thread=threading.get_native_id())
    every = (ctypes.c_long * 4)(0, SAMPLE_EVERY_NANOSECONDS, 0, SAMPLE_EVERY_NANOSECONDS)
    before = signal.signal(signal.SIGPROF, look)
    if libc.timer_create(time.CLOCK_THREAD_CPUTIME_ID, ctypes.byref(event), ctypes.byref(timer)):
        raise OSError(ctypes.get_errno(), "timer_create")
    libc.timer_settime(timer, 0, every, None)
    try:
        yield
    finally:
        libc.timer_delete(timer)
        signal.signal(signal.SIGPROF, before)
