"""The loop "sweep": asks the catalog for open holds and finishes what a crash interrupted (step 7)."""

from collections.abc import Callable

from bazar.chassis.logging import get_logger
from bazar.chassis.loop import Loop
from bazar.order.domain.errors import CatalogAway

REST_SECONDS = 2.0

_log = get_logger(__name__)


class SweepLoop:
    """One round every two seconds; two sweepers at once do no harm."""

    def __init__(self, sweep: Callable[[], int]) -> None:
        self._sweep = sweep
        self._loop = Loop("sweep", self._step)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def stop(self) -> None:
        """End after the round at hand."""
        self._loop.stop()

    def _step(self) -> float:
        try:
            open_holds = self._sweep()
        except CatalogAway as error:
            _log.info("sweep_waits_for_the_catalog", detail=error.detail)
        else:
            if open_holds:
                _log.info("swept", open_holds=open_holds)
        return REST_SECONDS
