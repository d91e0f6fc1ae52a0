"""Orders at the counter: make one ready, hand it out (ADR 0017)."""

from collections.abc import Callable
from datetime import datetime

from bazar.contracts.counter import CounterOrder, MoveOrder
from bazar.order.domain.decisions import Outcome
from bazar.order.domain.errors import AlreadyCancelled, UnknownOrder
from bazar.order.use_cases.look_up_orders import as_order
from bazar.order.use_cases.ports import Moved, Store


class HandOutOrders:
    """Moves orders for staff; each move is kept with who and when."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def move_order(self, order_id: str, request: MoveOrder) -> CounterOrder:
        """The order, which is at least so far afterwards; doing it again changes nothing.

        Raises UnknownOrder, AlreadyCancelled. The order is locked: of a cancellation and a collection that come at
        once, the second sees the first.
        """
        with self._store.writing() as tx:
            decision = tx.lock_order(order_id)
            if decision is None or decision.outcome is not Outcome.CONFIRMED:
                raise UnknownOrder(order_id)
            if tx.cancelled([order_id]):
                raise AlreadyCancelled(order_id)
            is_collected = tx.collected_at(order_id) is not None
            if not is_collected:
                # From placed too: somebody at the counter may ask for what nobody has laid out yet.
                tx.move(Moved(order_id, request.to, self._clock(), request.actor), decision.total_minor)
        return CounterOrder(
            order=as_order(decision),
            account_id=decision.account_id,
            state="collected" if is_collected else request.to,
        )
