"""A purchase: the catalog holds the copies, the order server decides, answers from the decision's row, finishes.

Purchases that come at the same time are held in one call and decided in one transaction.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bazar.contracts.purchasing import HoldAnswer, HoldRequest, PlaceOrder, canonical_lines
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome, ShortLine
from bazar.order.domain.errors import (
    CatalogAway,
    GivenUp,
    KeyReused,
    OrderError,
    OutOfStock,
    PriceChanged,
    UnknownBooks,
    WrongCurrency,
)
from bazar.order.domain.order_ids import order_id_of, purchase_hash_of
from bazar.order.use_cases.ports import Catalog, Deadline, Finisher, Store

#: What became of a purchase: the confirmed order, or why there is none.
Told = Decision | OrderError


@dataclass(frozen=True)
class Purchase:
    """A request to buy, with what its key and its lines come to."""

    hold: HoldRequest
    expected_total_minor: int | None

    @property
    def order_id(self) -> str:
        """What its account and key stand for."""
        return self.hold.order_id


class PlaceOrders:
    """Sells. ``secret`` makes the order ids and lies in the order server's database."""

    def __init__(
        self,
        *,
        store: Store,
        catalog: Catalog,
        finisher: Finisher,
        clock: Callable[[], datetime],
        secret: bytes,
        currency: str,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._finisher = finisher
        self._clock = clock
        self._secret = secret
        self._currency = currency

    def place_order(self, request: PlaceOrder, deadline: Deadline) -> Decision:
        """The confirmed order; raises what ``place_orders`` tells."""
        (told,) = self.place_orders([request], deadline)
        if isinstance(told, OrderError):
            raise told
        return told

    def place_orders(self, requests: Sequence[PlaceOrder], deadline: Deadline) -> Sequence[Told]:
        """What became of each purchase, in their order; none harms another.

        OutOfStock, PriceChanged, GivenUp are final for the key; KeyReused, UnknownBooks, WrongCurrency: nothing was
        decided; CatalogAway: unknown, the same key tells later.
        """
        purchases = [self._purchase(request) for request in requests]
        good = [purchase for purchase in purchases if isinstance(purchase, Purchase)]
        told = iter(self._hold_and_decide(good, deadline))
        return [next(told) if isinstance(purchase, Purchase) else purchase for purchase in purchases]

    def _hold_and_decide(self, purchases: Sequence[Purchase], deadline: Deadline) -> Sequence[Told]:
        decided = self._decisions(purchases)
        undecided = list(dict.fromkeys(purchase for purchase in purchases if purchase.order_id not in decided))
        reasons: dict[Purchase, OrderError] = {}
        if undecided:
            try:
                held = self._catalog.hold([purchase.hold for purchase in undecided], deadline)
            except CatalogAway as error:
                # What is decided already is answered all the same.
                reasons = {purchase: CatalogAway(error.detail) for purchase in undecided}
            else:
                proposed = []
                for purchase, answer in zip(undecided, held.answers, strict=True):
                    reason = _reason_not_to_decide(answer)
                    if reason is not None:
                        reasons[purchase] = reason
                    else:
                        decision = decide(purchase, answer, self._clock(), self._currency)
                        proposed.append(replace(decision, position=held.position))
                decided |= self._decide(proposed)
                # Where the hold is of another purchase, that one may have been decided meanwhile.
                decided |= self._decisions(reasons)
        return [
            _answer(purchase, decided[purchase.order_id]) if purchase.order_id in decided else reasons[purchase]
            for purchase in purchases
        ]

    def _decide(self, proposed: Sequence[Decision]) -> dict[str, Decision]:
        """Step 5, one transaction; another decision than the proposed one is what counts."""
        if not proposed:  # then no transaction either
            return {}
        with self._store.writing() as tx:
            decided = tx.decide(proposed)
        # Only what is committed is finished.
        for decision in decided.values():
            self._finisher.finish(decision)
        return decided

    def _decisions(self, purchases: Iterable[Purchase]) -> dict[str, Decision]:
        order_ids = [purchase.order_id for purchase in purchases]
        if not order_ids:
            return {}
        with self._store.reading() as tx:
            return {decision.order_id: decision for decision in tx.decisions(order_ids)}

    def _purchase(self, request: PlaceOrder) -> Purchase | WrongCurrency:
        lines = canonical_lines(request.lines)
        expected = request.expected_total
        if expected is not None and expected.currency != self._currency:
            return WrongCurrency(expected.currency, self._currency)
        return Purchase(
            hold=HoldRequest(
                order_id=order_id_of(request.account_id, request.idempotency_key, self._secret),
                account_id=request.account_id,
                purchase_hash=purchase_hash_of(
                    ((line.item_number, line.quantity) for line in lines),
                    None if expected is None else (expected.amount, expected.currency),
                ),
                lines=lines,
            ),
            expected_total_minor=None if expected is None else expected.amount,
        )


def _reason_not_to_decide(answer: HoldAnswer) -> OrderError | None:
    match answer.outcome:
        case "unknown-book":
            return UnknownBooks(answer.unknown_items)
        case "hash-mismatch":
            return KeyReused(answer.order_id)
        case _:
            return None


def decide(purchase: Purchase, answer: HoldAnswer, at: datetime, currency: str) -> Decision:
    """What follows from the state of the hold; settled, released and returned are found after a restore."""
    lines = tuple(OrderedLine(line.item_number, line.title, line.quantity, line.price_minor) for line in answer.lines)
    total_minor = sum(line.quantity * line.price_minor for line in lines)
    match answer.outcome:
        case "refused":
            outcome = Outcome.OUT_OF_STOCK
        case "released":
            outcome = Outcome.CANCELLED
        case "held" if purchase.expected_total_minor not in (None, total_minor):
            outcome = Outcome.PRICE_CHANGED
        case _:
            outcome = Outcome.CONFIRMED
    return Decision(
        order_id=purchase.hold.order_id,
        account_id=purchase.hold.account_id,
        purchase_hash=purchase.hold.purchase_hash,
        outcome=outcome,
        decided_at=at,
        currency=currency,
        lines=lines if outcome in (Outcome.CONFIRMED, Outcome.PRICE_CHANGED) else (),
        shortages=tuple(ShortLine(short.item_number, short.requested, short.available) for short in answer.shortages),
    )


def _answer(purchase: Purchase, decision: Decision) -> Told:
    """The decision where it confirms this purchase; else its error."""
    if decision.purchase_hash != purchase.hold.purchase_hash:
        return KeyReused(decision.order_id)
    match decision.outcome:
        case Outcome.OUT_OF_STOCK:
            return OutOfStock(decision.position, decision.shortages)
        case Outcome.PRICE_CHANGED:
            return PriceChanged(decision.position, decision.total_minor, decision.currency)
        case Outcome.CANCELLED:
            return GivenUp(decision.position)
        case Outcome.CONFIRMED:
            return decision
