"""The loop "sweep": finishes what a crash interrupted (step 7), has cancelled orders returned (step 8), and compares
decisions with holds after a restore."""

from collections.abc import Callable

from bazar.chassis.logging import get_logger
from bazar.chassis.loop import Loop
from bazar.order.domain.errors import CatalogAway

REST_SECONDS = 2.0

_log = get_logger(__name__)


class SweepLoop:
    """One round every two seconds, and one as soon as an order is cancelled; two sweepers at once do no harm."""

    def __init__(
        self,
        sweep: Callable[[], int],
        return_copies: Callable[[], int],
        reconcile: Callable[[], bool] = lambda: False,
    ) -> None:
        self._sweep = sweep
        self._return_copies = return_copies
        self._reconcile = reconcile
        self._loop = Loop("sweep", self._step)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def return_soon(self) -> None:
        """An order was cancelled: have a round at once."""
        self._loop.wake()

    def stop(self) -> None:
        """End after the round at hand."""
        self._loop.stop()

    def _step(self) -> float:
        try:
            try:
                if self._reconcile():
                    _log.info("compared_with_the_catalog")
            finally:  # what cannot be compared or returned keeps nothing from being swept
                try:
                    returned = self._return_copies()
                finally:
                    open_holds = self._sweep()
        except CatalogAway as error:
            _log.info("sweep_waits_for_the_catalog", detail=error.detail)
        else:
            if open_holds or returned:
                _log.info("swept", open_holds=open_holds, returned=returned)
        return REST_SECONDS
