"""Messages of a purchase: front-end to order, order to catalog (docs/life-of-a-purchase.md)."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from msgspec import Meta

from bazar.contracts import text
from bazar.contracts.books import MOST_COPIES_A_LINE, MOST_NUMBERS, ItemNumber, Money
from bazar.contracts.text import Cursor, Reason
from bazar.contracts.wire import DEFAULT_PAGE_SIZE, LARGEST_JSON_INTEGER, Message, PageSize, PublicRequest

MOST_LINES = 100
#: Purchases, or holds, of one message.
MOST_TOGETHER = 1000

ORDER_ID = r"^[a-z2-7]{32}$"
OrderId = Annotated[str, Meta(pattern=ORDER_ID)]
BEGINNING_OF_ORDER_ID = r"^[a-z2-7]{1,32}$(?!\n)"
BeginningOfOrderId = Annotated[str, Meta(pattern=BEGINNING_OF_ORDER_ID)]


class Line(Message, frozen=True):
    """So many copies of one book: of one line of a request, or of all its lines together."""

    item_number: ItemNumber
    quantity: Annotated[int, Meta(ge=1, le=MOST_LINES * MOST_COPIES_A_LINE)]


def canonical_lines(lines: Iterable[Line]) -> tuple[Line, ...]:
    """One line per book, copies summed, in ascending order of the item numbers."""
    copies: Counter[int] = Counter()
    for line in lines:
        copies[line.item_number] += line.quantity
    return tuple(Line(item_number=item, quantity=quantity) for item, quantity in sorted(copies.items()))


class ExpectedTotal(Money, frozen=True, forbid_unknown_fields=True):
    """What the customer means to pay for all of it."""

    amount: Annotated[int, Meta(ge=0, le=LARGEST_JSON_INTEGER)]


class PurchaseRequest(PublicRequest, frozen=True):
    """So many copies of the book that the path names, for that total at the most and the least."""

    quantity: Annotated[int, Meta(ge=1, le=MOST_COPIES_A_LINE)] = 1
    expected_total: ExpectedTotal | None = None


class LineRequest(PublicRequest, frozen=True):
    """So many copies of one book."""

    item_number: ItemNumber
    quantity: Annotated[int, Meta(ge=1, le=MOST_COPIES_A_LINE)]


class OrderRequest(PublicRequest, frozen=True):
    """Several books, all or nothing."""

    lines: Annotated[tuple[LineRequest, ...], Meta(min_length=1, max_length=MOST_LINES)]
    expected_total: ExpectedTotal | None = None


class PlaceOrder(Message, frozen=True):
    """A purchase as the front-end passes it on; the account comes from the sign-in, never from the body."""

    account_id: str
    idempotency_key: Annotated[str, Meta(pattern=text.IDEMPOTENCY_KEY)]
    lines: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=MOST_LINES)]
    expected_total: Money | None = None


class PlaceOrders(Message, frozen=True):
    """Purchases that travel together; each is answered by itself."""

    orders: Annotated[tuple[PlaceOrder, ...], Meta(min_length=1, max_length=MOST_TOGETHER)]


class BoughtLine(Message, frozen=True):
    """A line of an order; ``price`` is that of one copy when it was bought."""

    item_number: int
    title: str
    quantity: int
    price: Money


class Order(Message, frozen=True):
    """An order as its customer sees it. ``placed_at``: RFC 3339 UTC."""

    order_id: str
    status: Literal["confirmed", "cancelled"]
    placed_at: str
    lines: tuple[BoughtLine, ...]
    total: Money
    message: str


class PlacedOrder(Message, frozen=True):
    """What became of one purchase: the order, or the problem document (RFC 9457) that says why there is none.

    ``position``: how far the catalog was when the copies were held; None where that does not matter.
    """

    order: Order | None = None
    problem: dict[str, Any] | None = None
    position: str | None = None


class PlacedOrders(Message, frozen=True):
    """In the order of the purchases."""

    answers: tuple[PlacedOrder, ...]


class StuckOrder(Order, frozen=True):
    """An order that recovery could not finish and that needs a hand.

    ``decision`` is how its purchase was answered, which never changes; where that is not confirmed, ``status`` is
    cancelled. ``reason``: what stands against it. ``stuck_since``: RFC 3339 UTC.
    """

    decision: Literal["confirmed", "out-of-stock", "price-changed", "cancelled"]
    reason: str
    stuck_since: str


class SettledOrder(Order, frozen=True):
    """An order that staff have settled by hand; ``note`` says what is left for them to do, or nothing."""

    note: str


class Shortage(Message, frozen=True):
    """A book of which there were too few: requested and available copies."""

    item_number: int
    requested: int
    available: int


class CancelOrder(Message, frozen=True):
    """Cancel an order: of this account within the shop's time, or, with None, any order at any time (staff).

    ``actor`` is the account of whoever cancels, ``reason`` what they say of it.
    """

    actor: str
    account_id: str | None = None
    reason: str = ""


class SettleOrder(Message, frozen=True):
    """A stuck order stands: so says ``actor``, the account of one of the staff, and why."""

    actor: str
    reason: str = ""


class InWords(PublicRequest, frozen=True):
    """Why, in the words of whoever asks; it is kept with what was done."""

    reason: Reason = ""


class OrdersQuery(Message, frozen=True):
    """Orders of one account, or of all (None, for staff), newest first."""

    account_id: str | None = None
    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class OrderQuery(Message, frozen=True):
    """One order; None asks for it whoever owns it (staff)."""

    account_id: str | None = None


class Orders(Message, frozen=True):
    """A page of orders; ``next`` is the cursor of the next page or None."""

    items: tuple[Order, ...]
    next: str | None


class StuckQuery(Message, frozen=True):
    """Orders that need a hand, those first that got stuck last."""

    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class StuckOrders(Message, frozen=True):
    """A page of orders that need a hand; ``next`` is the cursor of the next page or None."""

    items: tuple[StuckOrder, ...]
    next: str | None


class BestSellersQuery(Message, frozen=True):
    """So many of the books that sell best."""

    limit: Annotated[int, Meta(ge=1, le=MOST_NUMBERS)] = DEFAULT_PAGE_SIZE


class BestSellers(Message, frozen=True):
    """Numbers of books, the one of which the last orders had the most copies first."""

    item_numbers: tuple[int, ...]


class HoldRequest(Message, frozen=True):
    """Copies to be put on hold for one order. ``purchase_hash`` covers lines and expected total."""

    order_id: OrderId
    account_id: str
    purchase_hash: str
    lines: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=MOST_LINES)]


class HoldBatch(Message, frozen=True):
    """The holds of many orders: one transaction, each all or nothing, one refusal touches no other."""

    holds: Annotated[tuple[HoldRequest, ...], Meta(min_length=1, max_length=MOST_TOGETHER)]


class HeldLine(Message, frozen=True):
    """A line of a hold, with the price and title that the order will have."""

    item_number: int
    title: str
    quantity: int
    price_minor: int


HoldState = Literal["held", "refused", "released", "settled", "returned"]
HoldOutcome = Literal["held", "refused", "released", "settled", "returned", "hash-mismatch", "unknown-book"]


class HoldAnswer(Message, frozen=True):
    """What became of one hold: its state, or why there is none.

    ``lines`` where copies were taken, ``shortages`` where refused, ``unknown_items`` for unknown-book.
    """

    order_id: str
    outcome: HoldOutcome
    lines: tuple[HeldLine, ...] = ()
    shortages: tuple[Shortage, ...] = ()
    unknown_items: tuple[int, ...] = ()


class HoldAnswers(Message, frozen=True):
    """In the order of the batch."""

    answers: tuple[HoldAnswer, ...]


class FinishHold(Message, frozen=True):
    """One hold to be settled or released."""

    order_id: OrderId
    account_id: str
    purchase_hash: str


class FinishBatch(Message, frozen=True):
    """Holds to be settled, or released, in one transaction."""

    orders: Annotated[tuple[FinishHold, ...], Meta(min_length=1, max_length=MOST_TOGETHER)]


class FinishAnswer(Message, frozen=True):
    """``done`` also when it was done before; ``conflict`` names the state that forbids it: the order is stuck."""

    order_id: str
    done: bool
    conflict: str | None = None


class FinishAnswers(Message, frozen=True):
    """In the order of the batch."""

    answers: tuple[FinishAnswer, ...]


class OpenHold(Message, frozen=True):
    """A hold that is neither settled nor released yet."""

    order_id: str
    account_id: str
    purchase_hash: str


class OpenHolds(Message, frozen=True):
    """Open holds in ascending order of their id; ``next`` is the id to go on after, or None."""

    holds: tuple[OpenHold, ...]
    next: str | None


class OpenHoldsQuery(Message, frozen=True):
    """Which page of the open holds."""

    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 500


class KeptHold(Message, frozen=True):
    """A hold as the catalog keeps it; times are RFC 3339 UTC. ``lines`` where copies were taken for it."""

    order_id: str
    account_id: str
    purchase_hash: str
    state: HoldState
    held_at: str
    changed_at: str
    lines: tuple[HeldLine, ...] = ()


class KeptHolds(Message, frozen=True):
    """Holds in ascending order of their id; ``next`` is the id to go on after, or None.

    ``epoch`` is that of the feed: another one, and the catalog's database is not what it was.
    """

    holds: tuple[KeptHold, ...]
    next: str | None
    epoch: str


class KeptHoldsQuery(Message, frozen=True):
    """Which page of all holds."""

    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 200
