"""Is there an order of events in which a shelf gave exactly these answers? (Linearizability of one book.)

Each event took effect at one moment between its ``begin`` (the request was sent) and its ``end`` (the answer came).
The search is that of Wing and Gong with memory as Lowe describes it ("Testing for linearizability", 2017): take any
event that may come next, carry it out on the model, go on; go back where no event is left that may. Which events are
done says how many copies are there, so a set of done events is looked at once.

Four observations make it quick, and none leaves a solution out (a test compares it with the plain search):

- What changes nothing (a refusal, a count) is carried out as soon as it is true: where it is, it hinders nobody.
- Of events that do the same, the one with the earliest end goes first: exchange the two in any solution that says
  otherwise, and it stays one.
- What happened perhaps and was undone is as if it had not happened: of two states that differ in nothing else, the
  one that has used up fewer of such events is enough.
- Whatever tells no number of copies and is not sure to be undone can be put off until its end comes, or until a number
  that was told, or a sale that has too few copies, asks for it.
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

    An ``end`` of infinity is that of the history: when all that was on its way had arrived.
    ``change``: copies that came (+) or went (-); they can only go if they are there. ``there``: what was told of the
    number of copies at that moment, after the change. ``certain``: False where nobody knows whether it happened; it
    may then also happen at any later time, or never. ``comes_back``: copies that went and come back at some time
    after that and before the end of the history, by an event of its own; with ``surely`` they have to.
    """

    what: str
    begin: float
    end: float
    change: int = 0
    there: int | None = None
    certain: bool = True
    comes_back: bool = False
    surely: bool = True


@dataclass(frozen=True)
class _Step:
    """An event as the search sees it; ``after`` is the number of the one that it has to follow."""

    event: Event
    begin: float
    end: float  # inf: need never happen
    after: int | None = None


def misfit(initial: int, events: Sequence[Event], settled_at: float) -> str | None:
    """None where the shelf can have given these answers; else what was known when no event could come next.

    ``settled_at``: when all that was on its way had arrived. Raises Undecided.
    """
    return _Search(initial, events, settled_at).run()


class _Search:
    def __init__(self, initial: int, events: Sequence[Event], settled_at: float) -> None:
        steps: list[_Step] = []
        for event in sorted(events, key=lambda event: event.begin):
            end = settled_at if event.end == inf else event.end
            steps.append(_Step(event, event.begin, end if event.certain else inf))
            if event.comes_back:
                back = Event(f"back from {event.what}", event.begin, settled_at, -event.change)
                end = settled_at if event.certain and event.surely else inf
                steps.append(_Step(back, event.begin, end, after=len(steps) - 1))
        self._steps = steps
        self._by_end = sorted(range(len(steps)), key=lambda number: steps[number].end)
        self._certain = sum(1 << number for number, step in enumerate(steps) if step.end < inf)
        #: By their number of copies: events that may happen and be undone, and what undoes them.
        self._perhaps: dict[int, tuple[int, int]] = {}
        for number, step in enumerate(steps):
            if step.event.comes_back and not step.event.certain:
                gone, came_back = self._perhaps.get(step.event.change, (0, 0))
                self._perhaps[step.event.change] = (gone | 1 << number, came_back | 1 << number + 1)
        self._plain = ~sum(gone | came_back for gone, came_back in self._perhaps.values())
        self._initial = initial
        self._farthest: tuple[int, int, int] = (-1, 0, initial)

    def run(self) -> str | None:
        met: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        waiting = [(0, self._initial)]
        tried = 0
        while waiting:
            done, stock = waiting.pop()
            for number in [number for number in self._candidates(done) if self._is_free(number, stock)]:
                done |= 1 << number
            if self._certain & ~done == 0:
                return None
            used = tuple((done & gone).bit_count() for gone, _ in self._perhaps.values())
            away = (n - (done & back).bit_count() for n, (_, back) in zip(used, self._perhaps.values(), strict=True))
            before = met.setdefault((done & self._plain, *away), [])
            if any(all(fewer <= n for fewer, n in zip(other, used, strict=True)) for other in before):
                continue
            before.append(used)
            tried += 1
            if tried > MOST_SETS:
                raise Undecided(f"{len(self._steps)} events, {MOST_SETS} sets of them")
            self._farthest = max(self._farthest, ((done & self._certain).bit_count(), done, stock))
            waiting += self._next(done, stock)
        return self._explain()

    def _candidates(self, done: int) -> list[int]:
        """What may come next: begun before the first of the others has to have ended."""
        horizon = next((self._steps[n].end for n in self._by_end if not done >> n & 1), inf)
        found: list[int] = []
        first = (~done & (done + 1)).bit_length() - 1  # that is not done
        for number in range(first, len(self._steps)):
            step = self._steps[number]
            if step.begin > horizon:
                break
            if not done >> number & 1 and (step.after is None or done >> step.after & 1):
                found.append(number)
        return found

    def _is_free(self, number: int, stock: int) -> bool:
        event = self._steps[number].event
        return not event.change and event.there == stock

    def _next(self, done: int, stock: int) -> list[tuple[int, int]]:
        """The sets that follow, the most promising last."""
        # After the free ones there may be candidates that were too late before.
        candidates = self._candidates(done)
        free = [number for number in candidates if self._is_free(number, stock)]
        if free:
            return [(done | 1 << free[0], stock)]
        candidates.sort(key=lambda number: self._steps[number].end)
        urgent = self._steps[candidates[0]].event
        wanted = self._directions([self._steps[number].event for number in candidates], stock)
        best: dict[tuple[object, ...], int] = {}
        for number in candidates:
            event = self._steps[number].event
            fits = stock + event.change >= 0 and event.there in (None, stock + event.change)
            # Copies that surely go and come back need a moment when they are there: that cannot be put off.
            now_or_never = event is urgent or event.there is not None or (event.comes_back and event.certain)
            if event.change and fits and (now_or_never or (event.change > 0) in wanted):
                follower = (event.comes_back, event.comes_back and event.certain and event.surely)
                best.setdefault((event.change, event.there, *follower), number)
        order = list(best.values())  # by their end
        if urgent.there is not None:
            there = urgent.there - urgent.change
            order.sort(key=lambda number: abs(stock + self._steps[number].event.change - there))
        return [(done | 1 << number, stock + self._steps[number].event.change) for number in reversed(order)]

    def _directions(self, candidates: Sequence[Event], stock: int) -> set[bool]:
        """Whether something asks for more copies (True), for fewer (False), or both."""
        wanted = set()
        for event in candidates:
            if event.there is not None and stock + event.change != event.there:
                wanted.add(stock + event.change < event.there)
            if stock + event.change < 0:
                wanted.add(True)
        return wanted

    def _explain(self) -> str:
        _, done, stock = self._farthest
        left = [step for number, step in enumerate(self._steps) if not done >> number & 1]
        horizon = min(step.end for step in left)
        told = [
            f"  {step.event.what}: change {step.event.change:+d}, there {step.event.there}, "
            f"from {step.begin:.4f} to {step.end:.4f}"
            for step in left
            if step.begin <= horizon
        ]
        return f"no event can come next; {done.bit_count()} are done, {stock} copies are there; open are\n" + "\n".join(
            told
        )
