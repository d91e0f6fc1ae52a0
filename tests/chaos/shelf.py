"""Is there an order of events in which a shelf gave exactly these answers? (Linearizability of one book.)

Each event took effect at one moment between its ``begin`` (the request was sent) and its ``end`` (the answer came).
The search is that of Wing and Gong with memory as Lowe describes it ("Testing for linearizability", 2017): take any
event that may come next, carry it out on the model, go on; go back where no event is left that may, and never look at
a state twice.

Five observations make it quick, and none leaves a solution out (a test compares it with the plain search):

- What changes nothing (a refusal, a count) is carried out as soon as it is true: where it is, it hinders nobody.
- Of events that do the same, the one with the earliest end goes first: exchange the two in any solution that says
  otherwise, and it stays one.
- Whatever tells no number of copies can be put off until its end comes, or until a number that was told, or a sale
  that has too few copies, asks for it.
- Copies that went and came back need one moment when they are there. From that moment on they may, but need not, be
  away for a while to explain a refusal.
- A state from which a sale must lack copies by its end, or a number that was told is out of reach whatever is put off
  or hurried, is left at once, and not only when that moment comes.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import inf

#: A valid history needs some thousand; whoever needs more is not told "wrong" but Undecided.
MOST_STATES = 100_000


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
class _State:
    """``done``: bit n is event n. ``away``: the copies that are to come back, sale by sale, ascending.

    ``possible``: sales that come back, and of which there was a moment when they could have been and gone.
    """

    done: int
    stock: int
    away: tuple[int, ...] = ()
    possible: int = 0


class _Search:
    def __init__(self, initial: int, events: Sequence[Event], settled_at: float) -> None:
        self._events = sorted(
            (replace(event, end=min(event.end, settled_at)) if event.end == inf else event for event in events),
            key=lambda event: event.begin,
        )
        self._by_end = sorted(range(len(events)), key=lambda number: self._events[number].end)
        self._settled_at = settled_at
        self._initial = initial
        self._farthest = _State(0, initial)

    def run(self) -> str | None:
        everything = (1 << len(self._events)) - 1
        met: dict[tuple[object, ...], list[int]] = {}
        waiting = [_State(0, self._initial)]
        tried = 0
        while waiting:
            state = self._carry_out_what_is_free(waiting.pop())
            if state.done == everything and not state.away:
                return None
            others = met.setdefault((state.done, state.away), [])
            if any(state.possible & ~other == 0 for other in others):
                continue
            others.append(state.possible)
            tried += 1
            if tried > MOST_STATES:
                raise Undecided(f"{len(self._events)} events, {MOST_STATES} states")
            self._farthest = max(self._farthest, state, key=lambda state: state.done.bit_count())
            waiting += reversed(self._next(state))
        return self._explain()

    def _horizon(self, state: _State) -> float:
        """By when the next event has to happen."""
        first = next((self._events[n].end for n in self._by_end if not state.done >> n & 1), inf)
        return min(first, self._settled_at) if state.away else first

    def _candidates(self, state: _State) -> list[int]:
        """What may come next, the most urgent first: begun before the first of the others has to have ended."""
        horizon = self._horizon(state)
        found: list[int] = []
        first = (~state.done & (state.done + 1)).bit_length() - 1  # that is not done
        for number in range(first, len(self._events)):
            if self._events[number].begin > horizon:
                break
            if not state.done >> number & 1:
                found.append(number)
        return sorted(found, key=lambda number: self._events[number].end)

    def _carry_out_what_is_free(self, state: _State) -> _State:
        while True:
            possible, done = state.possible, state.done
            for number in self._candidates(state):
                event = self._events[number]
                if event.comes_back and state.stock + event.change >= 0:
                    possible |= 1 << number
                elif not event.change and event.there == state.stock:
                    done |= 1 << number
            if (done, possible) == (state.done, state.possible):
                return state
            state = replace(state, done=done, possible=possible & ~done)

    def _next(self, state: _State) -> list[_State]:
        """The states that follow, the most promising first."""
        candidates = self._candidates(state)
        wanted = _directions([self._events[number] for number in candidates], state)
        horizon = self._horizon(state)
        found: dict[tuple[object, ...], _State] = {}
        for number in candidates:
            event = self._events[number]
            is_urgent = event.end == horizon
            if is_urgent and state.possible >> number & 1:
                found.setdefault(("never away", number), _done(state, number, 0))
            fits = state.stock + event.change >= 0 and event.there in (None, state.stock + event.change)
            asked_for = is_urgent or event.there is not None or (event.change > 0) in wanted
            if event.change and fits and asked_for:
                kind = (event.change, event.there, event.comes_back)
                found.setdefault(kind, _done(state, number, event.change, away=event.comes_back))
        for copies in dict.fromkeys(state.away):
            if True in wanted or horizon == self._settled_at:
                left = list(state.away)
                left.remove(copies)
                found["back", copies] = replace(state, stock=state.stock + copies, away=tuple(left))
        return self._sorted([state for state in found.values() if self._has_a_future(state)], candidates)

    def _has_a_future(self, state: _State) -> bool:
        """Whether the copies suffice for what must still happen, each event taken by itself: if not, none has."""
        by_begin = [event for number, event in enumerate(self._events) if not state.done >> number & 1]
        by_end = [self._events[number] for number in self._by_end if not state.done >> number & 1]
        may_come = _Sum((event for event in by_begin if event.change > 0), _begin)
        may_go = _Sum((event for event in by_begin if event.change < 0), _begin)
        must_come = _Sum((event for event in by_end if event.change > 0), _end)
        must_go = _Sum((event for event in by_end if event.change < 0 and not event.comes_back), _end)
        most = state.stock + sum(state.away)

        def can_be_told(event: Event, there: int) -> bool:
            fewest_before = state.stock + must_come.before(event.begin) + may_go.until(event.end) - min(event.change, 0)
            most_before = most + may_come.until(event.end) + must_go.before(event.begin) - max(event.change, 0)
            return fewest_before <= there - event.change <= most_before

        return all(most + may_come.until(end) + must_go.until(end) >= 0 for end in must_go.moments) and all(
            can_be_told(event, event.there) for event in by_begin if event.there is not None
        )

    def _sorted(self, states: list[_State], candidates: Sequence[int]) -> list[_State]:
        """Those first that bring the number of copies nearer to what the most urgent event tells."""
        told = [self._events[number] for number in candidates[:1] if self._events[number].there is not None]
        for event in told:
            there = (event.there or 0) - event.change
            states.sort(key=lambda state: abs(state.stock - there))
        return states

    def _explain(self) -> str:
        state = self._farthest
        told = [
            f"  {event.what}: change {event.change:+d}, there {event.there}, from {event.begin:.4f} to {event.end:.4f}"
            for event in (self._events[number] for number in self._candidates(state))
        ]
        what = f"no event can come next; {state.done.bit_count()} are done, {state.stock} copies are there; open:"
        return "\n".join([what, *told])


class _Sum:
    """How many copies come or go up to a moment by events that are in the order of ``moment``."""

    def __init__(self, events: Iterable[Event], moment: Callable[[Event], float]) -> None:
        ordered = list(events)
        self.moments = [moment(event) for event in ordered]
        self._sums = [0, *accumulate(event.change for event in ordered)]

    def before(self, moment: float) -> int:
        return self._sums[bisect_left(self.moments, moment)]

    def until(self, moment: float) -> int:
        return self._sums[bisect_right(self.moments, moment)]


def _begin(event: Event) -> float:
    return event.begin


def _end(event: Event) -> float:
    return event.end


def _done(state: _State, number: int, change: int, *, away: bool = False) -> _State:
    """The event has happened; with ``away`` its copies are to come back."""
    return _State(
        state.done | 1 << number,
        state.stock + change,
        tuple(sorted([*state.away, -change])) if away else state.away,
        state.possible & ~(1 << number),
    )


def _directions(candidates: Sequence[Event], state: _State) -> set[bool]:
    """Whether something asks for more copies (True), for fewer (False), or both."""
    wanted = set()
    for event in candidates:
        then = state.stock + event.change
        if event.there is not None and then != event.there:
            wanted.add(then < event.there)
        if then < 0:
            wanted.add(True)
    return wanted
