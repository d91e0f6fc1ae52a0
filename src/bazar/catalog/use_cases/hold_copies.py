"""Copies on hold for orders: take them, settle them, give them back (docs/life-of-a-purchase.md).

The order server decides; the catalog obeys, and never frees a hold by itself.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from msgspec import convert

from bazar.catalog.domain import holds
from bazar.catalog.domain.holds import Conflict, HoldState, Step, Transition
from bazar.catalog.use_cases.ports import ShelfState, Store, StoredHold, StoredLine, Transaction
from bazar.contracts.purchasing import (
    FinishAnswer,
    FinishAnswers,
    FinishBatch,
    FinishHold,
    HoldAnswer,
    HoldAnswers,
    HoldBatch,
    HoldRequest,
    Line,
    OpenHold,
    OpenHolds,
    OpenHoldsQuery,
    canonical_lines,
)

UNKNOWN_BOOK: Final = "unknown-book"


class ShelfMoved(Exception):
    """A locked book had fewer copies than it showed: the lock does not hold, nothing of this may be committed."""


class HoldCopies:
    """The holds on the catalog's books."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def hold(self, batch: HoldBatch) -> tuple[HoldAnswers, str]:
        """Step 3 of a purchase: durable write 1, one transaction for the whole batch.

        Each order gets all its copies or none, and this answer for ever. Returns the answers and the position.
        """
        # Ascending order ids here, ascending item numbers below: no two batches wait for each other in a ring.
        turn = sorted(range(len(batch.holds)), key=lambda index: batch.holds[index].order_id)
        requests = [batch.holds[index] for index in turn]
        with self._store.writing() as tx:
            now = self._clock()
            new = tx.add_holds([_row(request, HoldState.HELD) for request in requests], now)
            allocated, taken = self._allocate(tx, [request for request in requests if request.order_id in new], now)
            standing = _standing_answers(tx, [request for request in requests if request.order_id not in new])
            position = tx.publish(taken, offer_only=True)
        # Both are in the order of the requests that they answer.
        told = [next(allocated if request.order_id in new else standing) for request in requests]
        answers = dict(zip(turn, told, strict=True))
        return HoldAnswers(answers=tuple(answers[index] for index in range(len(turn)))), position

    def settle(self, batch: FinishBatch) -> tuple[FinishAnswers, str]:
        """Step 6, confirmed orders: their copies are sold."""
        return self._finish(batch, holds.settle)

    def release(self, batch: FinishBatch) -> tuple[FinishAnswers, str]:
        """Step 6, all other orders: their copies go back on the shelf."""
        return self._finish(batch, holds.release)

    def return_(self, batch: FinishBatch) -> tuple[FinishAnswers, str]:
        """Step 8, cancelled orders: their copies go back on the shelf."""
        return self._finish(batch, holds.return_)

    def open_holds(self, query: OpenHoldsQuery) -> OpenHolds:
        """Step 7: what the sweeper has to look at."""
        with self._store.reading() as tx:
            found = tx.open_holds(query.after, query.limit)
        holds_found = tuple(convert(hold, OpenHold, from_attributes=True) for hold in found)
        return OpenHolds(holds=holds_found, next=found[-1].order_id if len(found) == query.limit else None)

    @staticmethod
    def _allocate(
        tx: Transaction, requests: Sequence[HoldRequest], now: datetime
    ) -> tuple[Iterator[HoldAnswer], Sequence[int]]:
        """Give copies to holds that are new; returns the answers, and the item numbers of which copies were taken."""
        item_numbers = sorted({line.item_number for request in requests for line in request.lines})
        allocation = Allocation(tx.shelves_for_update(item_numbers) if item_numbers else {})
        answers: list[HoldAnswer] = []
        for request in requests:
            dropped = bool(answers) and (answers[-1].order_id, answers[-1].outcome) == (request.order_id, UNKNOWN_BOOK)
            if dropped:  # asked for twice in the batch, first of unknown books: that left no hold
                tx.add_holds([_row(request, HoldState.HELD)], now)
            answers.append(allocation.give(request))
            if answers[-1].outcome == UNKNOWN_BOOK:
                tx.drop_new_hold(request.order_id)
        tx.add_hold_lines(allocation.lines)
        tx.set_hold_state(allocation.refused, HoldState.REFUSED, now)
        if not tx.take_from_shelves(allocation.taken):
            raise ShelfMoved(allocation.taken)
        return iter(answers), sorted(allocation.taken)

    def _finish(
        self, batch: FinishBatch, transition: Callable[[HoldState | None], Transition]
    ) -> tuple[FinishAnswers, str]:
        # Ascending, as above.
        turn = sorted(range(len(batch.orders)), key=lambda index: batch.orders[index].order_id)
        orders = [batch.orders[index] for index in turn]
        with self._store.writing() as tx:
            now = self._clock()
            if isinstance(step := transition(None), Step):
                # The tombstones first: where a hold arrives at this very moment, one of the two is the later one.
                tx.add_holds([_row(order, step.to) for order in orders], now)
            found = dict(tx.holds_for_update([order.order_id for order in orders]))
            finished = [_finish_one(order, found, transition) for order in orders]
            steps = {order.order_id: step for order, (_, step) in zip(orders, finished, strict=True) if step}
            for state in dict.fromkeys(step.to for step in steps.values()):
                tx.set_hold_state([order_id for order_id, step in steps.items() if step.to is state], state, now)
            back: Counter[int] = Counter()
            coming = [order_id for order_id, step in steps.items() if step.copies_come_back]
            for lines in tx.hold_lines(coming).values() if coming else ():
                back.update({line.item_number: line.quantity for line in lines})
            tx.put_back_on_shelves(back)
            position = tx.publish(sorted(back), offer_only=True)
        answers = dict(zip(turn, (answer for answer, _ in finished), strict=True))
        return FinishAnswers(answers=tuple(answers[index] for index in range(len(turn)))), position


