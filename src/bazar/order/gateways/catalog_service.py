"""The catalog server as the order server calls it: holds only."""

from collections.abc import Sequence

from bazar.chassis.client import NeighbourRefused, NeighbourUnavailable, ServiceClient
from bazar.chassis.clock import Deadline
from bazar.contracts import calls
from bazar.contracts.call import Call
from bazar.contracts.purchasing import (
    FinishAnswers,
    FinishBatch,
    FinishHold,
    HoldBatch,
    HoldRequest,
    KeptHolds,
    KeptHoldsQuery,
    OpenHold,
    OpenHoldsQuery,
)
from bazar.order.domain.errors import CatalogAway
from bazar.order.use_cases import ports
from bazar.order.use_cases.ports import Held

#: For what happens in the background, where nobody waits.
BACKGROUND_SECONDS = 5.0
MOST_IN_A_BATCH = 500


class CatalogService:
    """Implements the ports Catalog and KeptHoldPages.

    A refusal of the whole call means that the two do not understand each other.
    """

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    def hold(self, requests: Sequence[HoldRequest], deadline: ports.Deadline) -> Held:
        batch = HoldBatch(holds=tuple(requests))
        try:
            reply = self._client.call(calls.HOLD, batch, Deadline.after(deadline.remaining_seconds()))
        except (NeighbourUnavailable, NeighbourRefused) as error:
            raise CatalogAway(str(error)) from error
        if len(reply.answer.answers) != len(requests):
            raise CatalogAway(f"answered {len(reply.answer.answers)} of {len(requests)} holds")
        return Held(reply.answer.answers, reply.position)

    def settle(self, orders: Sequence[FinishHold]) -> FinishAnswers:
        return self._finish(calls.SETTLE, orders)

    def release(self, orders: Sequence[FinishHold]) -> FinishAnswers:
        return self._finish(calls.RELEASE, orders)

    def return_(self, orders: Sequence[FinishHold]) -> FinishAnswers:
        return self._finish(calls.RETURN, orders)

    def open_holds(self) -> Sequence[OpenHold]:
        found: list[OpenHold] = []
        after: str | None = ""
        while after is not None:
            try:
                page = self._client.call(
                    calls.OPEN_HOLDS, OpenHoldsQuery(after=after), Deadline.after(BACKGROUND_SECONDS)
                ).answer
            except (NeighbourUnavailable, NeighbourRefused) as error:
                raise CatalogAway(str(error)) from error
            found.extend(page.holds)
            after = page.next
        return found

    def epoch(self) -> str:
        return self._kept_holds(KeptHoldsQuery(limit=1)).epoch

    def kept_holds(self, after: str) -> KeptHolds:
        return self._kept_holds(KeptHoldsQuery(after=after))

    def _kept_holds(self, query: KeptHoldsQuery) -> KeptHolds:
        try:
            return self._client.call(calls.ALL_HOLDS, query, Deadline.after(BACKGROUND_SECONDS)).answer
        except (NeighbourUnavailable, NeighbourRefused) as error:
            raise CatalogAway(str(error)) from error

    def _finish(self, call: Call[FinishBatch, FinishAnswers], orders: Sequence[FinishHold]) -> FinishAnswers:
        answers: list[FinishAnswers] = []
        for first in range(0, len(orders), MOST_IN_A_BATCH):
            batch = FinishBatch(orders=tuple(orders[first : first + MOST_IN_A_BATCH]))
            try:
                answers.append(self._client.call(call, batch, Deadline.after(BACKGROUND_SECONDS)).answer)
            except (NeighbourUnavailable, NeighbourRefused) as error:
                raise CatalogAway(str(error)) from error
        return FinishAnswers(answers=tuple(answer for part in answers for answer in part.answers))
