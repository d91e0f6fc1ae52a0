"""Answers of the catalog that go into many pages: kept like pages, and dropped by the feed like them (ADR 0020)."""

from collections.abc import Callable, Collection, Hashable
from typing import Any, TypeVar, cast

from bazar.chassis.position import read_position, seen_position
from bazar.frontend.cache.answers import Answer, Answers, Part
from bazar.frontend.use_cases.ports import Seen

Found = TypeVar("Found")


class Parts:
    """Implements the port Memory. What the visitor at hand has seen is held to, as by the pages."""

    def __init__(self, answers: Answers, monotonic: Callable[[], float]) -> None:
        self._answers = answers
        self._monotonic = monotonic

    def recall(
        self,
        key: Hashable,
        ask: Callable[[], Seen[Found]],
        items_of: Callable[[Found], Collection[int]],
        *,
        is_list: bool = False,
    ) -> Seen[Found]:
        """What is kept under the key, or else what ``ask`` finds; see the port."""
        # Before looking: what is still kept then has not changed up to there.
        heard = self._answers.heard
        kept = self._answers.get(("part", key))
        if kept is not None and self._answers.is_fresh(kept, read_position(seen_position.get())):
            found = cast("Part[Any]", kept.content).found
            return Seen(found, f"{kept.epoch}-{max(kept.number, heard.number)}")
        seen = ask()
        position = read_position(seen.position)
        if position is not None:
            items = frozenset(items_of(seen.answer))
            part, now = Part(seen.answer, len(items)), self._monotonic()
            self._answers.keep(
                ("part", key), Answer(part, False, *position, items, lists=is_list, kept_at=now, ends_at=float("inf"))
            )
        return seen
