"""How often a call is made again when its connection breaks."""

import ssl
from typing import Any

import pytest
import urllib3
import urllib3.connection

from bazar.chassis.client import NeighbourUnavailable, ServiceClient
from bazar.chassis.clock import Deadline
from bazar.contracts import calls
from bazar.contracts.books import Empty
from bazar.contracts.call import Call

BROKEN = urllib3.exceptions.ProtocolError("Connection aborted.")
REFUSED = urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPConnection("catalog"), "Connection refused")


class BreakingPool:
    """As much of a connection pool as ServiceClient uses; the first calls meet the errors, the others are answered."""

    def __init__(self, *errors: Exception) -> None:
        self.calls = 0
        self._errors = list(errors)

    def urlopen(self, _method: str, _target: str, **_options: object) -> urllib3.HTTPResponse:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return urllib3.HTTPResponse(b'{"subjects":[]}')


def make(call: Call[Any, Any], pool: BreakingPool, deadline: Deadline | None = None) -> object:
    client = ServiceClient(
        "catalog", "https://catalog:1", ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), lambda audience: audience
    )
    client._pool = pool  # type: ignore[assignment]  # a stand-in
    return client.call(call, Empty(), deadline or Deadline.after(60.0)).answer


def test_a_call_survives_a_neighbour_that_closes_several_connections() -> None:
    pool = BreakingPool(BROKEN, BROKEN, BROKEN)
    assert make(calls.SUBJECTS, pool) == calls.SUBJECTS.answer(subjects=())
    assert pool.calls == 4


@pytest.mark.parametrize(("error", "calls_made"), [(BROKEN, 4), (REFUSED, 2)])
def test_repetition_ends(error: Exception, calls_made: int) -> None:
    pool = BreakingPool(*[error] * 10)
    with pytest.raises(NeighbourUnavailable):
        make(calls.SUBJECTS, pool)
    assert pool.calls == calls_made


def test_what_is_not_repeatable_is_made_once() -> None:
    pool = BreakingPool(BROKEN)
    with pytest.raises(NeighbourUnavailable):
        make(calls.ADD_BOOK, pool)
    assert pool.calls == 1


def test_nothing_is_repeated_when_the_time_has_run_out() -> None:
    pool = BreakingPool(*[BROKEN] * 10)
    with pytest.raises(NeighbourUnavailable):
        make(calls.SUBJECTS, pool, Deadline.after(0.0))
    assert pool.calls == 0


def test_a_call_that_was_let_wait_until_its_time_was_over_is_not_made_again() -> None:
    """Its neighbour is at its limit: a second call would only add to that."""
    seconds = [0.0]

    class SilentPool(BreakingPool):
        def urlopen(self, _method: str, _target: str, **options: Any) -> urllib3.HTTPResponse:
            seconds[0] += options["timeout"].total
            return super().urlopen(_method, _target, **options)

    pool = SilentPool(*[urllib3.exceptions.ReadTimeoutError(None, "/", "Read timed out.")] * 10)  # type: ignore[arg-type]  # no pool
    with pytest.raises(NeighbourUnavailable):
        make(calls.SUBJECTS, pool, Deadline.after(5.0, lambda: seconds[0]))
    assert pool.calls == 1
