"""What is asked for at the same time is carried out together, and one bad item harms no other."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from bazar.chassis.clock import Deadline, request_deadline
from bazar.chassis.gather import Gather, TimeRanOut

WAIT_SECONDS = 30

CarryOut = Callable[[Sequence[int], Deadline], Sequence[int | Exception]]


class DatabaseGone(Exception):
    """Concerns all of a round."""


class Rounds:
    """Doubles numbers; each round waits until it is let through."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.began = threading.Semaphore(0)
        self.let_through = threading.Semaphore(0)

    def __call__(self, items: Sequence[int], _deadline: Deadline) -> Sequence[int | Exception]:
        self.rounds.append(list(items))
        self.began.release()
        assert self.let_through.acquire(timeout=WAIT_SECONDS)
        return [item * 2 for item in items]


@contextmanager
def gathering(carry_out: CarryOut, **options: object) -> Iterator[Gather[int, int]]:
    gather = Gather[int, int]("numbers", carry_out, **options)  # type: ignore[arg-type]  # named where it is called
    gather.start()
    yield gather
    gather.stop()


def soon() -> Deadline:
    """Far enough for all that is meant to happen in a test."""
    return Deadline.after(WAIT_SECONDS)


def ask(threads: ThreadPoolExecutor, gather: Gather[int, int], *items: int) -> list["Future[int]"]:
    """Each in a thread of its own; returns when all of them wait."""
    asked = [threads.submit(gather.ask, item, soon()) for item in items]
    until(lambda: gather.waiting == len(items))
    return asked


def until(condition: Callable[[], bool]) -> None:
    ended = Deadline.after(WAIT_SECONDS)
    while not condition():
        assert not ended.passed


def test_what_comes_while_a_round_is_under_way_travels_together() -> None:
    rounds = Rounds()
    with gathering(rounds) as gather, ThreadPoolExecutor(8) as threads:
        alone = threads.submit(gather.ask, 1, soon())
        assert rounds.began.acquire(timeout=WAIT_SECONDS)  # it waited for nobody
        together = ask(threads, gather, 2, 3, 4)
        rounds.let_through.release(2)
        assert [asked.result(WAIT_SECONDS) for asked in (alone, *together)] == [2, 4, 6, 8]
    assert [sorted(items) for items in rounds.rounds] == [[1], [2, 3, 4]]


def test_a_round_is_no_larger_than_allowed() -> None:
    rounds = Rounds()
    with gathering(rounds, most_together=2) as gather, ThreadPoolExecutor(8) as threads:
        alone = threads.submit(gather.ask, 1, soon())
        assert rounds.began.acquire(timeout=WAIT_SECONDS)
        together = ask(threads, gather, 2, 3, 4)
        rounds.let_through.release(3)
        assert sum(asked.result(WAIT_SECONDS) for asked in (alone, *together)) == 20
    assert sorted(map(len, rounds.rounds)) == [1, 1, 2]


def test_lanes_are_under_way_side_by_side() -> None:
    rounds = Rounds()
    with gathering(rounds, lanes=2) as gather, ThreadPoolExecutor(2) as threads:
        both = []
        for item in (1, 2):
            both.append(threads.submit(gather.ask, item, soon()))
            assert rounds.began.acquire(timeout=WAIT_SECONDS)
        rounds.let_through.release(2)
        assert [asked.result(WAIT_SECONDS) for asked in both] == [2, 4]


def test_all_of_a_request_are_answered_in_their_order() -> None:
    def refuse_threes(items: Sequence[int], _deadline: Deadline) -> Sequence[int | Exception]:
        return [KeyError(item) if item == 3 else item * 2 for item in items]

    with gathering(refuse_threes) as gather:
        one, three, two = gather.ask_all([1, 3, 2], soon())
        assert (one, two) == (2, 4)
        assert isinstance(three, KeyError)
        with pytest.raises(KeyError):
            gather.ask(3, soon())


def test_an_item_that_nobody_foresaw_harms_no_other() -> None:
    def break_at_three(items: Sequence[int], _deadline: Deadline) -> Sequence[int | Exception]:
        return [items.index(99) if item == 3 else item * 2 for item in items]

    with gathering(break_at_three) as gather:
        one, three, two = gather.ask_all([1, 3, 2], soon())
        assert (one, two) == (2, 4)
        assert isinstance(three, ValueError)


def test_what_concerns_the_round_is_told_to_each_and_not_tried_again() -> None:
    rounds: list[Sequence[int]] = []

    def be_gone(items: Sequence[int], _deadline: Deadline) -> Sequence[int | Exception]:
        rounds.append(items)
        raise DatabaseGone("away")

    with gathering(be_gone, of_the_round=(DatabaseGone,)) as gather:
        outcomes = gather.ask_all([1, 2], soon())
    assert [(type(outcome), str(outcome)) for outcome in outcomes] == [(DatabaseGone, "away")] * 2
    assert outcomes[0] is not outcomes[1]
    assert sum(map(len, rounds)) == 2


def test_whoever_does_not_wait_any_more_is_not_begun() -> None:
    rounds = Rounds()
    with gathering(rounds) as gather, ThreadPoolExecutor(1) as threads:
        first = threads.submit(gather.ask, 1, soon())
        assert rounds.began.acquire(timeout=WAIT_SECONDS)
        with pytest.raises(TimeRanOut):
            gather.ask(2, Deadline.after(0))
        rounds.let_through.release(2)
        assert first.result(WAIT_SECONDS) == 2
        assert gather.ask(3, soon()) == 6
    assert rounds.rounds == [[1], [3]]


def test_a_round_has_the_time_of_whoever_waits_longest() -> None:
    deadlines: list[float] = []

    def look(items: Sequence[int], deadline: Deadline) -> Sequence[int | Exception]:
        deadlines.append(deadline.at_seconds)
        return items

    deadline = soon()
    with gathering(look) as gather:
        gather.ask_all([1, 2], deadline)
    assert set(deadlines) == {deadline.at_seconds}


def test_a_round_works_within_its_deadline() -> None:
    seen: list[object] = []

    def carry_out(items: Sequence[int], deadline: Deadline) -> Sequence[int | Exception]:
        seen.append(request_deadline.get() is deadline)
        return items

    with gathering(carry_out) as gather:
        assert gather.ask(1, soon()) == 1
    assert seen == [True]


def test_all_lanes_end_together() -> None:
    with gathering(lambda items, _deadline: list(items), lanes=16) as gather:
        assert gather.ask(1, soon()) == 1
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("gather numbers")] == []
