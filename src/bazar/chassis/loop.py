"""A named loop beside the requests: one step after the other, started by wiring, stopped at shutdown."""

import threading
from collections.abc import Callable

from bazar.chassis.logging import get_logger

PAUSE_AFTER_ERROR_SECONDS = 1.0
LONGEST_STOP_SECONDS = 5.0

_log = get_logger(__name__)


class Loop:
    """Runs ``step`` again and again; ``step`` returns the seconds to rest before the next."""

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        self._name = name
        self._step = step
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def wake(self) -> None:
        """End the rest at hand, or the next one, at once."""
        self._wake.set()

    def end_after_step(self) -> None:
        """Let the step at hand finish and end; does not wait for it."""
        self._stopping = True
        self._wake.set()

    def stop(self) -> None:
        """Let the step at hand finish and end; returns when it did, or after LONGEST_STOP_SECONDS."""
        self.end_after_step()
        if self._thread.ident is not None:
            self._thread.join(LONGEST_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping:
            try:
                rest_seconds = self._step()
            except Exception:  # noqa: BLE001 - logged in full below
                # The edge of a thread: whatever one step met, the next one is tried.
                _log.exception("loop_step_failed", loop=self._name)
                rest_seconds = PAUSE_AFTER_ERROR_SECONDS
            self._wake.wait(rest_seconds)
            self._wake.clear()
