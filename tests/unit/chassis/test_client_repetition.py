"""How often a call is made again when its connection breaks."""

import ssl
from typing import Any

import pytest

from bazar.chassis.client import NeighbourUnavailable, ServiceClient
from bazar.chassis.clock import Deadline
from bazar.chassis.connections import NoAnswer, NotConnected, Response
from bazar.contracts import calls
from bazar.contracts.books import Empty
from bazar.contracts.call import Call

BROKEN = NoAnswer("connection broken")
REFUSED = NotConnected("connection refused")


class BreakingConnections:
    """Stand in for those of the chassis; the first calls meet the errors, the others are answered."""

    def __init__(self, *errors: Exception) -> None:
        self.calls = 0
        self._errors = list(errors)

    def ask(self, *_request: Any) -> Response:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return Response(200, {}, b'{"subjects":[]}')


def make(call: Call[Any, Any], connections: BreakingConnections, deadline: Deadline | None = None) -> object:
    client = ServiceClient(
        "catalog", "https://catalog:1", ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), lambda audience: audience
    )
    client._connections = connections  # type: ignore[assignment]  # a stand-in
    return client.call(call, Empty(), deadline or Deadline.after(60.0)).answer


def test_a_call_survives_a_neighbour_that_closes_several_connections() -> None:
    connections = BreakingConnections(BROKEN, BROKEN, BROKEN)
    assert make(calls.SUBJECTS, connections) == calls.SUBJECTS.answer(subjects=())
    assert connections.calls == 4


@pytest.mark.parametrize(("error", "calls_made"), [(BROKEN, 4), (REFUSED, 2)])
def test_repetition_ends(error: Exception, calls_made: int) -> None:
    connections = BreakingConnections(*[error] * 10)
    with pytest.raises(NeighbourUnavailable):
        make(calls.SUBJECTS, connections)
    assert connections.calls == calls_made


def test_what_is_not_repeatable_is_made_once() -> None:
    connections = BreakingConnections(BROKEN)
    with pytest.raises(NeighbourUnavailable):
        make(calls.ADD_BOOK, connections)
    assert connections.calls == 1


def test_nothing_is_repeated_when_the_time_has_run_out() -> None:
    connections = BreakingConnections(*[BROKEN] * 10)
    with pytest.raises(NeighbourUnavailable):
        make(calls.SUBJECTS, connections, Deadline.after(0.0))
    assert connections.calls == 0


def test_a_call_that_was_let_wait_until_its_time_was_over_is_not_made_again() -> None:
    """Its neighbour is at its limit: a second call would only add to that."""
    seconds = [0.0]

    class SilentConnections(BreakingConnections):
        def ask(self, *request: Any) -> Response:
            *_, within = request
            seconds[0] += within.remaining_seconds()
            return super().ask(*request)

    connections = SilentConnections(*[NoAnswer("timed out")] * 10)
    with pytest.raises(NeighbourUnavailable):
        make(calls.SUBJECTS, connections, Deadline.after(5.0, lambda: seconds[0]))
    assert connections.calls == 1
