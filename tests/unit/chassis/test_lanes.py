"""Lanes: so many at work, so many waiting in their order, the rest turned away; and no slot is lost or made."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from bazar.chassis.lanes import Lane, Lanes
from together import together

WAIT_SECONDS = 30.0


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)


def test_whoever_finds_no_slot_and_no_place_is_turned_away() -> None:
    lane = Lane("a", slots=1, longest_wait_seconds=WAIT_SECONDS)
    assert lane.enter()
    with ThreadPoolExecutor(lane.places) as threads:
        waiting = [threads.submit(lane.enter) for _ in range(lane.places)]
        wait_until(lambda: lane.waiting == lane.places)
        assert not lane.enter()
        for _ in waiting:
            lane.leave()
        assert all(waits.result(WAIT_SECONDS) for waits in waiting)
    assert (lane.at_work, lane.waiting) == (1, 0)


def test_whoever_has_waited_longest_is_next() -> None:
    lane = Lane("a", slots=2, longest_wait_seconds=WAIT_SECONDS)
    assert lane.enter()
    assert lane.enter()
    came_in: list[int] = []

    def come(number: int) -> None:
        assert lane.enter()
        came_in.append(number)
        lane.leave()

    with ThreadPoolExecutor(3) as threads:
        visits: list[Future[None]] = []
        for number in range(3):
            visits.append(threads.submit(come, number))
            wait_until(lambda: lane.waiting == len(visits))
        lane.leave()
        for visit in visits:
            visit.result(WAIT_SECONDS)
    assert came_in == [0, 1, 2]
    assert (lane.at_work, lane.waiting) == (1, 0)


def test_whoever_waits_too_long_is_turned_away_and_leaves_no_trace() -> None:
    lane = Lane("a", slots=1, longest_wait_seconds=0.001)
    assert lane.enter()
    assert not lane.enter()
    assert (lane.at_work, lane.waiting) == (1, 0)
    lane.leave()
    assert lane.enter()


def test_no_slot_is_lost_or_made_where_giving_up_and_leaving_meet() -> None:
    lane = Lane("a", slots=3, longest_wait_seconds=0.0001)
    most, inside, counting = [0], [0], threading.Lock()

    def visit() -> None:
        for _ in range(200):
            if lane.enter():
                with counting:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.0001)
                with counting:
                    inside[0] -= 1
                lane.leave()

    together(*[visit] * 12)
    assert most == [3]
    assert (lane.at_work, lane.waiting) == (0, 0)
    assert [lane.enter() for _ in range(4)] == [True, True, True, False]


def test_a_full_lane_leaves_the_others_alone() -> None:
    lanes = Lanes({"short": 1, "long": 1}, lambda _method, path: path.strip("/"))
    assert lanes.of("GET", "/short").enter()
    assert not lanes.of("GET", "/short").enter()  # after the longest wait
    assert lanes.of("GET", "/long").enter()
