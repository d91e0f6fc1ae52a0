"""Which of the orders that wait at the counter have a book: for whoever takes it out of the shop."""

from dataclasses import dataclass

from bazar.chassis.clock import Deadline
from bazar.contracts.counter import CounterOrder, CounterQuery, State
from bazar.frontend.use_cases.ports import Orders

#: The order server keeps no list by books, so the orders are looked through: so many at a time, so many times a state.
ORDERS_AT_A_TIME = 100
MOST_TIMES = 5
OPEN: tuple[State, ...] = ("placed", "ready")


@dataclass(frozen=True)
class OpenOrders:
    """Those that have the book; ``is_all``: no order was left unlooked at."""

    orders: tuple[CounterOrder, ...]
    is_all: bool


def open_orders_with(item_number: int, orders: Orders, deadline: Deadline) -> OpenOrders:
    """What is placed or ready and has this book, what waits longest first; raises NeighbourAway."""
    found: list[CounterOrder] = []
    is_all = True
    for state in OPEN:
        cursor: str | None = None
        for _ in range(MOST_TIMES):
            query = CounterQuery(state=state, limit=ORDERS_AT_A_TIME, cursor=cursor)
            page = orders.at_counter(query, deadline)
            found += [one for one in page.items if any(line.item_number == item_number for line in one.order.lines)]
            cursor = page.next
            if cursor is None:
                break
        is_all = is_all and cursor is None
    return OpenOrders(tuple(found), is_all)
