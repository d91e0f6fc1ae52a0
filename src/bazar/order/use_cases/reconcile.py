"""After a restore: bring decisions and holds together again, and mark what cannot be (ADR 0012).

A restored catalog has a new epoch, a restored order server has forgotten with which one it compared. Purchases go on
meanwhile: every step here is one of the protocol, which is right at any time and when repeated.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from bazar.contracts.purchasing import FinishAnswers, KeptHold
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome
from bazar.order.use_cases.finish_orders import hold_of
from bazar.order.use_cases.ports import Catalog, KeptHoldPages, Store, Transaction

#: Who cancelled an order of which only the returned hold is left.
RECOVERY = "recovery"
DECISIONS_TOGETHER = 500

#: What a hold says of an order whose decision was lost. One that is held is given up by the sweep; one that was refused
#: decides OUT_OF_STOCK when its key comes again.
_DECIDED_BY_HOLD = {"settled": Outcome.CONFIRMED, "returned": Outcome.CONFIRMED, "released": Outcome.CANCELLED}


class Reconcile:
    """Compares all decisions with all holds, once for each state of the catalog that a restore made."""

    def __init__(
        self, store: Store, catalog: Catalog, kept: KeptHoldPages, clock: Callable[[], datetime], currency: str
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._kept = kept
        self._clock = clock
        self._currency = currency

    def reconcile(self) -> bool:
        """Compare, unless that was done; whether it was to be done. Raises CatalogAway: the next call begins anew."""
        epoch = self._kept.epoch()
        with self._store.reading() as tx:
            if tx.compared_with() == epoch:
                return False
        with self._store.writing() as tx:
            # What the catalog acknowledged it may have forgotten; who returns copies asks again.
            tx.void_returns()
        self._decide_by_holds(epoch)
        self._finish_all_again(epoch)
        with self._store.writing() as tx:
            tx.note_comparison(epoch, self._clock())
        return True

    def _decide_by_holds(self, epoch: str) -> None:
        after: str | None = ""
        while after is not None:
            page = self._kept.kept_holds(after)
            if page.holds:
                with self._store.writing() as tx:
                    self._decide_page(tx, page.holds, epoch)
            after = page.next

    def _decide_page(self, tx: Transaction, holds: Sequence[KeptHold], epoch: str) -> None:
        # Read after the holds: without a restore, who settles, releases or returns has decided before.
        decided = {decision.order_id: decision for decision in tx.decisions([hold.order_id for hold in holds])}
        decided |= tx.decide(
            [
                self._decision(hold, _DECIDED_BY_HOLD[hold.state])
                for hold in holds
                if hold.order_id not in decided and hold.state in _DECIDED_BY_HOLD
            ]
        )
        for hold in holds:
            decision = decided.get(hold.order_id)
            if decision is not None and hold.state == "returned" and _confirms(decision, hold):
                self._cancel(tx, hold, epoch)

    def _cancel(self, tx: Transaction, hold: KeptHold, epoch: str) -> None:
        """The copies are back, so the order is cancelled; unless it was handed out since the restore."""
        tx.lock_order(hold.order_id)
        if tx.collected_at(hold.order_id) is None:
            tx.cancel(hold.order_id, RECOVERY, datetime.fromisoformat(hold.changed_at))
        else:
            why = f"it was collected, and its copies had been returned (since the catalog's epoch {epoch})"
            tx.mark_stuck(hold.order_id, why, self._clock())

    def _finish_all_again(self, epoch: str) -> None:
        """Step 6 for every decision: the catalog's own answers say where the two differ."""
        decisions: Sequence[Decision] = ()
        while True:
            with self._store.reading() as tx:
                decisions = tx.decisions_after(decisions[-1].order_id if decisions else "", DECISIONS_TOGETHER)
                cancelled = tx.cancelled([decision.order_id for decision in decisions])
            if not decisions:
                return
            # Cancelled orders are left to who returns their copies.
            stands = [one for one in decisions if one.outcome is Outcome.CONFIRMED and one.order_id not in cancelled]
            falls = [one for one in decisions if one.outcome is not Outcome.CONFIRMED]
            if stands:
                self._mark(self._catalog.settle([hold_of(decision) for decision in stands]), epoch)
            if falls:
                self._mark(self._catalog.release([hold_of(decision) for decision in falls]), epoch)

    def _mark(self, answers: FinishAnswers, epoch: str) -> None:
        conflicts = [answer for answer in answers.answers if answer.conflict is not None]
        if not conflicts:
            return
        with self._store.writing() as tx:
            for answer in conflicts:
                # With the epoch: what was ended by hand before this restore is to be looked at again.
                tx.mark_stuck(answer.order_id, f"{answer.conflict} (since the catalog's epoch {epoch})", self._clock())

    def _decision(self, hold: KeptHold, outcome: Outcome) -> Decision:
        return Decision(
            order_id=hold.order_id,
            account_id=hold.account_id,
            purchase_hash=hold.purchase_hash,
            outcome=outcome,
            decided_at=datetime.fromisoformat(hold.held_at),
            currency=self._currency,
            lines=tuple(
                OrderedLine(line.item_number, line.title, line.quantity, line.price_minor) for line in hold.lines
            )
            if outcome is Outcome.CONFIRMED
            else (),
        )


def _confirms(decision: Decision, hold: KeptHold) -> bool:
    return decision.outcome is Outcome.CONFIRMED and hold_of(decision) == hold_of(hold)
