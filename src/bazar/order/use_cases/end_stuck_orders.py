"""Orders that need a hand: staff say whether one stands, and what the catalog can still do for that is done.

Neither changes a decision, nor invents a hold: where the catalog has no copies for an order that stands, staff correct
the stock of its books themselves (docs/runbook.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bazar.contracts.purchasing import CancelOrder, SettleOrder
from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.domain.errors import AlreadyCollected, NotStuck, UnknownOrder
from bazar.order.use_cases.finish_orders import hold_of
from bazar.order.use_cases.ports import Catalog, Ending, Returner, Store


@dataclass(frozen=True)
class SettledByHand:
    """The order that stands; ``note`` is what is left for staff to do, or nothing."""

    decision: Decision
    is_cancelled: bool
    note: str


class EndStuckOrders:
    """Ends for staff what recovery could not; the journal keeps who, when, what and why."""

    def __init__(self, store: Store, catalog: Catalog, returner: Returner, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._catalog = catalog
        self._returner = returner
        self._clock = clock

    def settle(self, order_id: str, request: SettleOrder) -> SettledByHand:
        """The order stands, its goods are handed out; doing it again changes nothing.

        Raises UnknownOrder, NotStuck, CatalogAway (nothing is ended then).
        """
        with self._store.reading() as tx:
            decision = tx.decision(order_id)
            is_stuck = bool(tx.stuck([order_id]))
            was_settled = tx.last_ending(order_id) == "settle"
            is_cancelled = bool(tx.cancelled([order_id]))
        if decision is None:
            raise UnknownOrder(order_id)
        if not (is_stuck or was_settled):
            if decision.outcome is Outcome.CONFIRMED:
                raise NotStuck(order_id)
            raise UnknownOrder(order_id)
        note = self._settle_hold(decision, is_cancelled=is_cancelled)
        with self._store.writing() as tx:
            tx.end_stuck(
                Ending(order_id, "settle", request.actor, request.reason, self._clock(), is_cancelled=is_cancelled)
            )
        return SettledByHand(decision, is_cancelled, note)

    def cancel(self, order_id: str, request: CancelOrder) -> Decision | None:
        """The order does not stand, and copies that the catalog has for it come back; None where it is not stuck.

        For staff. Doing it again changes nothing. Raises AlreadyCollected, CatalogAway (nothing is ended then).
        """
        with self._store.reading() as tx:
            decision = tx.decision(order_id)
            is_stuck = bool(tx.stuck([order_id]))
            was_cancelled = tx.last_ending(order_id) == "cancel"
        if decision is None:
            return None
        is_order = decision.outcome is Outcome.CONFIRMED
        if not is_stuck:
            # An order is cancelled like any other; what never was one has only the journal to tell.
            return decision if was_cancelled and not is_order else None
        if not is_order:
            # Nobody else returns the copies of what was not bought. A refusal says that there are none.
            self._catalog.return_([hold_of(decision)])
        with self._store.writing() as tx:
            now = self._clock()
            if is_order:
                tx.lock_order(order_id)
                collected_at = tx.collected_at(order_id)
                if collected_at is not None:
                    raise AlreadyCollected(order_id, collected_at)
                tx.cancel(order_id, request.actor, now, request.reason)
            tx.end_stuck(Ending(order_id, "cancel", request.actor, request.reason, now, is_cancelled=is_order))
        if is_order:
            self._returner.return_soon()
        return decision

    def _settle_hold(self, decision: Decision, *, is_cancelled: bool) -> str:
        """Settle the hold if the order has one; what is left to do."""
        if is_cancelled:
            return "The order stays cancelled. If its copies were handed out, take them out of the stock by hand."
        if decision.outcome is not Outcome.CONFIRMED:
            return (
                f"The purchase stays answered as it was: {decision.outcome}. If the history of its books does not show "
                "its copies as sold, take them out of the stock by hand."
            )
        (answer,) = self._catalog.settle([hold_of(decision)]).answers
        if answer.conflict is None:
            return ""
        return f"The catalog has no copies for it ({answer.conflict}): take them out of the stock by hand."
