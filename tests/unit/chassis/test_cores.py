"""Threads stay on one core, leave it for long work, and come to no harm where cores cannot be chosen."""

import os
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from bazar.chassis import cores
from bazar.chassis.cores import Core, OnOneCore, any_core

Found = TypeVar("Found")

pytestmark = pytest.mark.skipif(not cores.CORES_CAN_BE_CHOSEN, reason="the system has no say in it")


def in_a_thread(ask: Callable[[], Found]) -> Found:
    """So that no other test runs on the core."""
    found: list[Found] = []
    thread = threading.Thread(target=lambda: found.append(ask()))
    thread.start()
    thread.join()
    return found[0]


def allowed() -> set[int]:
    return os.sched_getaffinity(0)


def test_a_thread_stays_on_the_core_from_its_first_request_on() -> None:
    def tell(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return Response(repr(allowed()))(environ, start_response)

    client = Client(OnOneCore(tell, Core(0)))
    assert in_a_thread(lambda: [client.get("/").text for _ in range(2)]) == [repr({min(allowed())})] * 2


def test_numbers_are_counted_around() -> None:
    def core_of(number: int) -> set[int]:
        Core(number).stay()
        return allowed()

    many = sorted(allowed())
    found = [in_a_thread(partial(core_of, number)) for number in range(2 * len(many))]
    assert found == [{core} for core in many + many]


def test_long_work_goes_where_there_is_room_and_comes_back() -> None:
    def work() -> list[set[int]]:
        seen = []
        with any_core():  # of a thread that stays nowhere
            seen.append(allowed())
        Core(0).stay()
        with any_core():
            seen.append(allowed())
        return [*seen, allowed()]

    assert in_a_thread(work) == [allowed(), allowed(), {min(allowed())}]


def test_threads_that_are_started_in_the_meantime_stay_the_one_that_starts_them_does_not() -> None:
    def start() -> list[set[int]]:
        with Core(0).for_new_threads():
            inside = in_a_thread(allowed)
        return [inside, allowed()]

    assert in_a_thread(start) == [{min(allowed())}, allowed()]


def test_a_system_that_allows_no_choice_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    app = OnOneCore(Response("well"), Core(0))
    assert in_a_thread(lambda: Client(app).get("/").text) == "well"
    monkeypatch.setattr(os, "sched_getaffinity", refuse)
    app = OnOneCore(Response("well"), Core(0))
    assert in_a_thread(lambda: Client(app).get("/").text) == "well"


def test_where_there_is_no_choice_nothing_is_asked_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "CORES_CAN_BE_CHOSEN", False)
    app = OnOneCore(Response("well"), Core(0))
    assert in_a_thread(lambda: (Client(app).get("/").text, allowed())) == ("well", allowed())
