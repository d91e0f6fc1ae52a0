"""How far orders are: lists by state, the whole life of one, and the figures of the last days. For the pages."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import takewhile

from bazar.contracts.books import Money
from bazar.contracts.counter import (
    MOST_COUNTED,
    CounterOrder,
    CounterOrders,
    CounterQuery,
    DayFigures,
    Figures,
    FiguresQuery,
    Happening,
    OpenOrdersQuery,
    OrderJournal,
    OrderJournalLine,
    OrderJournalQuery,
    OrderLife,
    State,
)
from bazar.contracts.purchasing import OrderQuery
from bazar.contracts.times import EPOCH, rfc3339
from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.domain.errors import UnknownOrder
from bazar.order.use_cases.look_up_orders import as_order
from bazar.order.use_cases.ports import Store, Transaction

_QUARTER = timedelta(minutes=15)


class FollowOrders:
    """Reads; nothing here changes anything."""

    def __init__(self, store: Store, clock: Callable[[], datetime], currency: str, time_zone: tzinfo = UTC) -> None:
        """``time_zone``: at whose midnight a day ends."""
        self._time_zone = time_zone
        self._store = store
        self._clock = clock
        self._currency = currency

    def orders(self, query: CounterQuery) -> CounterOrders:
        """A page of orders with their states. Raises BadCursor."""
        with self._store.reading() as tx:
            if query.number is not None:
                found, more = _numbered(tx, query.number, query.limit), None
            elif query.account_id is None and query.state is not None:
                found, more = tx.orders_in_state(query.state, query.cursor, query.limit)
            else:
                found, more = tx.orders_of(query.account_id, query.cursor, query.limit)
            states = _states(tx, [decision.order_id for decision in found])
        shown = [_at_counter(decision, states) for decision in found]
        asked = (
            one for one in shown if query.state in (None, one.state) and query.account_id in (None, one.account_id)
        )
        return CounterOrders(items=tuple(asked), next=more)

    def open_orders(self, query: OpenOrdersQuery) -> CounterOrders:
        """A page of what is placed or ready for an account. Raises BadCursor."""
        with self._store.reading() as tx:
            found, more = tx.open_orders_of(query.account_id, query.cursor, query.limit)
            states = _states(tx, [decision.order_id for decision in found])
        return CounterOrders(items=tuple(_at_counter(decision, states) for decision in found), next=more)

    def life(self, order_id: str, query: OrderQuery) -> OrderLife:
        """An order and what happened to it; raises UnknownOrder, also for the order of somebody else.

        Staff see what is or was stuck, whatever it is.
        """
        with self._store.reading() as tx:
            decision = tx.decision(order_id)
            states = _states(tx, [order_id])
            is_stuck = bool(tx.stuck([order_id]))
            happened = sorted(tx.happened_to(order_id), key=lambda one: one.at)
        if decision is None or query.account_id not in (None, decision.account_id):
            raise UnknownOrder(order_id)
        stuck = [one.in_words for one in happened if one.what == "stuck"]
        if decision.outcome is not Outcome.CONFIRMED and (query.account_id is not None or not stuck):
            raise UnknownOrder(order_id)
        found = _at_counter(decision, states)
        placed = Happening(what="placed", at=rfc3339(decision.decided_at), who=decision.account_id)
        later = (Happening(what=one.what, at=rfc3339(one.at), who=one.who, in_words=one.in_words) for one in happened)
        return OrderLife(
            order=found.order,
            account_id=found.account_id,
            state=found.state,
            decision=decision.outcome.value,
            stuck=stuck[-1] if is_stuck else None,
            happenings=(placed, *later),
        )

    def journal(self, query: OrderJournalQuery) -> OrderJournal:
        """A page of what people did to orders. Raises BadCursor."""
        with self._store.reading() as tx:
            deeds, more = tx.deeds(query.cursor, query.limit)
            decided = {one.order_id: one for one in tx.decisions(list({deed.order_id for deed in deeds}))}
        lines = (
            OrderJournalLine(
                order_id=deed.order_id,
                account_id=decided[deed.order_id].account_id,
                titles=tuple(line.title for line in decided[deed.order_id].lines),
                what=deed.what,
                at=rfc3339(deed.at),
                who=deed.who,
                in_words=deed.in_words,
            )
            for deed in deeds
        )
        return OrderJournal(items=tuple(lines), next=more)

    def figures(self, query: FiguresQuery) -> Figures:
        """Of the last days; what it costs grows with the orders of these days, not with all."""
        today = self._clock().astimezone(self._time_zone).date()
        days = [today - timedelta(days=back) for back in reversed(range(query.days))]
        since = datetime.combine(days[0], time(), self._time_zone)
        with self._store.reading() as tx:
            placed, taken = self._by_day(tx.placed_by_quarter(since)), self._by_day(tx.taken_by_quarter(since))
            to_make_ready = tx.count_in_state("placed", MOST_COUNTED)
            ready = tx.count_in_state("ready", MOST_COUNTED)
            stuck = tx.count_stuck(MOST_COUNTED)
        return Figures(
            days=tuple(
                DayFigures(
                    day=day.isoformat(),
                    orders=placed[day],
                    takings=Money(amount=taken[day], currency=self._currency),
                )
                for day in days
            ),
            to_make_ready=to_make_ready,
            ready=ready,
            stuck=stuck,
        )

    def _by_day(self, quarters: Mapping[int, int]) -> Mapping[date, int]:
        """Sums by the shop's days, of 23 to 25 hours: clocks everywhere are whole quarters of an hour off UTC."""
        days = Counter[date]()
        for quarter, number in quarters.items():
            days[(EPOCH + quarter * _QUARTER).astimezone(self._time_zone).date()] += number
        return days


def _numbered(tx: Transaction, number: str, limit: int) -> Sequence[Decision]:
    whole = tx.decision(number)  # what comes after a whole id is another's
    beginning = (
        [whole] if whole else takewhile(lambda one: one.order_id.startswith(number), tx.decisions_after(number, limit))
    )
    return [one for one in beginning if one.outcome is Outcome.CONFIRMED]


def _states(tx: Transaction, order_ids: Sequence[str]) -> Mapping[str, State]:
    """A cancellation counts whatever the row of states says: an older order server does not write that row."""
    cancelled: dict[str, State] = dict.fromkeys(tx.cancelled(order_ids), "cancelled")
    return {**tx.states(order_ids), **cancelled}


def _at_counter(decision: Decision, states: Mapping[str, State]) -> CounterOrder:
    # What is no order to its customer is none that stands.
    state = states.get(decision.order_id, "placed") if decision.outcome is Outcome.CONFIRMED else "cancelled"
    return CounterOrder(
        order=as_order(decision, is_cancelled=state == "cancelled"), account_id=decision.account_id, state=state
    )