class Allocation:
    """Gives out the copies of locked shelves order by order: what one is refused, the next may still get."""

    def __init__(self, shelves: Mapping[int, ShelfState]) -> None:
        self._shelves = shelves
        self._left = {item_number: shelf.stock for item_number, shelf in shelves.items()}
        self._given: dict[str, tuple[HoldRequest, HoldAnswer]] = {}
        self.taken: Counter[int] = Counter()
        self.lines: dict[str, Sequence[StoredLine]] = {}
        self.refused: list[str] = []

    def give(self, request: HoldRequest) -> HoldAnswer:
        """All copies of an order or none; whoever asks again is told the same, or that it is another purchase."""
        if request.order_id in self._given:
            first, answer = self._given[request.order_id]
            return answer if _is_same(request, first) else _another_purchase(request)
        lines = canonical_lines(request.lines)
        unknown = tuple(line.item_number for line in lines if line.item_number not in self._shelves)
        if unknown:
            return HoldAnswer(order_id=request.order_id, outcome=UNKNOWN_BOOK, unknown_items=unknown)
        short = any(line.quantity > self._left[line.item_number] for line in lines)
        stored = [self._line(line, short=short) for line in lines]
        self.lines[request.order_id] = stored
        if short:
            self.refused.append(request.order_id)
        else:
            for line in lines:
                self._left[line.item_number] -= line.quantity
                self.taken[line.item_number] += line.quantity
        answer = _answer(request.order_id, HoldState.REFUSED if short else HoldState.HELD, stored)
        self._given[request.order_id] = request, answer
        return answer

    def _line(self, line: Line, *, short: bool) -> StoredLine:
        shelf = self._shelves[line.item_number]
        available = self._left[line.item_number] if short else None
        return StoredLine(line.item_number, shelf.title, line.quantity, shelf.price_minor, available)


def _finish_one(
    order: FinishHold, found: dict[str, StoredHold], transition: Callable[[HoldState | None], Transition]
) -> tuple[FinishAnswer, Step | None]:
    """The answer to one order and what is to be done for it; its hold in ``found`` is then where that leads."""
    hold = found.get(order.order_id)
    if hold and not _is_same(order, hold):
        return FinishAnswer(order_id=order.order_id, done=False, conflict="the hold is of another purchase"), None
    step = transition(hold.state if hold else None)
    if isinstance(step, Conflict):
        return FinishAnswer(order_id=order.order_id, done=False, conflict=step.reason), None
    done = FinishAnswer(order_id=order.order_id, done=True)
    if hold is None or not isinstance(step, Step):
        return done, None
    found[order.order_id] = replace(hold, state=step.to)
    return done, step


def _row(order: HoldRequest | FinishHold, state: HoldState) -> StoredHold:
    return StoredHold(order.order_id, order.account_id, order.purchase_hash, state)


def _is_same(order: HoldRequest | FinishHold, other: HoldRequest | StoredHold) -> bool:
    return (order.account_id, order.purchase_hash) == (other.account_id, other.purchase_hash)


def _another_purchase(request: HoldRequest) -> HoldAnswer:
    return HoldAnswer(order_id=request.order_id, outcome="hash-mismatch")


def _standing_answers(tx: Transaction, requests: Sequence[HoldRequest]) -> Iterator[HoldAnswer]:
    """What was answered before, also to whoever repeats the request with another purchase."""
    order_ids = [request.order_id for request in requests]
    if not order_ids:
        return iter(())
    found, lines = tx.holds_for_update(order_ids), tx.hold_lines(order_ids)
    return iter(
        [
            _answer(request.order_id, found[request.order_id].state, lines[request.order_id])
            if _is_same(request, found[request.order_id])
            else _another_purchase(request)
            for request in requests
        ]
    )


def _answer(order_id: str, state: HoldState, lines: Sequence[StoredLine]) -> HoldAnswer:
    return HoldAnswer(
        order_id=order_id,
        outcome=state.value,
        lines=tuple(line.held() for line in lines if line.available is None),
        shortages=tuple(line.shortage() for line in lines if line.is_short),
    )
