"""What stands in for threads and what they wait at: tasks of the process at hand, which give up their turns."""

from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import Any

from simulation.scheduler import Scheduler, Wait


class _Waiting:
    """Those that wait for something."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._waits: list[Wait] = []

    def _wait(self, seconds: float | None) -> bool:
        """False where the time ran out."""
        self._waits.append(self._scheduler.waiting())
        return self._scheduler.wait(seconds) is not None

    def _wake(self) -> None:
        for wait in self._waits:
            wait.end(True)
        self._waits.clear()


class Event(_Waiting):
    """Stands in for threading.Event."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self._is_set = False

    def set(self) -> None:
        self._is_set = True
        self._wake()

    def clear(self) -> None:
        self._is_set = False

    def wait(self, seconds: float) -> bool:
        return self._is_set or self._wait(seconds)


class Condition(_Waiting):
    """Stands in for threading.Condition. Nobody else runs between two turns: there is nothing to lock."""

    def __enter__(self) -> None:
        """Nothing to wait for."""

    def __exit__(self, *_error: object) -> None:
        """Nothing to give back."""

    def wait(self, seconds: float | None = None) -> bool:
        return self._wait(seconds)

    def notify_all(self) -> None:
        self._wake()


class SimpleQueue(_Waiting):
    """Stands in for queue.SimpleQueue."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__(scheduler)
        self._items: deque[Any] = deque()

    def put(self, item: object) -> None:
        self._items.append(item)
        self._wake()

    def get(self) -> Any:
        while not self._items:
            self._wait(None)
        return self._items.popleft()

    def get_nowait(self) -> Any:
        if not self._items:
            raise Empty
        return self._items.popleft()

    def qsize(self) -> int:
        return len(self._items)


class Thread:
    """Stands in for threading.Thread."""

    ident = None

    def __init__(self, scheduler: Scheduler, target: Callable[[], None], name: str, daemon: bool) -> None:
        assert daemon
        self._scheduler = scheduler
        self._target = target
        self._name = name

    def start(self) -> None:
        """A task of the process that starts it."""
        self._scheduler.spawn(self._scheduler.current.process, self._name, self._target)
