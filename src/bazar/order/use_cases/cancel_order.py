"""Cancel an order: a second row beside its decision; then the catalog takes the copies back (step 8)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bazar.contracts.purchasing import CancelOrder
from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.domain.errors import AlreadyCollected, TooLateToCancel, UnknownOrder
from bazar.order.use_cases.finish_orders import hold_of
from bazar.order.use_cases.ports import Catalog, Returner, Store

#: Cancelled orders that one round returns.
RETURNED_TOGETHER = 500


class CancelOrders:
    """Cancels for customers within ``customers_time`` after the order, for staff at any time."""

    def __init__(
        self, store: Store, returner: Returner, clock: Callable[[], datetime], customers_time: timedelta
    ) -> None:
        self._store = store
        self._returner = returner
        self._clock = clock
        self._customers_time = customers_time

    def cancel_order(self, order_id: str, request: CancelOrder) -> Decision:
        """The order, cancelled now or before; raises UnknownOrder, AlreadyCollected, TooLateToCancel.

        The decision is read in the same transaction, and only a confirmed one can be cancelled. It is locked: of a
        cancellation and a collection that come at once, the second sees the first.
        """
        now = self._clock()
        with self._store.writing() as tx:
            decision = tx.lock_order(order_id)
            if decision is None or decision.outcome is not Outcome.CONFIRMED:
                raise UnknownOrder(order_id)
            if request.account_id not in (None, decision.account_id):
                raise UnknownOrder(order_id)
            if tx.cancelled([order_id]):
                return decision
            collected_at = tx.collected_at(order_id)
            if collected_at is not None:
                raise AlreadyCollected(order_id, collected_at)
            if request.account_id is not None and now > decision.decided_at + self._customers_time:
                raise TooLateToCancel(order_id, decision.decided_at + self._customers_time)
            tx.cancel(order_id, request.actor, now, request.reason)
        self._returner.return_soon()
        return decision


class ReturnCopies:
    """Has the catalog take back the copies of cancelled orders, again and again until it says that it did."""

    def __init__(self, store: Store, catalog: Catalog, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._catalog = catalog
        self._clock = clock

    def return_copies(self) -> int:
        """One round; returns how many orders there were. Raises CatalogAway."""
        with self._store.reading() as tx:
            cancelled = tx.unreturned(RETURNED_TOGETHER)
        if not cancelled:
            return 0
        answers = self._catalog.return_([hold_of(decision) for decision in cancelled]).answers
        with self._store.writing() as tx:
            conflicts = {answer.order_id: answer.conflict for answer in answers if answer.conflict is not None}
            # Where a person has said what became of the copies, there is nothing more to ask for.
            ended = tx.returns_ended(list(conflicts))
            done = [answer.order_id for answer in answers if answer.done or answer.order_id in ended]
            tx.mark_returned(done, self._clock())
            for order_id in conflicts.keys() - ended:
                tx.mark_stuck(order_id, conflicts[order_id], self._clock())
        return len(cancelled)
