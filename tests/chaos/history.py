"""What the clients of a shop asked and what they were told, and what that says about each shelf."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from math import inf
from typing import Any

from chaos.ledger import Hold
from chaos.shelf import Event
from shop import Answer

FINAL = (HTTPStatus.CREATED, HTTPStatus.CONFLICT)


@dataclass(frozen=True)
class Basket:
    """The body of a purchase: (item number, copies), ascending, and the total that the customer means to pay."""

    lines: tuple[tuple[int, int], ...]
    expected_total: int | None = None


@dataclass(frozen=True)
class Try:
    """One request and its answer (None: none came), with the times of both on the harness's monotonic clock."""

    sent_at: float
    came_at: float
    answer: Answer | None

    @property
    def status(self) -> int | None:
        """Of the answer."""
        return None if self.answer is None else self.answer.status


@dataclass
class Purchase:
    """All that was sent under one key of one customer: usually one basket, sometimes two."""

    customer: int
    key: str
    baskets: tuple[Basket, ...]
    tries: list[tuple[Basket, Try]] = field(default_factory=list)

    @property
    def final(self) -> tuple[Basket, Try] | None:
        """The first final answer, and the basket that it was given to."""
        return next(((basket, one) for basket, one in self.tries if one.status in FINAL), None)

    @property
    def order_id(self) -> str | None:
        """Of the order, where the purchase was confirmed."""
        final = self.final
        if final is None or final[1].answer is None or final[1].status != HTTPStatus.CREATED:
            return None
        return str(final[1].answer.json["order_id"])

    def first_sent(self, basket: Basket) -> float | None:
        """When the basket was sent first."""
        return min((one.sent_at for sent, one in self.tries if sent == basket), default=None)


#: The hold of a purchase, if there is one.
Held = Callable[[Purchase], Hold | None]


@dataclass
class Cancellation:
    """A customer cancels an order of theirs."""

    purchase: Purchase
    tries: list[Try] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether the shop has said so."""
        return any(one.status == HTTPStatus.OK for one in self.tries)


@dataclass
class Change:
    """Staff take copies in, or set the price where there are no copies; the answer tells how many there are now."""

    item: int
    copies: int
    price_minor: int
    key: str
    tries: list[Try] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether the shop has said so."""
        return any(one.status == HTTPStatus.OK for one in self.tries)


@dataclass
class History:
    """One round of a shop under fire."""

    purchases: list[Purchase] = field(default_factory=list)
    cancellations: list[Cancellation] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def add(self, other: "History") -> None:
        """What another client did."""
        self.purchases += other.purchases
        self.cancellations += other.cancellations
        self.changes += other.changes

    @property
    def answers(self) -> int:
        """How many answers came."""
        tries = [one for purchase in self.purchases for _, one in purchase.tries]
        tries += [one for cancellation in self.cancellations for one in cancellation.tries]
        tries += [one for change in self.changes for one in change.tries]
        return sum(one.answer is not None for one in tries)

    def events(self, item: int, held: Held) -> list[Event]:
        """What happened to the shelf of one book, by what clients were told; where they were not, by ``held``."""
        found: list[Event] = []
        for purchase in self.purchases:
            found += _of_purchase(purchase, item, held(purchase))
        for cancellation in self.cancellations:
            found += _of_cancellation(cancellation, item)
        for change in self.changes:
            if change.item == item:
                found += _of_change(change)
        return found


def _of_purchase(purchase: Purchase, item: int, hold: Hold | None) -> Iterator[Event]:
    final = purchase.final
    if final is None:
        yield from _of_unanswered(purchase, item, hold)
        return
    basket, one = final
    copies, begin = dict(basket.lines).get(item), purchase.first_sent(basket)
    if not copies or begin is None or one.answer is None:
        return
    told = one.answer.json
    match one.status, _kind(told):
        case HTTPStatus.CREATED, _:
            yield Event(f"bought {purchase.key}", begin, one.came_at, -copies)
        case _, "out-of-stock":
            for line in told["lines"]:
                if line["item_number"] == item:
                    yield Event(f"refused {purchase.key}", begin, one.came_at, there=line["available"])
        case _, "price-changed":
            yield Event(f"other price {purchase.key}", begin, one.came_at, -copies, comes_back=True)
        case _ if hold is not None:  # given up by recovery: it was held, and what was held comes back
            yield Event(f"given up {purchase.key}", begin, one.came_at, -copies, comes_back=True)


def _of_unanswered(purchase: Purchase, item: int, hold: Hold | None) -> Iterator[Event]:
    """It took effect at any time, or never: that stands in the ledger, and when it was does not."""
    copies = hold.lines.get(item) if hold else None
    if copies and hold and purchase.tries and hold.state != "refused":
        begin = min(one.sent_at for _, one in purchase.tries)
        yield Event(f"untold {purchase.key}", begin, inf, -copies, comes_back=hold.state == "released")


def _of_cancellation(cancellation: Cancellation, item: int) -> Iterator[Event]:
    copies = dict(cancellation.purchase.final[0].lines).get(item) if cancellation.purchase.final else None
    if copies:
        # The answer comes first, the copies follow: before all is settled.
        yield Event(f"cancelled {cancellation.purchase.key}", cancellation.tries[0].sent_at, inf, copies)


def _of_change(change: Change) -> Iterator[Event]:
    begin, what = change.tries[0].sent_at, f"change {change.key}"
    done = next((one for one in change.tries if one.status == HTTPStatus.OK), None)
    if done is None or done.answer is None:
        return  # which is a violation of its own
    if len(change.tries) == 1:
        yield Event(what, begin, done.came_at, change.copies, there=done.answer.json["quantity"])
    elif change.copies:
        # A repetition tells how many copies there are now, not how many there were after the change.
        yield Event(what, begin, done.came_at, change.copies)


def _kind(problem: Any) -> str:
    return str(problem.get("type", "")).removeprefix("/problems/")


def final_answers(purchase: Purchase) -> Sequence[tuple[Basket, Answer]]:
    """Every answer that is to be the last word."""
    return [(basket, one.answer) for basket, one in purchase.tries if one.answer and one.status in FINAL]
