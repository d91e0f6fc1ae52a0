"""Turns what a call to a neighbour can end in into the errors of the shop, by problem type, never by text."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bazar.chassis.client import NeighbourRefused, NeighbourUnavailable, Reply, ServiceClient
from bazar.chassis.clock import Deadline
from bazar.contracts import problems
from bazar.contracts.call import Call
from bazar.contracts.problems import Problem, ProblemType
from bazar.frontend.domain.errors import BadRequest, KeyReused, NeighbourAway, ShopError, UnknownBook
from bazar.frontend.use_cases import ports
from bazar.frontend.use_cases.ports import Seen

Request = TypeVar("Request")
Answer = TypeVar("Answer")

#: Problem type → error. What a call's own table lacks is looked up in the common one.
Refusals = Mapping[ProblemType, Callable[[Problem], ShopError]]


class Neighbour:
    """Calls one service on behalf of the shop."""

    def __init__(self, client: ServiceClient, refusals: Refusals) -> None:
        self._client = client
        self._refusals = {**_COMMON, **refusals}

    def call(
        self, call: Call[Request, Answer], request: Request, deadline: ports.Deadline, **path: object
    ) -> Seen[Answer]:
        """Make the call; raises NeighbourAway or the error of the refusal's type."""
        try:
            reply: Reply[Answer] = self._client.call(
                call, request, Deadline.after(deadline.remaining_seconds()), **path
            )
        except NeighbourUnavailable as error:
            raise NeighbourAway(error.service, error.detail) from error
        except NeighbourRefused as error:
            raise self.refusal(call, error.problem) from error
        return Seen(reply.answer, reply.position)

    def refusal(self, call: Call[Any, Any], problem: Problem) -> ShopError:
        """The error that the problem of a call stands for."""
        to_error = self._refusals.get(problem.type)
        if to_error is None:
            # 401 and 403 among them: the two services do not agree on who may call what.
            return NeighbourAway(call.service, f"refused: {problem.detail}")
        return to_error(problem)


def _bad_request(problem: Problem) -> ShopError:
    errors = problem.members.get("errors") or [{"field": "", "detail": problem.detail}]
    return BadRequest(str(errors[0]["field"]), str(errors[0]["detail"]))


_COMMON: Refusals = {
    problems.INVALID: _bad_request,
    problems.KEY_REUSED: lambda _: KeyReused(),
    problems.NOT_FOUND: lambda problem: UnknownBook(tuple(problem.members.get("items", ())), problem.position),
}
