"""Messages about orders at the counter: how far each one is. They are for the pages; the public API has none of it."""

from typing import Annotated, Literal

from msgspec import Meta

from bazar.contracts.books import Money
from bazar.contracts.purchasing import BeginningOfOrderId, Order
from bazar.contracts.text import Cursor
from bazar.contracts.wire import DEFAULT_PAGE_SIZE, Message, PageSize

#: How far an order is (ADR 0017).
State = Literal["placed", "ready", "collected", "cancelled"]
Move = Literal["ready", "collected"]
#: What people do to orders; ``settled`` and ``given-up`` are how one of the staff ended that an order was stuck.
Done = Literal["ready", "collected", "cancelled", "settled", "given-up"]

#: Where counting what waits ends: beyond it nobody needs to know how many.
MOST_COUNTED = 1_000
DAYS_SHOWN = 14


class MoveOrder(Message, frozen=True):
    """An order is ready to be collected, or was collected and paid: so says ``actor``, the account of a bookseller."""

    actor: str
    to: Move


class CounterQuery(Message, frozen=True):
    """Orders of one account, newest first; or, with None (staff), all of them or those in one state.

    What is placed or ready comes oldest first: it has waited longest. With ``number``, those whose id begins so, one
    page of them by their ids.
    """

    account_id: str | None = None
    state: State | None = None
    number: BeginningOfOrderId | None = None
    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class OpenOrdersQuery(Message, frozen=True):
    """What an account has ordered and neither collected nor cancelled, newest first."""

    account_id: str
    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class CounterOrder(Message, frozen=True):
    """An order, whose it is, and how far."""

    order: Order
    account_id: str
    state: State


class CounterOrders(Message, frozen=True):
    """A page of orders; ``next`` is the cursor of the next page or None."""

    items: tuple[CounterOrder, ...]
    next: str | None


class Happening(Message, frozen=True):
    """Something that happened to an order. ``at``: RFC 3339 UTC.

    ``who`` is the account of whoever did it, or None where the shop did it by itself; ``in_words`` is what they said
    of it, or why the order is stuck. ``settled`` and ``given-up`` are how one of the staff ended that.
    """

    what: Literal["placed", "ready", "collected", "cancelled", "returned", "stuck", "settled", "given-up"]
    at: str
    who: str | None = None
    in_words: str = ""


class OrderLife(CounterOrder, frozen=True):
    """An order with all that happened to it, in the order of time.

    ``decision`` is how its purchase was answered; ``stuck``: why it needs a hand, or None.
    """

    decision: Literal["confirmed", "out-of-stock", "price-changed", "cancelled"]
    stuck: str | None
    happenings: tuple[Happening, ...]


class OrderJournalQuery(Message, frozen=True):
    """Which page of the journal of orders."""

    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class OrderJournalLine(Message, frozen=True):
    """What ``who`` did to an order of ``account_id``, and their words of it. ``at``: RFC 3339 UTC."""

    order_id: str
    account_id: str
    titles: tuple[str, ...]
    what: Done
    at: str
    who: str
    in_words: str


class OrderJournal(Message, frozen=True):
    """A page of what was done to orders, the newest first; ``next`` is the cursor of the next page or None."""

    items: tuple[OrderJournalLine, ...]
    next: str | None


class FiguresQuery(Message, frozen=True):
    """Figures of so many days, today among them."""

    days: Annotated[int, Meta(ge=1, le=31)] = DAYS_SHOWN


class DayFigures(Message, frozen=True):
    """A day of the shop's (``2026-01-31``): orders placed then that stand, what was paid for orders collected then."""

    day: str
    orders: int
    takings: Money


class Figures(Message, frozen=True):
    """The days, today last; and how many orders wait for what, counted up to MOST_COUNTED."""

    days: tuple[DayFigures, ...]
    to_make_ready: int
    ready: int
    stuck: int
