"""Is there an order of events in which a shelf gave exactly these answers? (Linearizability of one book.)

Each event took effect at one moment between its ``begin`` (the request was sent) and its ``end`` (the answer came).
The search is that of Wing and Gong with memory as Lowe describes it ("Testing for linearizability", 2017): take any
event that may come next, carry it out on the model, go on; go back where no event is left that may. Which events are
done says how many copies are there, so a set of done events is looked at once.

Three observations make it quick, and none leaves a solution out (a test compares it with the plain search):

- What changes nothing (a refusal, a count) is carried out as soon as it is true: where it is, it hinders nobody.
- Of events that do the same, the one with the earliest end goes first: exchange the two in any solution that says
  otherwise, and it stays one.
- Whatever tells no number of copies and is not undone can be put off until its end comes, or until a number that was
  told, or a sale that has too few copies, asks for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

#: A valid history needs some thousand; whoever needs more is not told "wrong" but Undecided.
MOST_SETS = 300_000


class Undecided(Exception):
    """The search was given up: neither right nor wrong is known."""


@dataclass(frozen=True)
class Event:
    """Something that happened to the shelf once between ``begin`` and ``end`` (seconds of one monotonic clock).

    An ``end`` of infinity is that of the history: when all that was on its way had arrived. ``change``: copies that
    came (+) or went (-); they can only go if they are there. ``there``: what was told of the number of copies at that
    moment, after the change. ``comes_back``: the copies that went come back at some time after that.
    """

    what: str
    begin: float
    end: float
    change: int = 0
    there: int | None = None
    comes_back: bool = False


def misfit(initial: int, events: Sequence[Event], settled_at: float) -> str | None:
    """None where the shelf can have given these answers; else what was known when no event could come next.

    ``settled_at``: when all that was on its way had arrived. Raises Undecided.
    """
    return _Search(initial, events, settled_at).run()


@dataclass(frozen=True)
class _Step:
    """An event as the search sees it; ``after`` is the number of the one that it has to follow."""

    event: Event
    end: float
    after: int | None = None


class _Search:
    """A set of done steps is a number: bit n is step n, in the order of their begin."""

    def __init__(self, initial: int, events: Sequence[Event], settled_at: float) -> None:
        steps: list[_Step] = []
        for event in sorted(events, key=lambda event: event.begin):
            steps.append(_Step(event, settled_at if event.end == inf else event.end))
            if event.comes_back:
                back = Event(f"back from {event.what}", event.begin, settled_at, -event.change)
                steps.append(_Step(back, settled_at, after=len(steps) - 1))
        self._steps = steps
        self._by_end = sorted(range(len(steps)), key=lambda number: steps[number].end)
        self._initial = initial
        self._farthest = (0, 0, initial)

    def run(self) -> str | None:
        everything = (1 << len(self._steps)) - 1
        met: set[int] = set()
        waiting = [(0, self._initial)]
        while waiting:
            done, stock = waiting.pop()
            while free := [number for number in self._candidates(done) if self._is_free(number, stock)]:
                done |= sum(1 << number for number in free)
            if done == everything:
                return None
            if done in met:
                continue
            met.add(done)
            if len(met) > MOST_SETS:
                raise Undecided(f"{len(self._steps)} steps, {MOST_SETS} sets of them")
            self._farthest = max(self._farthest, (done.bit_count(), done, stock))
            waiting += self._next(done, stock)
        return self._explain()

    def _candidates(self, done: int) -> list[int]:
        """What may come next: begun before the first of the others has to have ended."""
        horizon = next((self._steps[n].end for n in self._by_end if not done >> n & 1), inf)
        found: list[int] = []
        first = (~done & (done + 1)).bit_length() - 1  # that is not done
        for number in range(first, len(self._steps)):
            step = self._steps[number]
            if step.event.begin > horizon:
                break
            if not done >> number & 1 and (step.after is None or done >> step.after & 1):
                found.append(number)
        return found

    def _is_free(self, number: int, stock: int) -> bool:
        event = self._steps[number].event
        return not event.change and event.there == stock

    def _next(self, done: int, stock: int) -> list[tuple[int, int]]:
        """The sets that follow, the most promising last."""
        candidates = sorted(self._candidates(done), key=lambda number: self._steps[number].end)
        urgent = self._steps[candidates[0]].event
        wanted = _directions([self._steps[number].event for number in candidates], stock)
        first_of_its_kind: dict[tuple[object, ...], int] = {}
        for number in candidates:
            event = self._steps[number].event
            fits = stock + event.change >= 0 and event.there in (None, stock + event.change)
            # Copies that go and come back need a moment when they are there: that cannot be put off.
            now_or_never = event is urgent or event.there is not None or event.comes_back
            if event.change and fits and (now_or_never or (event.change > 0) in wanted):
                first_of_its_kind.setdefault((event.change, event.there, event.comes_back), number)
        order = list(first_of_its_kind.values())  # by their end
        if urgent.there is not None:
            there = urgent.there - urgent.change
            order.sort(key=lambda number: abs(stock + self._steps[number].event.change - there))
        return [(done | 1 << number, stock + self._steps[number].event.change) for number in reversed(order)]

    def _explain(self) -> str:
        _, done, stock = self._farthest
        left = [step for number, step in enumerate(self._steps) if not done >> number & 1]
        horizon = min(step.end for step in left)
        told = [
            f"  {step.event.what}: change {step.event.change:+d}, there {step.event.there}, "
            f"from {step.event.begin:.4f} to {step.end:.4f}"
            for step in left
            if step.event.begin <= horizon
        ]
        return "\n".join(
            [f"no event can come next; {done.bit_count()} are done, {stock} copies are there; open:", *told]
        )


def _directions(candidates: Sequence[Event], stock: int) -> set[bool]:
    """Whether something asks for more copies (True), for fewer (False), or both."""
    wanted = set()
    for event in candidates:
        if event.there is not None and stock + event.change != event.there:
            wanted.add(stock + event.change < event.there)
        if stock + event.change < 0:
            wanted.add(True)
    return wanted
