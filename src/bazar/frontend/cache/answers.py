"""Answers that are kept: bounded in bytes, dropped when what they are made of changes (ADR 0016)."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bazar.contracts.books import Change
from bazar.frontend.cache.forms import Forms
from bazar.frontend.cache.sheets import Sheet

#: The cache is not trusted for longer than this after the feed was last heard.
TRUSTED_SECONDS = 1.0
#: Items of which the last change is remembered.
MOST_CHANGES = 100_000
#: What an answer takes beside its body.
_OVERHEAD_BYTES = 2048

#: What a book in a list takes.
_BOOK_BYTES = 1024

Key = tuple[Hashable, ...]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Part(Generic[Found]):
    """What a page is made of: an answer of the catalog with so many books."""

    found: Found
    books: int

    @property
    def size_bytes(self) -> int:
        """About."""
        return self.books * _BOOK_BYTES


@dataclass(frozen=True)
class Answer:
    """An answer with the position of the catalog that it shows: ``number`` in ``epoch``.

    ``content``: forms for everybody, a sheet that is filled for each visitor of a kind, or a part of pages.
    ``is_page``: it is shown by a browser, which keeps the position in a cookie.
    ``items`` are those that it shows; with ``lists`` any change but one of an offer (price, stock) ends it too.
    ``kept_at`` and ``ends_at`` are on the monotonic clock, in seconds.
    """

    content: Forms | Sheet | Part[Any]
    is_page: bool
    epoch: str
    number: int
    items: frozenset[int]
    lists: bool
    kept_at: float
    ends_at: float

    @property
    def size_bytes(self) -> int:
        """What it takes of the bound."""
        return self.content.size_bytes + _OVERHEAD_BYTES


@dataclass(frozen=True)
class Heard:
    """How far the feed was followed, and until when (monotonic seconds) that may be relied on."""

    epoch: str = ""
    number: int = 0
    until: float = 0.0


class Answers:
    """The answers by their keys. Reading takes no lock; keeping, dropping and the feed take turns."""

    def __init__(self, most_bytes: int, monotonic: Callable[[], float]) -> None:
        self.heard = Heard()
        self._most_bytes = most_bytes
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Answer] = OrderedDict()
        self._keys_of: dict[int, set[Key]] = {}
        self._list_keys: set[Key] = set()
        self._bytes = 0
        #: The last change of an item, of any list; of an item that is not here it is at most ``_floor``.
        self._changed: dict[int, int] = {}
        self._lists_changed = 0
        self._floor = 0

    @property
    def size_bytes(self) -> int:
        """What is kept, in bytes."""
        return self._bytes

    def get(self, key: Key) -> Answer | None:
        """What is kept under the key; whether it may be given is ``is_fresh``'s word."""
        answer = self._kept.get(key)
        if answer is not None:
            try:
                self._kept.move_to_end(key)
            except KeyError:  # dropped by another thread just now
                return None
        return answer

    def is_fresh(self, answer: Answer, seen: tuple[str, int] | None) -> bool:
        """Whether it may be given to somebody who has seen the position: it is then not older than that."""
        heard, now = self.heard, self._monotonic()
        return now < heard.until and now < answer.ends_at and self.is_as_new_as(answer, seen)

    def is_as_new_as(self, answer: Answer, seen: tuple[str, int] | None) -> bool:
        """Whether the answer shows the position, by all that was heard: what is kept has not changed up to there."""
        heard = self.heard
        return answer.epoch == heard.epoch and (seen is None or (seen[0] == heard.epoch and seen[1] <= heard.number))

    def keep(self, key: Key, answer: Answer) -> bool:
        """Keep the answer; False where what it shows has changed meanwhile, or nothing is known of its time."""
        with self._lock:
            if not self._is_current(answer):
                return False
            self._drop(key)
            self._kept[key] = answer
            self._bytes += answer.size_bytes
            for item in answer.items:
                self._keys_of.setdefault(item, set()).add(key)
            if answer.lists:
                self._list_keys.add(key)
            while self._bytes > self._most_bytes:
                self._drop(next(iter(self._kept)))
            return key in self._kept

    def follow(self, epoch: str, number: int, changes: Iterable[Change], asked_at: float) -> None:
        """All changes up to ``number`` are these and those before; the feed was asked at ``asked_at``."""
        with self._lock:
            if epoch != self.heard.epoch:
                self._begin(number)
            for change in changes:
                self._changed[change.item_number] = change.number
                for key in list(self._keys_of.get(change.item_number, ())):
                    self._drop(key)
                if not change.offer_only:
                    self._lists_changed = change.number
                    for key in list(self._list_keys):
                        self._drop(key)
            if len(self._changed) > MOST_CHANGES:
                self._changed.clear()
                self._floor = number
            self.heard = Heard(epoch, number, asked_at + TRUSTED_SECONDS)

    def _begin(self, number: int) -> None:
        """Another epoch: nothing that is known holds."""
        self._kept.clear()
        self._keys_of.clear()
        self._list_keys.clear()
        self._changed.clear()
        self._bytes = 0
        self._floor = self._lists_changed = number

    def _is_current(self, answer: Answer) -> bool:
        if answer.epoch != self.heard.epoch or answer.number < self._floor:
            return False
        if answer.lists and answer.number < self._lists_changed:
            return False
        return all(self._changed.get(item, 0) <= answer.number for item in answer.items)

    def _drop(self, key: Key) -> None:
        answer = self._kept.pop(key, None)
        if answer is None:
            return
        self._bytes -= answer.size_bytes
        self._list_keys.discard(key)
        for item in answer.items:
            keys = self._keys_of[item]
            keys.discard(key)
            if not keys:
                del self._keys_of[item]
