"""One simulated world: time, chance, what happens to processes, and what is noted of it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from bazar.chassis.database import StorageUnavailable
from bazar.contracts.names import CATALOG, FRONTEND, ORDER
from simulation.faults import Fault, Faults, Occasion
from simulation.history import History
from simulation.scheduler import Crash, Process, Scheduler, Task

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
CURRENCY = "USD"
#: What order ids are made with: random in a real shop, here the same in each run, since the order of holds follows.
SECRET = b"simulated" * 4
#: Of the feed: random in a real shop.
EPOCH = "5e1f"
DAY_SECONDS = 86_400.0
#: SIGSTOP lasts longer than a request (5 s) and a connection's patience, and sometimes longer than the sweep's (15 s).
STANDS_STILL_SECONDS = (5.5, 18.0)
#: Chance that at a step nobody else gets a turn.
RUNS_ON = 0.7
#: How long others may run at a step: mostly a moment, sometimes long enough to be overtaken by anybody.
MOMENT_SECONDS = 0.004
LONGEST_MOMENT_SECONDS = 1.5
LONG_MOMENTS = 0.06

#: What names one order or book in the path of a request, and its query.
_ANY_NAME = re.compile(r"(?<=/)([a-z2-7]{32}|[0-9]+)|\?.*")

_KILLED = {FRONTEND: Fault.FRONTEND_KILLED, ORDER: Fault.ORDER_KILLED, CATALOG: Fault.CATALOG_KILLED}


#: What a fault's chance is multiplied by: it strikes most where it does most harm. By the beginning of the task's name:
#: a request, a loop (settle, gather, sweep), a start; whatever else there is reads.
_TIMES = {"POS": 1.5, "PAT": 1.5, "DEL": 1.5, "set": 1.5, "gat": 1.5, "swe": 1.0, "sta": 1.0}
_TIMES_FOR_READERS = 0.5
#: Tasks that find what a crash has left.
_RECOVERING = ("swe", "sta")


class ServerProcess(Process):
    """One run of one server of a service."""

    def __init__(self, service: str, name: str, on_death: Callable[["ServerProcess"], None]) -> None:
        super().__init__(name)
        self.service = service
        self.on_death = on_death


class World:
    """What all parts of a simulation share. Everything that is random is drawn from ``random``."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - repeatable is what it has to be
        self.history = History()
        self.scheduler = Scheduler(self._task_failed)
        self.faults = Faults(self.random, lambda: self.scheduler.now)
        self._occasions = {
            (service, task): self._occasion(Fault.KILLED_IN_RECOVERY if task in _RECOVERING else killed, times)
            for service, killed in _KILLED.items()
            for task, times in _TIMES.items()
        }
        self._for_readers = {service: self._occasion(killed, _TIMES_FOR_READERS) for service, killed in _KILLED.items()}
        #: Promises that were broken, in words.
        self.violations: list[str] = []

    # What the code is given instead of the machine's clocks.

    def wall_clock(self) -> datetime:
        """The time of day, as the process at hand believes it to be."""
        seconds = self.scheduler.now + self.scheduler.current.process.clock_error_seconds
        return NOON + timedelta(seconds=seconds)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return self.scheduler.now

    # What is noted.

    def note(self, what: str, *values: object) -> None:
        """Something that the task at hand does."""
        self.history.note(self.scheduler.now, self.scheduler.current.process.name, what, *values)

    def happens(self, who: str, what: str, *values: object) -> None:
        """Something that nobody does."""
        self.history.note(self.scheduler.now, who, what, *values)

    def violation(self, what: str) -> None:
        """A promise is broken."""
        self.happens("VIOLATION", "{}", what)
        self.violations.append(what)

    # What may happen at every step.

    def step(self, what: str) -> None:
        """A named step of the protocol: others may run here, and the process may be killed or stopped."""
        process, task = self.scheduler.current.process, self.scheduler.current.name
        if not process.alive:
            raise Crash
        if isinstance(process, ServerProcess):
            occasion = self._occasions.get((process.service, task[:3])) or self._for_readers[process.service]
            fault = occasion.strikes()
            if fault is Fault.CLOCK_JUMPS:
                self._clock_jumps(process)
            elif fault is Fault.STOPPED:
                self._stop(process, what)
            elif fault is not None:
                self.faults.kill_points[f"{process.service}: {_ANY_NAME.sub('…', what)}"] += 1
                self.note("is killed: {}", what)
                self.scheduler.at(0.0, None, partial(self.kill, process))
                self.scheduler.wait(None)
        if self.random.random() < RUNS_ON:
            return
        self.scheduler.sleep(self.moment())

    def moment(self) -> float:
        """Some seconds, mostly few; in peace always few."""
        drawn = self.random.random()
        is_long = drawn < LONG_MOMENTS and not self.faults.have_ended
        return self.random.random() * LONGEST_MOMENT_SECONDS if is_long else drawn * MOMENT_SECONDS

    def kill(self, process: ServerProcess) -> None:
        """It is gone, with all it knew (from outside of any task)."""
        if process.alive:
            self.scheduler.kill(process)
            process.on_death(process)

    def _occasion(self, killed: Fault, times: float) -> Occasion:
        return self.faults.occasion(killed, Fault.STOPPED, Fault.CLOCK_JUMPS, times=times)

    def _clock_jumps(self, process: Process) -> None:
        process.clock_error_seconds = (self.random.random() * 2 - 1) * DAY_SECONDS
        self.note("its clock is now wrong by {:.0f} s", process.clock_error_seconds)

    def _stop(self, process: Process, what: str) -> None:
        shortest, longest = STANDS_STILL_SECONDS
        seconds = shortest + (longest - shortest) * self.random.random()
        self.note("stands still for {:.1f} s: {}", seconds, what)
        self.faults.lasts_until(self.scheduler.now + seconds)
        self.scheduler.at(0.0, None, partial(self.scheduler.stop, process))
        self.scheduler.at(seconds, None, partial(self.goes_on, process))

    def goes_on(self, process: Process) -> None:
        """It moves again, if it still lives."""
        if process.stands_still:
            self.happens(process.name, "goes on")
            self.scheduler.go_on(process)

    def _task_failed(self, task: Task, error: Exception) -> None:
        if not isinstance(error, StorageUnavailable):
            self.violation(f"{task.process.name}: {task.name} ends with {error!r}")
