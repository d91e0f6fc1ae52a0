"""What goes wrong: each kind with its rate, which the seed varies, so that each run has its own mix."""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """The faults of the design (docs/life-of-a-purchase.md), by the words that counts and histories use."""

    FRONTEND_KILLED = "front-end killed"
    ORDER_KILLED = "order server killed"
    CATALOG_KILLED = "catalog killed"
    KILLED_IN_RECOVERY = "killed again while it recovers"
    STOPPED = "process stopped for longer than every deadline"
    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"
    BROKEN = "connection broken"
    DOUBLED = "request doubled"
    LATE = "request late, its caller gone"
    SLOW = "answer slow"
    LOCKED = "database locked, for a while or too long"
    UNREADABLE = "database cannot be read"
    DISK_FULL = "disk full at commit"
    COMMIT_UNKNOWN = "committed, but an error told"
    CLOCK_JUMPS = "wall clock jumps by up to a day"


KILLS = (Fault.FRONTEND_KILLED, Fault.ORDER_KILLED, Fault.CATALOG_KILLED)
ON_THE_WAY = (Fault.REQUEST_LOST, Fault.ANSWER_LOST, Fault.BROKEN, Fault.DOUBLED, Fault.LATE, Fault.SLOW)

#: Chance at each occasion: a step of a process, a message, a transaction.
_CHANCES = {
    Fault.FRONTEND_KILLED: 0.007,
    Fault.ORDER_KILLED: 0.01,
    Fault.CATALOG_KILLED: 0.011,
    Fault.KILLED_IN_RECOVERY: 0.01,
    Fault.STOPPED: 0.002,
    Fault.REQUEST_LOST: 0.02,
    Fault.ANSWER_LOST: 0.04,
    Fault.BROKEN: 0.05,
    Fault.DOUBLED: 0.08,
    Fault.LATE: 0.04,
    Fault.SLOW: 0.04,
    Fault.UNREADABLE: 0.008,
    Fault.LOCKED: 0.07,
    Fault.DISK_FULL: 0.03,
    Fault.COMMIT_UNKNOWN: 0.03,
    Fault.CLOCK_JUMPS: 0.008,
}
#: What a seed multiplies a chance by: a run may be without one kind and full of another.
_INTENSITIES = (0.0, 0.5, 1.0, 1.0, 3.0)


class Faults:
    """Strikes until it is told to end."""

    def __init__(self, random: Random, now: Callable[[], float]) -> None:
        self.counts: Counter[Fault] = Counter()
        #: Where processes were killed.
        self.kill_points: Counter[str] = Counter()
        #: When the last one was over.
        self.last_at_seconds = 0.0
        self.have_ended = False
        self.random = random
        self._now = now
        self._chances = {fault: chance * random.choice(_INTENSITIES) for fault, chance in _CHANCES.items()}

    def occasion(self, *kinds: Fault, times: float = 1.0) -> "Occasion":
        """Something at which one of these may strike, by their chances, each multiplied."""
        return Occasion(self, [(fault, self._chances[fault] * times) for fault in kinds])

    def struck(self, fault: Fault) -> None:
        """Count it."""
        self.counts[fault] += 1
        self.lasts_until(self._now())

    def lasts_until(self, seconds: float) -> None:
        """What a fault has set off goes on until then."""
        self.last_at_seconds = max(self.last_at_seconds, seconds)

    def end(self) -> None:
        """No more from now on."""
        self.have_ended = True
        self.lasts_until(self._now())


class Occasion:
    """Comes again and again: each step of a process, each message, each commit."""

    def __init__(self, faults: Faults, chances: list[tuple[Fault, float]]) -> None:
        self._faults = faults
        self._chances = chances
        self._any = sum(chance for _, chance in chances)
        self._draw = faults.random.random

    def strikes(self) -> Fault | None:
        """At most one of its faults."""
        if self._faults.have_ended:
            return None
        drawn = self._draw()
        if drawn >= self._any:
            return None
        for fault, chance in self._chances:
            drawn -= chance
            if drawn < 0:
                self._faults.struck(fault)
                return fault
        return None
