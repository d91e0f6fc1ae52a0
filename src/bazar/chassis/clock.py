"""Clocks and deadlines. Wall-clock time is for people; what runs out is measured on the monotonic clock."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

#: Says what time it is, aware, in UTC.
Clock = Callable[[], datetime]
#: Seconds on a clock that never jumps.
Monotonic = Callable[[], float]


def system_clock() -> datetime:
    """The machine's time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deadline:
    """The moment on the monotonic clock after which nobody waits for the answer any more."""

    at_seconds: float
    monotonic: Monotonic = time.monotonic

    @classmethod
    def after(cls, seconds: float, monotonic: Monotonic = time.monotonic) -> "Deadline":
        """``seconds`` from now."""
        return cls(monotonic() + seconds, monotonic)

    def remaining_seconds(self) -> float:
        """What is left, 0 at the least."""
        return max(0.0, self.at_seconds - self.monotonic())

    @property
    def passed(self) -> bool:
        """Whether nothing is left."""
        return self.remaining_seconds() == 0.0


#: Of the request at hand; None where nobody waits, in the loops say.
request_deadline: ContextVar[Deadline | None] = ContextVar("request_deadline", default=None)
