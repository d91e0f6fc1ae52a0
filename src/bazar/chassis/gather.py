"""Carries out together what is asked for at the same time: one call, one commit for many (ADR 0013)."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from bazar.chassis.clock import Deadline, request_deadline
from bazar.chassis.logging import get_logger, request_id
from bazar.chassis.loop import Loop

Item = TypeVar("Item")
Result = TypeVar("Result")

_log = get_logger(__name__)


class TimeRanOut(Exception):
    """The deadline came before the result. Whether the item was carried out is unknown."""


@dataclass(frozen=True)
class _Asked(Generic[Item, Result]):
    item: Item
    deadline: Deadline
    request_id: str | None
    outcome: "Future[Result]" = field(default_factory=Future)


class Gather(Generic[Item, Result]):
    """The loop "gather": rounds of items, each round as many as have come in since the one before.

    An item that comes alone waits for nobody. ``carry_out`` gets the items of a round and the latest of their
    deadlines, and returns for each, one by one, its result or the error that ``ask`` raises. What it raises
    itself concerns all of the round if it is ``of_the_round``. Else nobody has foreseen it: each item is then carried
    out alone, so that one bad item harms no other; doing it again must be as good as once. ``lanes`` rounds are under
    way at a time.
    """

    def __init__(
        self,
        name: str,
        carry_out: Callable[[Sequence[Item], Deadline], Sequence[Result | Exception]],
        *,
        of_the_round: tuple[type[Exception], ...] = (),
        most_together: int = 64,
        lanes: int = 1,
    ) -> None:
        self._name = name
        self._carry_out = carry_out
        self._of_the_round = of_the_round
        self._most_together = most_together
        self._waiting: SimpleQueue[_Asked[Item, Result] | None] = SimpleQueue()
        self._loops = [Loop(f"gather {name} {lane}", self._step) for lane in range(lanes)]

    def start(self) -> None:
        """Begin."""
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """End after the rounds at hand."""
        for loop in self._loops:  # first: a loop that woke up and is not told to end would wait again
            loop.end_after_step()
        for _ in self._loops:
            self._waiting.put(None)
        for loop in self._loops:
            loop.stop()

    @property
    def waiting(self) -> int:
        """How many items no round has taken up yet."""
        return self._waiting.qsize()

    def ask(self, item: Item, deadline: Deadline) -> Result:
        """Have the item carried out; raises its error, or TimeRanOut."""
        return _result(self._enter(item, deadline))

    def ask_all(self, items: Sequence[Item], deadline: Deadline) -> Sequence[Result | Exception]:
        """Have all of them carried out; the result or the error of each, one by one."""
        outcomes: list[Result | Exception] = []
        for asked in [self._enter(item, deadline) for item in items]:
            try:
                outcomes.append(_result(asked))
            except Exception as error:  # noqa: BLE001 - handed to who asked
                outcomes.append(error)
        return outcomes

    def _enter(self, item: Item, deadline: Deadline) -> _Asked[Item, Result]:
        asked = _Asked[Item, Result](item, deadline, request_id.get())
        self._waiting.put(asked)
        return asked

    def _step(self) -> float:
        first = self._waiting.get()
        if first is not None:
            together = [first, *self._others()]
            # Who does not wait any more is not begun.
            self._round([asked for asked in together if not asked.deadline.passed])
        return 0.0

    def _others(self) -> list[_Asked[Item, Result]]:
        others: list[_Asked[Item, Result]] = []
        try:
            while len(others) < self._most_together - 1:
                asked = self._waiting.get_nowait()
                if asked is None:  # the end: of another lane, or of this one after this round
                    self._waiting.put(None)
                    break
                others.append(asked)
        except Empty:
            pass
        return others

    def _round(self, together: Sequence[_Asked[Item, Result]]) -> None:
        if not together:
            return
        self._name_the_round(together)
        deadline = max((asked.deadline for asked in together), key=lambda deadline: deadline.at_seconds)
        request_deadline.set(deadline)
        try:
            outcomes = self._carry_out([asked.item for asked in together], deadline)
        except self._of_the_round as error:
            outcomes = [type(error)(*error.args) for _ in together]
        except Exception as error:  # noqa: BLE001 - handed to who asked
            if len(together) > 1:
                _log.exception("round_failed", gather=self._name, items=len(together))
                for asked in together:
                    self._round([asked])
                return
            outcomes = [error]
        for asked, outcome in zip(together, outcomes, strict=True):
            if isinstance(outcome, Exception):
                asked.outcome.set_exception(outcome)
            else:
                asked.outcome.set_result(outcome)

    def _name_the_round(self, together: Sequence[_Asked[Item, Result]]) -> None:
        """A round goes on under the id of its first request; the log says whose rounds those were."""
        first = together[0].request_id
        request_id.set(first)
        if len(together) > 1:
            _log.info("gathered", gather=self._name, with_request_ids=[asked.request_id for asked in together[1:]])


def _result(asked: _Asked[Item, Result]) -> Result:
    try:
        return asked.outcome.result(asked.deadline.remaining_seconds())
    except TimeoutError as error:
        raise TimeRanOut from error
