"""The loop "index writer": keeps the search index up with the feed of changes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bazar.catalog.search.index import BookIndex, IndexBroken, Position
from bazar.catalog.use_cases.search_books import IndexEntry
from bazar.chassis.clock import Monotonic
from bazar.chassis.logging import get_logger
from bazar.chassis.loop import Loop

POLL_SECONDS = 0.05
#: While another process writes: at a reload the new one starts before the old one has ended.
LOCK_POLL_SECONDS = 0.2
#: A commit takes 10 to 30 ms of a core: under load changes are gathered for so long between two.
COMMIT_PAUSE_SECONDS = 0.4

_CHANGES_A_READ = 1_000
_MOST_BOOKS_A_COMMIT = 5_000
_BOOKS_A_READ = 500

_log = get_logger(__name__)


class IndexSource(Protocol):
    """The database, as the index follows it."""

    def position(self) -> tuple[str, int]:
        """The feed's epoch, and the number of the last visible change."""
        ...

    def changed_after(self, number: int, limit: int) -> Sequence[tuple[int, int]]:
        """(Number of the change, item number), ascending."""
        ...

    def entries(self, item_numbers: Sequence[int]) -> Sequence[IndexEntry]:
        """Those that are sold."""
        ...

    def all_entries(self, after_item_number: int, limit: int) -> Sequence[IndexEntry]:
        """The books that are sold, ascending by item number."""
        ...


@dataclass(frozen=True)
class _Rebuild:
    """A rebuild under way: begun at ``position``, done up to a book."""

    position: Position
    after_item_number: int = 0


class IndexWriter:
    """Follows the feed. Searching works meanwhile, on what was committed last."""

    def __init__(self, index: BookIndex, source: IndexSource, monotonic: Monotonic = time.monotonic) -> None:
        self._index = index
        self._source = source
        self._monotonic = monotonic
        self._rebuild: _Rebuild | None = None
        self._rest_until = monotonic()
        self._loop = Loop("index writer", self.step)

    def start(self) -> None:
        """Begin to follow."""
        self._loop.start()

    def wake(self) -> None:
        """Something has changed: look at once."""
        self._loop.wake()

    def stop(self) -> None:
        """End; what is not committed is read from the feed again by the next writer."""
        self._loop.stop()
        self._index.close()

    def step(self) -> float:
        """Do what is to be done now; the seconds to rest. Raises what the source raises, and IndexBroken."""
        if not self._index.acquire():
            self._index.refresh()
            return LOCK_POLL_SECONDS
        try:
            return self._follow() if self._rebuild is None else self._rebuild_on(self._rebuild)
        except IndexBroken:
            self._rebuild = None
            self._index.abandon()
            raise

    def _follow(self) -> float:
        rest = self._rest_until - self._monotonic()
        if rest > 0:
            return rest
        epoch, last = self._source.position()
        here = self._index.position
        if here is None or here.epoch != epoch or here.number > last:
            _log.info("search_index_rebuild", was=here, epoch=epoch)
            self._index.begin_rebuild()
            self._rebuild = _Rebuild(Position(epoch, last))
            return 0
        return POLL_SECONDS if here.number == last else self._apply(here)

    def _apply(self, here: Position) -> float:
        changed, number, more = self._changes_after(here.number)
        # All is read before anything is written: a database that fails leaves nothing half done.
        entries = [
            entry
            for first in range(0, len(changed), _BOOKS_A_READ)
            for entry in self._source.entries(changed[first : first + _BOOKS_A_READ])
        ]
        position = Position(here.epoch, number)
        if self._index.update(changed, entries):
            self._index.commit(position)
        else:
            self._index.remember(position)
        if more:
            return 0
        self._rest_until = self._monotonic() + COMMIT_PAUSE_SECONDS
        return COMMIT_PAUSE_SECONDS

    def _changes_after(self, number: int) -> tuple[list[int], int, bool]:
        """Books that changed, the number of the last change read, and whether there may be more."""
        changed: dict[int, None] = {}
        while len(changed) < _MOST_BOOKS_A_COMMIT:
            read = self._source.changed_after(number, _CHANGES_A_READ)
            changed.update(dict.fromkeys(item_number for _, item_number in read))
            if read:
                number = read[-1][0]
            if len(read) < _CHANGES_A_READ:
                return list(changed), number, False
        return list(changed), number, True

    def _rebuild_on(self, rebuild: _Rebuild) -> float:
        """One part of the rebuild: between two of them the loop can be stopped."""
        entries = self._source.all_entries(rebuild.after_item_number, _BOOKS_A_READ)
        self._index.add(entries)
        if len(entries) == _BOOKS_A_READ:
            self._rebuild = _Rebuild(rebuild.position, entries[-1].item_number)
            return 0
        self._index.commit(rebuild.position)
        self._rebuild = None
        return 0
