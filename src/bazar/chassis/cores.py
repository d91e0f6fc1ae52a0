"""Threads that run Python stay on one core, where the system can be told so (Linux; ADR 0022).

Only one of a process's threads runs Python at a time. Spread over the cores, each turn finds its data in another core's
cache, and begins only when that core has woken up.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

CORES_CAN_BE_CHOSEN = hasattr(os, "sched_setaffinity")

#: ``core`` of a thread that stays on it: what works long, deep below, must not be handed a core to leave it.
_this_thread = threading.local()


class Core:
    """One of the cores that this process may use. Where cores cannot be chosen it does nothing."""

    def __init__(self, number: int) -> None:
        """``number`` is counted around: processes with numbers in sequence share the cores evenly."""
        allowed: list[int] = []
        if CORES_CAN_BE_CHOSEN:
            with suppress(OSError):
                allowed = sorted(os.sched_getaffinity(0))
        self._all = frozenset(allowed)
        self._one = frozenset({allowed[number % len(allowed)]}) if allowed else frozenset()

    def for_new_threads(self) -> AbstractContextManager[None]:
        """Threads that this one starts in the meantime stay on the core."""
        return _meanwhile(self._one, self._all)

    def stay(self) -> None:
        """This thread stays on the core, from its first call on."""
        if not hasattr(_this_thread, "core"):
            _this_thread.core = self
            _move(self._one)

    def left(self) -> AbstractContextManager[None]:
        """This thread, which stays on the core, goes where there is room meanwhile."""
        return _meanwhile(self._all, self._one)


class OnOneCore:
    """The application, each of whose threads stays on the core."""

    def __init__(self, app: WSGIApplication, core: Core) -> None:
        self._app = app
        self._core = core

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        self._core.stay()
        return self._app(environ, start_response)


def any_core() -> AbstractContextManager[None]:
    """For work that is long and is not Python: meanwhile this thread goes where there is room."""
    core: Core | None = getattr(_this_thread, "core", None)
    return nullcontext() if core is None else core.left()


@contextmanager
def _meanwhile(cores: frozenset[int], then: frozenset[int]) -> Iterator[None]:
    _move(cores)
    try:
        yield
    finally:
        _move(then)


def _move(cores: frozenset[int]) -> None:
    if cores:
        with suppress(OSError):  # the system took the core away, or allows no choice: the thread stays where it is
            os.sched_setaffinity(0, cores)
