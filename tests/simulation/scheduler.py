"""Simulated time: tasks take turns, one at a time, in an order that follows from the seed alone.

A task is a greenlet, so that the real code runs in it as it is, and gives up its turn wherever it waits. What a crash
ends at once, and what SIGSTOP holds, is a process: tasks that share memory.
"""

from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from typing import Any

from greenlet import getcurrent, greenlet


class Crash(BaseException):
    """The task's process is dead; nothing catches it, and nothing more is done on the way out."""


class Process:
    """One run of a server: it ends for good with a crash."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.stands_still = False
        #: Seconds that its wall clock is wrong by.
        self.clock_error_seconds = 0.0
        self.tasks: dict[Task, None] = {}
        #: What happened to it while it stood still.
        self.waiting: list[Callable[[], None]] = []


class Task:
    """A thread of a process."""

    __slots__ = ("deadline", "greenlet", "name", "process", "ticket")

    def __init__(self, process: Process, name: str) -> None:
        self.process = process
        self.name = name
        self.greenlet: Any = None
        #: Counts its waits: whoever comes to wake it from an earlier one comes too late.
        self.ticket = 0
        #: Of the request that it answers, on the simulated clock.
        self.deadline: object = None


class Wait:
    """A wait of a task, for whoever is to end it."""

    __slots__ = ("_scheduler", "_task", "_ticket")

    def __init__(self, scheduler: "Scheduler", task: Task) -> None:
        self._scheduler = scheduler
        self._task = task
        self._ticket = task.ticket + 1

    def end(self, value: object) -> None:
        """The task goes on with ``value``, unless it has gone on already."""
        resume = partial(self._scheduler.resume, self._task, self._ticket, value)
        self._scheduler.at(0.0, self._task.process, resume)


class Scheduler:
    """Runs what is due, in the order of its time; what is due at once, in the order it was asked for."""

    def __init__(self, on_error: Callable[[Task, Exception], None]) -> None:
        self.now = 0.0
        self._current: Task | None = None
        self._on_error = on_error
        self._due: list[tuple[float, int, Process | None, Callable[[], None]]] = []
        self._asked = 0
        self._hub = getcurrent()

    @property
    def current(self) -> Task:
        """The task whose turn it is."""
        assert self._current is not None, "asked for outside of any task"
        return self._current

    def at(self, seconds: float, process: Process | None, action: Callable[[], None]) -> None:
        """Have it done in so many seconds, if the process (None: the world) still lives, and when it moves."""
        self._asked += 1
        heappush(self._due, (self.now + seconds, self._asked, process, action))

    def spawn(self, process: Process, name: str, run: Callable[[], object]) -> None:
        """A new task, which begins at its first turn."""
        task = Task(process, name)
        task.greenlet = greenlet(lambda _: self._run(task, run), self._hub)
        process.tasks[task] = None
        self.at(0.0, process, partial(self.resume, task, 0, None))

    def waiting(self) -> Wait:
        """The next wait of the current task."""
        return Wait(self, self.current)

    def wait(self, most_seconds: float | None) -> object:
        """Give up the turn until somebody ends the wait; None when the time is over."""
        task = self.current
        if not task.process.alive:
            raise Crash
        task.ticket += 1
        if most_seconds is not None:
            self.at(most_seconds, task.process, partial(self.resume, task, task.ticket, None))
        value: object = self._hub.switch()
        return value

    def sleep(self, seconds: float) -> None:
        """Give up the turn for so long."""
        self.wait(seconds)

    def resume(self, task: Task, ticket: int, value: object) -> None:
        """Give the turn to the task, if it is still in that wait."""
        if task.ticket == ticket and not task.greenlet.dead:
            self._current = task
            task.greenlet.switch(value)
            self._current = None

    def kill(self, process: Process) -> None:
        """End all its tasks where they are (from outside of any task)."""
        process.alive = False
        process.waiting.clear()
        for task in list(process.tasks):
            if task.greenlet:  # it has begun
                self._current = task
                task.greenlet.throw(Crash)
        self._current = None
        process.tasks.clear()

    def stop(self, process: Process) -> None:
        """SIGSTOP: it stands still, and what reaches it waits."""
        process.stands_still = True

    def go_on(self, process: Process) -> None:
        """SIGCONT."""
        process.stands_still = False
        for action in process.waiting:
            self.at(0.0, process, action)
        process.waiting.clear()

    def run_until(self, done: Callable[[], bool], most_seconds: float) -> bool:
        """Let time pass until it is done; False where that takes longer than ``most_seconds``, or nothing is due."""
        end = self.now + most_seconds
        while not done():
            if not self._due or self._due[0][0] > end:
                return False
            self.now, _, process, action = heappop(self._due)
            if process is None:
                action()
            elif process.stands_still:
                process.waiting.append(action)
            elif process.alive:
                action()
        return True

    def _run(self, task: Task, run: Callable[[], object]) -> None:
        try:
            run()
        except Crash:
            pass
        except Exception as error:  # noqa: BLE001 - the edge of a task: whatever it is, it is told
            self._on_error(task, error)
        finally:
            task.process.tasks.pop(task, None)
