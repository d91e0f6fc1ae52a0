"""What follows a decision: settle or release its hold, now (steps 6) or when a crash came between (step 7)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bazar.contracts.purchasing import FinishAnswers, FinishHold, KeptHold, OpenHold
from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.use_cases.ports import Catalog, Store

#: A hold without a decision that this sweeper has seen for so long belongs to nobody: requests live 5 s.
#: It affects only how soon things settle, never whether they are right.
ABANDONED_AFTER_SECONDS = 15.0
_TO_RELEASE = (Outcome.PRICE_CHANGED, Outcome.CANCELLED)
#: Open holds that one transaction looks at: a statement takes only so many values (SQLite 32,766).
HOLDS_TOGETHER = 500


class FinishOrders:
    """Has the catalog settle what is confirmed and release the rest; notes what cannot be (stuck)."""

    def __init__(self, store: Store, catalog: Catalog, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._catalog = catalog
        self._clock = clock

    def finish(self, decisions: Sequence[Decision]) -> None:
        """Step 6, many at once; doing it again changes nothing. Raises CatalogAway."""
        self._carry_out(
            settle=[hold_of(decision) for decision in decisions if decision.outcome is Outcome.CONFIRMED],
            # A refusal took no copies: there is nothing to give back.
            release=[hold_of(decision) for decision in decisions if decision.outcome in _TO_RELEASE],
        )

    def _carry_out(self, settle: Sequence[FinishHold], release: Sequence[FinishHold]) -> None:
        try:
            if settle:
                self._note_stuck(self._catalog.settle(settle))
        finally:  # what cannot be settled keeps nothing from being released
            if release:
                self._note_stuck(self._catalog.release(release))

    def _note_stuck(self, answers: FinishAnswers) -> None:
        conflicts = [answer for answer in answers.answers if answer.conflict is not None]
        if not conflicts:
            return
        with self._store.writing() as tx:
            # Ascending: settle and sweep may note the same orders at once.
            for answer in sorted(conflicts, key=lambda answer: answer.order_id):
                tx.mark_stuck(answer.order_id, answer.conflict or "", self._clock())


class Sweep(FinishOrders):
    """Finishes what a crash interrupted. Keeps, on its own monotonic clock, since when it has seen each open hold."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        currency: str,
    ) -> None:
        super().__init__(store, catalog, clock)
        self._monotonic = monotonic
        self._currency = currency
        self._seen_since: dict[str, float] = {}

    def sweep(self) -> int:
        """One round over all open holds; returns how many there were. Raises CatalogAway."""
        found = self._catalog.open_holds()
        now = self._monotonic()
        self._seen_since = {hold.order_id: self._seen_since.get(hold.order_id, now) for hold in found}
        for first in range(0, len(found), HOLDS_TOGETHER):
            self._see_to(found[first : first + HOLDS_TOGETHER], now)
        return len(found)

    def _see_to(self, holds: Sequence[OpenHold], now: float) -> None:
        with self._store.reading() as tx:
            decided = {decision.order_id: decision for decision in tx.decisions([hold.order_id for hold in holds])}
        abandoned = [
            hold
            for hold in holds
            if hold.order_id not in decided and now - self._seen_since[hold.order_id] >= ABANDONED_AFTER_SECONDS
        ]
        decided.update(self._give_up(abandoned))
        settle, release = list[FinishHold](), list[FinishHold]()
        for hold in holds:
            decision = decided.get(hold.order_id)
            if decision is None:
                continue
            is_ours = decision.purchase_hash == hold.purchase_hash
            if not is_ours:
                with self._store.writing() as tx:
                    tx.mark_stuck(hold.order_id, "the hold is of another purchase than the decision", self._clock())
            finish = settle if is_ours and decision.outcome is Outcome.CONFIRMED else release
            finish.append(hold_of(hold))
        self._carry_out(settle, release)

    def _give_up(self, abandoned: Sequence[OpenHold]) -> dict[str, Decision]:
        """Decide CANCELLED where nothing is decided yet; whoever decides first has decided."""
        if not abandoned:
            return {}
        with self._store.writing() as tx:
            return tx.decide([self._cancelled(hold) for hold in abandoned])

    def _cancelled(self, hold: OpenHold) -> Decision:
        return Decision(
            order_id=hold.order_id,
            account_id=hold.account_id,
            purchase_hash=hold.purchase_hash,
            outcome=Outcome.CANCELLED,
            decided_at=self._clock(),
            currency=self._currency,
        )


def hold_of(order: Decision | OpenHold | KeptHold) -> FinishHold:
    """What the catalog knows the order's hold by."""
    return FinishHold(order_id=order.order_id, account_id=order.account_id, purchase_hash=order.purchase_hash)
