"""Lanes: of each kind of request so many are at work, so many more wait shortly, and the rest hear at once that it is
too much (ADR 0014). Here stand the numbers; ``chassis/admission.py`` is the door.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping

#: Requests of one kind at work at a time. More of them would only take turns at the interpreter's lock.
SLOTS = 16
#: So many times as many of what mostly waits for neighbours, and travels together there.
MANY_TIMES = 4
#: For what only a few ask, one after the other: whoever watches, a neighbour's loops.
FEW_SLOTS = 4
#: Places to wait in front of a lane: so many for each of its slots, but no more than these.
PLACES_PER_SLOT = 2
MOST_PLACES = 32
#: Waiting longer helps nobody: an answer "too much" is of use only while it is quick.
LONGEST_WAIT_SECONDS = 0.1
#: Threads beyond those that have a slot or wait for one: some take in bodies, the others tell the rest.
SPARE_THREADS = 16


class Lane:
    """Requests of one kind: so many at work, and places for those who wait, in the order in which they came."""

    def __init__(self, name: str, slots: int, longest_wait_seconds: float = LONGEST_WAIT_SECONDS) -> None:
        self.name = name
        self.slots = slots
        self.places = min(PLACES_PER_SLOT * slots, MOST_PLACES)
        self._longest_wait_seconds = longest_wait_seconds
        self._at_work = 0
        self._queue: deque[threading.Lock] = deque()
        self._changing = threading.Lock()

    @property
    def at_work(self) -> int:
        """How many have a slot."""
        return self._at_work

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._queue)

    def enter(self) -> bool:
        """Take a slot; False, at once or after the longest wait, where there is none to be had."""
        with self._changing:
            if self._at_work < self.slots:
                self._at_work += 1
                return True
            if len(self._queue) >= self.places:
                return False
            turn = threading.Lock()
            turn.acquire()  # whoever leaves releases it, and the slot is ours
            self._queue.append(turn)
        if turn.acquire(timeout=self._longest_wait_seconds):
            return True
        with self._changing:
            if turn in self._queue:
                self._queue.remove(turn)
                return False
        return True  # it came in the very moment in which we gave up

    def leave(self) -> None:
        """Give the slot to whoever has waited longest, or back."""
        with self._changing:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._at_work -= 1


class Lanes:
    """The lanes of one server by name, and which of them a request takes."""

    def __init__(self, slots: Mapping[str, int], name_of: Callable[[str, str], str]) -> None:
        """``name_of`` gets method and path and names one of ``slots``."""
        self.all = {name: Lane(name, count) for name, count in slots.items()}
        self._name_of = name_of

    def of(self, method: str, path: str) -> Lane:
        """The lane of a request."""
        return self.all[self._name_of(method, path)]


def most_threads(slots: int) -> int:
    """Threads for a server with lanes of 4 times ``slots`` in all, one of many times that and two of a few, all full.

    They are made when they are first needed, and keep some 200 KB each.
    """
    at_work = (4 + MANY_TIMES) * slots + 2 * FEW_SLOTS
    waiting = 4 * MOST_PLACES + 2 * PLACES_PER_SLOT * FEW_SLOTS
    return at_work + waiting + SPARE_THREADS
