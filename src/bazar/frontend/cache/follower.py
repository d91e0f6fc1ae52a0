"""The loop "follow the feed": asks the catalog what has changed and lets the kept answers know."""

import time
from collections.abc import Callable

from bazar.chassis.logging import get_logger
from bazar.chassis.loop import Loop
from bazar.contracts.books import MOST_CHANGES_TOGETHER, Changes
from bazar.frontend.cache.answers import Answers
from bazar.frontend.domain.errors import NeighbourAway

#: Between two looks: a change is seen after 25 ms on the average.
REST_SECONDS = 0.05
#: While the catalog does not answer.
PAUSE_SECONDS = 0.25

_log = get_logger(__name__)


class FeedFollower:
    """Follows the feed from wherever it is at the first look; another epoch ends all that is kept."""

    def __init__(self, answers: Answers, changes_after: Callable[[int], Changes]) -> None:
        self._answers = answers
        self._changes_after = changes_after
        self._loop = Loop("follow the feed", self.step)
        self._is_silent = False

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def stop(self) -> None:
        """End after the look at hand."""
        self._loop.stop()

    def step(self) -> float:
        """One look; the seconds to rest before the next."""
        asked_at = time.monotonic()
        heard = self._answers.heard
        try:
            found = self._changes_after(heard.number)
        except NeighbourAway as error:
            if not self._is_silent:
                _log.warning("feed_silent", detail=error.detail)
            self._is_silent = True
            return PAUSE_SECONDS
        self._is_silent = False
        if found.epoch != heard.epoch:
            self._answers.follow(found.epoch, found.last, (), asked_at)
            return 0.0
        is_all = len(found.changes) < MOST_CHANGES_TOGETHER
        number = found.last if is_all else found.changes[-1].number
        self._answers.follow(found.epoch, number, found.changes, asked_at)
        return REST_SECONDS if is_all else 0.0
