"""A purchase: the catalog holds the copies, the order server decides, answers from the decision's row, finishes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bazar.contracts.purchasing import HoldAnswer, HoldRequest, PlaceOrder, canonical_lines
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome, ShortLine
from bazar.order.domain.errors import (
    GivenUp,
    KeyReused,
    OutOfStock,
    PriceChanged,
    UnknownBooks,
    WrongCurrency,
)
from bazar.order.domain.order_ids import order_id_of, purchase_hash_of
from bazar.order.use_cases.ports import Catalog, Deadline, Finisher, Store


@dataclass(frozen=True)
class Purchase:
    """A request to buy, with what its key and its lines come to."""

    hold: HoldRequest
    expected_total_minor: int | None


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
        """The confirmed order.

        Raises OutOfStock, PriceChanged, GivenUp (final for the key); KeyReused, UnknownBooks, WrongCurrency
        (nothing was decided); CatalogAway (unknown: the same key tells later).
        """
        purchase = self._purchase(request)
        decided = self._decision(purchase.hold.order_id)
        if decided is None:
            decided = self._hold_and_decide(purchase, deadline)
        return _answer(decided, purchase)

    def _hold_and_decide(self, purchase: Purchase, deadline: Deadline) -> Decision:
        held = self._catalog.hold(purchase.hold, deadline)
        if held.answer.outcome == "unknown-book":
            raise UnknownBooks(held.answer.unknown_items)
        if held.answer.outcome == "hash-mismatch":
            decided = self._decision(purchase.hold.order_id)
            if decided is None:
                raise KeyReused(purchase.hold.order_id)
            return decided
        proposed = replace(decide(purchase, held.answer, self._clock(), self._currency), position=held.position)
        with self._store.writing() as tx:
            decided = tx.decide(proposed)
        # Only what is committed is finished; another decision than the proposed one is what counts.
        self._finisher.finish(decided)
        return decided

    def _decision(self, order_id: str) -> Decision | None:
        with self._store.reading() as tx:
            return tx.decision(order_id)

    def _purchase(self, request: PlaceOrder) -> Purchase:
        lines = canonical_lines(request.lines)
        expected = request.expected_total
        if expected is not None and expected.currency != self._currency:
            raise WrongCurrency(expected.currency, self._currency)
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


def _answer(decision: Decision, purchase: Purchase) -> Decision:
    """The decision where it confirms this purchase; else its error."""
    if decision.purchase_hash != purchase.hold.purchase_hash:
        raise KeyReused(decision.order_id)
    match decision.outcome:
        case Outcome.OUT_OF_STOCK:
            raise OutOfStock(decision.position, decision.shortages)
        case Outcome.PRICE_CHANGED:
            raise PriceChanged(decision.position, decision.total_minor, decision.currency)
        case Outcome.CANCELLED:
            raise GivenUp(decision.position)
        case Outcome.CONFIRMED:
            return decision
