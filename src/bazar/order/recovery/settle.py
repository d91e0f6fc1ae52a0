"""The loop "settle": has the holds of decided orders settled or released at once, as many together as there are."""

from collections import deque
from collections.abc import Callable, Sequence

from bazar.chassis.logging import get_logger
from bazar.chassis.loop import Loop
from bazar.order.domain.decisions import Decision
from bazar.order.domain.errors import CatalogAway

MOST_TOGETHER = 500
#: What is decided beyond this many unfinished ones is left to the sweep.
MOST_WAITING = 50_000
REST_SECONDS = 60.0

_log = get_logger(__name__)


class SettleLoop:
    """A Finisher. What it loses, by a crash or while the catalog is away, the sweep finds and repeats."""

    def __init__(self, finish: Callable[[Sequence[Decision]], None]) -> None:
        self._finish = finish
        self._waiting: deque[Decision] = deque(maxlen=MOST_WAITING)
        self._loop = Loop("settle", self._step)

    def finish(self, decision: Decision) -> None:
        """Have it done soon; returns at once."""
        self._waiting.append(decision)
        self._loop.wake()

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def stop(self) -> None:
        """End after the batch at hand."""
        self._loop.stop()

    def _step(self) -> float:
        together = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
        if not together:
            return REST_SECONDS
        try:
            self._finish(together)
        except CatalogAway as error:
            _log.warning("left_to_the_sweep", orders=len(together), detail=error.detail)
        return 0.0
