"""Copies on hold for orders: take them, settle them, give them back (docs/life-of-a-purchase.md).

The order server decides; the catalog obeys, and never frees a hold by itself.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from msgspec import convert

from bazar.catalog.domain import holds
from bazar.catalog.domain.holds import Conflict, HoldState, Step, Transition
from bazar.catalog.use_cases.ports import Store, StoredHold, StoredLine, Transaction
from bazar.contracts.purchasing import (
    FinishAnswer,
    FinishAnswers,
    FinishBatch,
    FinishHold,
    HoldAnswer,
    HoldAnswers,
    HoldBatch,
    HoldRequest,
    OpenHold,
    OpenHolds,
    OpenHoldsQuery,
    canonical_lines,
)


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
        answers: dict[int, HoldAnswer] = {}
        with self._store.writing() as tx:
            now = self._clock()
            new = {
                batch.holds[index].order_id
                for index in turn
                if tx.add_hold(_row(batch.holds[index], HoldState.HELD), now)
            }
            ours = [index for index in turn if batch.holds[index].order_id in new]
            allocated, taken = self._allocate(tx, [batch.holds[index] for index in ours], now)
            answers.update(zip(ours, allocated, strict=True))
            for index in turn:
                if index not in answers:
                    answers[index] = _standing_answer(tx, batch.holds[index])
            position = tx.publish(taken)
        return HoldAnswers(answers=tuple(answers[index] for index in range(len(batch.holds)))), position

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

    def _allocate(
        self, tx: Transaction, requests: Sequence[HoldRequest], now: datetime
    ) -> tuple[list[HoldAnswer], list[int]]:
        """Give out copies order by order: what one is refused, the next may still get.

        Where an order is asked for twice, the second is told what became of the first, unless that left no hold.
        Returns the answers, and the item numbers of which copies were taken, ascending.
        """
        wanted = [canonical_lines(request.lines) for request in requests]
        shelves = tx.shelves_for_update(sorted({line.item_number for lines in wanted for line in lines}))
        left = {item_number: shelf.stock for item_number, shelf in shelves.items()}
        taken: Counter[int] = Counter()
        answers: list[HoldAnswer] = []
        for request, lines in zip(requests, wanted, strict=True):
            is_second = answers and answers[-1].order_id == request.order_id
            if is_second and not tx.add_hold(_row(request, HoldState.HELD), now):
                answers.append(_standing_answer(tx, request))
                continue
            unknown = tuple(line.item_number for line in lines if line.item_number not in shelves)
            if unknown:
                tx.drop_new_hold(request.order_id)
                answers.append(HoldAnswer(order_id=request.order_id, outcome="unknown-book", unknown_items=unknown))
                continue
            short = any(line.quantity > left[line.item_number] for line in lines)
            stored = [
                StoredLine(
                    item_number=line.item_number,
                    title=shelves[line.item_number].title,
                    quantity=line.quantity,
                    price_minor=shelves[line.item_number].price_minor,
                    available=left[line.item_number] if short else None,
                )
                for line in lines
            ]
            tx.add_hold_lines(request.order_id, stored)
            if short:
                tx.set_hold_state(request.order_id, HoldState.REFUSED, now)
            else:
                for line in lines:
                    left[line.item_number] -= line.quantity
                    taken[line.item_number] += line.quantity
            answers.append(_answer(request.order_id, HoldState.REFUSED if short else HoldState.HELD, stored))
        for item_number, copies in sorted(taken.items()):
            if not tx.take_from_shelf(item_number, copies):
                raise ShelfMoved(item_number)
        return answers, sorted(taken)

    def _finish(
        self, batch: FinishBatch, transition: Callable[[HoldState | None], Transition]
    ) -> tuple[FinishAnswers, str]:
        # Ascending, as above.
        turn = sorted(range(len(batch.orders)), key=lambda index: batch.orders[index].order_id)
        answers: dict[int, FinishAnswer] = {}
        back: Counter[int] = Counter()
        with self._store.writing() as tx:
            now = self._clock()
            if isinstance(step := transition(None), Step):
                # The tombstones first: where a hold arrives at this very moment, one of the two is the later one.
                for index in turn:
                    tx.add_hold(_row(batch.orders[index], step.to), now)
            found = dict(tx.holds_for_update([batch.orders[index].order_id for index in turn]))
            for index in turn:
                answers[index] = _finish_one(tx, batch.orders[index], found, transition, back=back, now=now)
            for item_number, copies in sorted(back.items()):
                tx.put_back_on_shelf(item_number, copies)
            position = tx.publish(sorted(back))
        return FinishAnswers(answers=tuple(answers[index] for index in range(len(batch.orders)))), position


def _finish_one(
    tx: Transaction,
    order: FinishHold,
    found: dict[str, StoredHold],
    transition: Callable[[HoldState | None], Transition],
    *,
    back: Counter[int],
    now: datetime,
) -> FinishAnswer:
    """Carry out the transition for one order, in ``found`` too; adds the copies that come back to ``back``."""
    hold = found.get(order.order_id)
    if hold and (hold.account_id, hold.purchase_hash) != (order.account_id, order.purchase_hash):
        return FinishAnswer(order_id=order.order_id, done=False, conflict="the hold is of another purchase")
    step = transition(hold.state if hold else None)
    if isinstance(step, Conflict):
        return FinishAnswer(order_id=order.order_id, done=False, conflict=step.reason)
    if hold and isinstance(step, Step):
        tx.set_hold_state(order.order_id, step.to, now)
        found[order.order_id] = replace(hold, state=step.to)
        if step.copies_come_back:
            back.update({line.item_number: line.quantity for line in tx.hold_lines(order.order_id)})
    return FinishAnswer(order_id=order.order_id, done=True)


def _row(order: HoldRequest | FinishHold, state: HoldState) -> StoredHold:
    return StoredHold(order.order_id, order.account_id, order.purchase_hash, state)


def _standing_answer(tx: Transaction, request: HoldRequest) -> HoldAnswer:
    """What was answered before, also to whoever repeats the request with another purchase."""
    hold = tx.holds_for_update([request.order_id])[request.order_id]
    if (hold.account_id, hold.purchase_hash) != (request.account_id, request.purchase_hash):
        return HoldAnswer(order_id=request.order_id, outcome="hash-mismatch")
    return _answer(request.order_id, hold.state, tx.hold_lines(request.order_id))


def _answer(order_id: str, state: HoldState, lines: Sequence[StoredLine]) -> HoldAnswer:
    return HoldAnswer(
        order_id=order_id,
        outcome=state.value,
        lines=tuple(line.held() for line in lines if line.available is None),
        shortages=tuple(line.shortage() for line in lines if line.is_short),
    )
