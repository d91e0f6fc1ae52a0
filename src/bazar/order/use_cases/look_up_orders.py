"""The list of orders, and one of them, for the customer who owns them or for staff."""

from msgspec.structs import asdict

from bazar.contracts.books import Money
from bazar.contracts.purchasing import (
    BoughtLine,
    Order,
    OrderQuery,
    Orders,
    OrdersQuery,
    StuckOrder,
    StuckOrders,
    StuckQuery,
)
from bazar.contracts.times import rfc3339
from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.domain.errors import UnknownOrder
from bazar.order.use_cases.ports import Store, Stuck


class LookUpOrders:
    """Reads; nothing here changes anything."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def orders(self, query: OrdersQuery) -> Orders:
        """Orders newest first; refused purchases are none. Raises BadCursor."""
        with self._store.reading() as tx:
            found, older = tx.orders_of(query.account_id, query.cursor, query.limit)
            cancelled = tx.cancelled([decision.order_id for decision in found])
        items = tuple(as_order(decision, is_cancelled=decision.order_id in cancelled) for decision in found)
        return Orders(items=items, next=older)

    def stuck_orders(self, query: StuckQuery) -> StuckOrders:
        """Orders that need a hand, and purchases that were answered otherwise, those first that got stuck last.

        Raises BadCursor.
        """
        with self._store.reading() as tx:
            found, older = tx.stuck_page(query.cursor, query.limit)
            cancelled = tx.cancelled([stuck.decision.order_id for stuck in found])
        items = tuple(_stuck(stuck, is_cancelled=stuck.decision.order_id in cancelled) for stuck in found)
        return StuckOrders(items=items, next=older)

    def order(self, order_id: str, query: OrderQuery) -> Order:
        """Raises UnknownOrder, also for the order of somebody else. Staff see what is stuck, whatever it is."""
        with self._store.reading() as tx:
            found = tx.decision(order_id)
            is_cancelled = bool(tx.cancelled([order_id]))
            needs_a_hand = query.account_id is None and bool(tx.stuck([order_id]))
        if found is None or (found.outcome is not Outcome.CONFIRMED and not needs_a_hand):
            raise UnknownOrder(order_id)
        if query.account_id not in (None, found.account_id):
            raise UnknownOrder(order_id)
        return as_order(found, is_cancelled=is_cancelled)


def as_order(decision: Decision, *, is_cancelled: bool = False) -> Order:
    """A confirmed decision as its customer sees it; the answer to its purchase is this without ``is_cancelled``.

    Any other decision, which only staff see, is an order that does not stand.
    """
    is_order = decision.outcome is Outcome.CONFIRMED
    return Order(
        order_id=decision.order_id,
        status="confirmed" if is_order and not is_cancelled else "cancelled",
        placed_at=rfc3339(decision.decided_at),
        lines=tuple(
            BoughtLine(
                item_number=line.item_number,
                title=line.title,
                quantity=line.quantity,
                price=Money(amount=line.price_minor, currency=decision.currency),
            )
            for line in decision.lines
        ),
        total=Money(amount=decision.total_minor, currency=decision.currency),
        message=decision.message if is_order else "",
    )


def _stuck(stuck: Stuck, *, is_cancelled: bool) -> StuckOrder:
    return StuckOrder(
        **asdict(as_order(stuck.decision, is_cancelled=is_cancelled)),
        decision=stuck.decision.outcome.value,
        reason=stuck.reason,
        stuck_since=rfc3339(stuck.since),
    )
