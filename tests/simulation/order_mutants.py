"""Mutants of the order server: ids, decisions, answers, settling, sweeping, cancelling."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import count
from typing import Any

import sqlalchemy as sa

from bazar.chassis.database import StorageUnavailable
from bazar.contracts.purchasing import CancelOrder, HoldRequest, OpenHold
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome
from bazar.order.domain.errors import UnknownOrder
from bazar.order.domain.order_ids import order_id_of
from bazar.order.storage import decisions as decision_sql
from bazar.order.storage.cancellations import CancellationRows
from bazar.order.storage.decisions import DecisionRows
from bazar.order.storage.schema import decisions
from bazar.order.storage.store import OrderTransaction
from bazar.order.use_cases import place_order
from bazar.order.use_cases.cancel_order import RETURNED_TOGETHER, CancelOrders, ReturnCopies
from bazar.order.use_cases.finish_orders import ABANDONED_AFTER_SECONDS, Sweep, hold_of
from bazar.order.use_cases.place_order import PlaceOrders, Purchase, Told
from bazar.order.use_cases.ports import Deadline, Store
from simulation.mutant import Mutant, Replacement


def _order_id_random() -> Sequence[Replacement]:
    number = count()
    return [
        (place_order, "order_id_of", lambda account, key, secret: order_id_of(account, f"{key} {next(number)}", secret))
    ]


def _secret_not_kept() -> Sequence[Replacement]:
    number = count()
    return [(OrderTransaction, "order_id_secret", lambda _: sha256(b"%d" % next(number)).digest())]


def _hash_not_compared() -> Sequence[Replacement]:
    real = place_order._answer

    def answer(purchase: Purchase, decision: Decision) -> Told:
        return real(purchase, replace(decision, purchase_hash=purchase.hold.purchase_hash))

    return [(place_order, "_answer", answer)]


def _decision_before_hold() -> Sequence[Replacement]:
    real = PlaceOrders._hold_and_decide

    def hold_and_decide(self: PlaceOrders, purchases: Sequence[Purchase], deadline: Deadline) -> Sequence[Told]:
        with self._store.writing() as tx:
            tx.decide([_confirmed_unseen(purchase.hold, self._clock(), self._currency) for purchase in purchases])
        self._catalog.hold([purchase.hold for purchase in purchases], deadline)
        return real(self, purchases, deadline)

    return [(PlaceOrders, "_hold_and_decide", hold_and_decide)]


def _confirmed_unseen(hold: HoldRequest, at: datetime, currency: str) -> Decision:
    return Decision(
        order_id=hold.order_id,
        account_id=hold.account_id,
        purchase_hash=hold.purchase_hash,
        outcome=Outcome.CONFIRMED,
        decided_at=at,
        currency=currency,
        lines=tuple(OrderedLine(line.item_number, "", line.quantity, 0) for line in hold.lines),
    )


def _decision_overwritten() -> Sequence[Replacement]:
    overwrite = "ON CONFLICT (order_id) DO UPDATE SET outcome = excluded.outcome, decided_at = excluded.decided_at"
    upsert = sa.text(decision_sql._DECIDE.text.replace("ON CONFLICT DO NOTHING", overwrite)).bindparams(
        sa.bindparam("lines", type_=sa.JSON), sa.bindparam("shortages", type_=sa.JSON)
    )
    return [(decision_sql, "_DECIDE", upsert)]


def _answer_not_from_row() -> Sequence[Replacement]:
    real = DecisionRows.decide

    def decide(self: DecisionRows, proposed: Sequence[Decision]) -> dict[str, Decision]:
        real(self, proposed)
        return {decision.order_id: decision for decision in proposed}

    return [(DecisionRows, "decide", decide)]


def _answer_before_commit() -> Sequence[Replacement]:
    real = PlaceOrders._decide

    def decide(self: PlaceOrders, proposed: Sequence[Decision]) -> dict[str, Decision]:
        try:
            return real(self, proposed)
        except StorageUnavailable:
            return {decision.order_id: decision for decision in proposed}

    return [(PlaceOrders, "_decide", decide)]


def _finished_before_commit() -> Sequence[Replacement]:
    real = PlaceOrders._decide

    def decide(self: PlaceOrders, proposed: Sequence[Decision]) -> dict[str, Decision]:
        for decision in proposed:
            self._finisher.finish(decision)
        return real(self, proposed)

    return [(PlaceOrders, "_decide", decide)]


def _expected_total_ignored() -> Sequence[Replacement]:
    real = place_order.decide

    def decide(purchase: Purchase, *others: Any) -> Decision:
        return real(replace(purchase, expected_total_minor=None), *others)

    return [(place_order, "decide", decide)]


def _no_sweep() -> Sequence[Replacement]:
    return [(Sweep, "sweep", lambda _: 0)]


def _sweeper_ignores_decision() -> Sequence[Replacement]:
    def see_to(self: Sweep, holds: Sequence[OpenHold], now: float) -> None:
        abandoned = [hold for hold in holds if now - self._seen_since[hold.order_id] >= ABANDONED_AFTER_SECONDS]
        self._give_up(abandoned)
        with self._store.reading() as tx:
            decided = {decision.order_id for decision in tx.decisions([hold.order_id for hold in holds])}
        self._carry_out([], [hold_of(hold) for hold in holds if hold.order_id in decided])

    return [(Sweep, "_see_to", see_to)]


def _sweeper_decides_nothing() -> Sequence[Replacement]:
    def give_up(self: Sweep, abandoned: Sequence[OpenHold]) -> dict[str, Decision]:
        return {hold.order_id: self._cancelled(hold) for hold in abandoned}

    return [(Sweep, "_give_up", give_up)]


def _cancel_unchecked() -> Sequence[Replacement]:
    def cancel_order(self: CancelOrders, order_id: str, request: CancelOrder) -> Decision:
        with self._store.writing() as tx:
            decision = tx.decision(order_id)
            if decision is None or request.account_id not in (None, decision.account_id):
                raise UnknownOrder(order_id)
            tx.cancel(order_id, request.actor, self._clock())
        self._returner.return_soon()
        return decision

    return [(CancelOrders, "cancel_order", cancel_order)]


def _cancellation_overwrites_decision() -> Sequence[Replacement]:
    real = CancellationRows.cancel

    def cancel(self: CancellationRows, order_id: str, *others: Any) -> bool:
        change = sa.update(decisions).where(decisions.c.order_id == order_id)
        self._connection.execute(change.values(outcome=Outcome.CANCELLED.value))
        return real(self, order_id, *others)

    return [(CancellationRows, "cancel", cancel)]


def _return_not_repeated() -> Sequence[Replacement]:
    sent: set[str] = set()

    def return_copies(self: ReturnCopies) -> int:
        with self._store.reading() as tx:
            cancelled = [order for order in tx.unreturned(RETURNED_TOGETHER) if order.order_id not in sent]
        sent.update(order.order_id for order in cancelled)
        _return_now(self, cancelled)
        return len(cancelled)

    return [(ReturnCopies, "return_copies", return_copies)]


def _marked_too_soon() -> Sequence[Replacement]:
    def return_copies(self: ReturnCopies) -> int:
        with self._store.reading() as tx:
            cancelled = tx.unreturned(RETURNED_TOGETHER)
        _mark(self._store, [order.order_id for order in cancelled], self._clock())
        if cancelled:
            self._catalog.return_([hold_of(order) for order in cancelled])
        return len(cancelled)

    return [(ReturnCopies, "return_copies", return_copies)]


def _return_now(self: ReturnCopies, cancelled: Sequence[Decision]) -> None:
    if cancelled:
        answers = self._catalog.return_([hold_of(order) for order in cancelled]).answers
        _mark(self._store, [answer.order_id for answer in answers if answer.done], self._clock())


def _mark(store: Store, order_ids: Sequence[str], at: datetime) -> None:
    if order_ids:
        with store.writing() as tx:
            tx.mark_returned(order_ids, at)


ORDER_MUTANTS: Mapping[str, Mutant] = {
    "ORDER_ID_RANDOM": Mutant("each request is an order of its own: its id is random", _order_id_random),
    "SECRET_NOT_KEPT": Mutant("order ids are made with another secret after each start", _secret_not_kept),
    "HASH_NOT_COMPARED": Mutant("another body under the same key passes for a retry", _hash_not_compared),
    "DECISION_BEFORE_HOLD": Mutant("the order is confirmed before its copies are held", _decision_before_hold),
    "DECISION_OVERWRITTEN": Mutant("a decision replaces the one that is there", _decision_overwritten),
    "ANSWER_NOT_FROM_ROW": Mutant("the buyer is told what was proposed, not what the row says", _answer_not_from_row),
    "ANSWER_BEFORE_COMMIT": Mutant("the buyer is told of a decision whose commit failed", _answer_before_commit),
    "FINISHED_BEFORE_COMMIT": Mutant("a hold is settled before its decision is committed", _finished_before_commit),
    "EXPECTED_TOTAL_IGNORED": Mutant("what the customer expects to pay is not compared", _expected_total_ignored),
    "NO_SWEEP": Mutant("nobody sweeps: what a crash interrupts stays open", _no_sweep),
    "SWEEPER_IGNORES_DECISION": Mutant(
        "the sweeper releases what is open, whatever was decided", _sweeper_ignores_decision
    ),
    "SWEEPER_DECIDES_NOTHING": Mutant("the sweeper releases what is abandoned, undecided", _sweeper_decides_nothing),
    "CANCEL_UNCHECKED": Mutant("what is not confirmed can be cancelled", _cancel_unchecked),
    "CANCELLATION_OVERWRITES_DECISION": Mutant(
        "a cancellation changes the decision itself", _cancellation_overwrites_decision
    ),
    "RETURN_NOT_REPEATED": Mutant("the return after a cancel is sent once", _return_not_repeated),
    "MARKED_TOO_SOON": Mutant("a return counts as done before the catalog has said so", _marked_too_soon),
}
