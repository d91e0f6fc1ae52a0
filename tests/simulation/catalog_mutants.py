"""Mutants of the catalog: holds, shelves, the feed, what staff change."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from bazar.catalog.domain import holds as states
from bazar.catalog.domain.holds import HoldState, Step, Transition, Unchanged
from bazar.catalog.storage import holds as hold_sql
from bazar.catalog.storage.books import BookRows
from bazar.catalog.storage.feed import FeedRows
from bazar.catalog.storage.holds import HoldRows
from bazar.catalog.storage.schema import books, changes, feed, hold_lines, holds
from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases import hold_copies
from bazar.catalog.use_cases.hold_copies import Allocation, HoldCopies
from bazar.catalog.use_cases.ports import ShelfState, StoredHold, StoredLine
from bazar.contracts.purchasing import HoldAnswer, HoldAnswers, HoldBatch, HoldRequest, OpenHolds, OpenHoldsQuery
from simulation.mutant import Mutant, Replacement

#: A catalog that frees holds by its own clock does it after so long.
EXPIRES_AFTER = timedelta(seconds=5)
#: Numbers that a transaction takes from a bare sequence: no transaction here changes more books.
NUMBERS_TOGETHER = 10


def _also(transition: Callable[[HoldState | None], Transition], wrong: Mapping[HoldState | None, Transition]) -> Any:
    return lambda state: wrong[state] if state in wrong else transition(state)


def _hold_not_idempotent() -> Sequence[Replacement]:
    real = HoldRows.add_holds

    def add_holds(self: HoldRows, new: Sequence[StoredHold], at: datetime) -> frozenset[str]:
        for hold in new:
            same = sa.and_(holds.c.order_id == hold.order_id, holds.c.purchase_hash == hold.purchase_hash)
            state = self._connection.execute(sa.select(holds.c.state).where(same)).scalar_one_or_none()
            if state == hold.state == HoldState.HELD:
                self._connection.execute(sa.delete(hold_lines).where(hold_lines.c.order_id == hold.order_id))
                self._connection.execute(sa.delete(holds).where(same))
        return real(self, new, at)

    return [(HoldRows, "add_holds", add_holds)]


def _stock_not_checked() -> Sequence[Replacement]:
    real = HoldRows.shelves_for_update
    take = (
        sa.update(books)
        .where(books.c.item_number == sa.bindparam("item"))
        # The database refuses what is below zero.
        .values(stock=sa.func.max(books.c.stock - sa.bindparam("copies"), 0), version=books.c.version + 1)
    )

    def shelves_for_update(self: HoldRows, item_numbers: Sequence[int]) -> Mapping[int, ShelfState]:
        return {number: replace(shelf, stock=10**6) for number, shelf in real(self, item_numbers).items()}

    return [(HoldRows, "shelves_for_update", shelves_for_update), (hold_sql, "_TAKE", take)]


class _SeenBefore:
    """A store whose transactions take from the shelves as they were seen in an earlier transaction."""

    def __init__(self, store: CatalogStore, seen: Mapping[int, ShelfState]) -> None:
        self._store = store
        self._seen = seen

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with self._store.writing() as tx:
            known: Any = tx
            known.shelves_for_update = lambda numbers: {n: self._seen[n] for n in numbers if n in self._seen}
            known.take_from_shelves = lambda copies: self._write(tx._connection, copies)
            yield known

    def _write(self, connection: sa.Connection, copies: Mapping[int, int]) -> bool:
        for item_number, taken in copies.items():
            left = self._seen[item_number].stock - taken
            change = sa.update(books).where(books.c.item_number == item_number)
            connection.execute(change.values(stock=left, version=books.c.version + 1))
        return True


def _read_then_write() -> Sequence[Replacement]:
    real = HoldCopies.hold

    def hold(self: HoldCopies, batch: HoldBatch) -> tuple[HoldAnswers, str]:
        store: Any = self._store
        with store.reading() as tx:
            seen = tx.shelves_for_update([line.item_number for order in batch.holds for line in order.lines])
        stale: Any = copy(self)
        stale._store = _SeenBefore(store, seen)
        return real(stale, batch)

    return [(HoldCopies, "hold", hold)]


def _hold_in_two_transactions() -> Sequence[Replacement]:
    real_take, real_hold = HoldRows.take_from_shelves, HoldCopies.hold
    later: list[Mapping[int, int]] = []

    def take_from_shelves(_self: HoldRows, copies: Mapping[int, int]) -> bool:
        later.append(dict(copies))
        return True

    def hold(self: HoldCopies, batch: HoldBatch) -> tuple[HoldAnswers, str]:
        later.clear()
        answers = real_hold(self, batch)
        taken = list(later)
        with self._store.writing() as tx:
            for copies in taken:
                real_take(tx, copies)  # type: ignore[arg-type]  # the real transaction
        return answers

    return [(HoldRows, "take_from_shelves", take_from_shelves), (HoldCopies, "hold", hold)]


def _short_order_takes_some() -> Sequence[Replacement]:
    real = HoldRows.set_hold_state

    def set_hold_state(self: HoldRows, order_ids: Sequence[str], state: HoldState, at: datetime) -> None:
        if state is HoldState.REFUSED and order_ids:
            for lines in self.hold_lines(order_ids).values():
                self.take_from_shelves({line.item_number: line.quantity for line in lines if not line.is_short})
        real(self, order_ids, state, at)

    return [(HoldRows, "set_hold_state", set_hold_state)]


def _refusal_harms_another() -> Sequence[Replacement]:
    real = Allocation.give

    def give(self: Allocation, request: HoldRequest) -> HoldAnswer:
        if self.refused and request.order_id not in self._given:
            self._left = dict.fromkeys(self._left, 0)
        return real(self, request)

    return [(Allocation, "give", give)]


def _answers_out_of_order() -> Sequence[Replacement]:
    real = HoldCopies.hold

    def hold(self: HoldCopies, batch: HoldBatch) -> tuple[HoldAnswers, str]:
        answers, position = real(self, batch)
        return HoldAnswers(answers=tuple(sorted(answers.answers, key=lambda answer: answer.order_id))), position

    return [(HoldCopies, "hold", hold)]


def _refusal_not_kept() -> Sequence[Replacement]:
    real = HoldRows.set_hold_state

    def set_hold_state(self: HoldRows, order_ids: Sequence[str], state: HoldState, at: datetime) -> None:
        if state is HoldState.REFUSED:
            for order_id in order_ids:
                self._connection.execute(sa.delete(hold_lines).where(hold_lines.c.order_id == order_id))
                self.drop_new_hold(order_id)
        else:
            real(self, order_ids, state, at)

    return [(HoldRows, "set_hold_state", set_hold_state)]


def _hash_not_compared_by_the_catalog() -> Sequence[Replacement]:
    return [(hold_copies, "_is_same", lambda _order, _other: True)]


def _price_looked_up_again() -> Sequence[Replacement]:
    real = HoldRows.hold_lines

    def lines(self: HoldRows, order_ids: Sequence[str]) -> Mapping[str, Sequence[StoredLine]]:
        found = real(self, order_ids)
        shelves = self.shelves_for_update([line.item_number for lines in found.values() for line in lines])
        return {order_id: [_at_todays_price(line, shelves) for line in lines] for order_id, lines in found.items()}

    return [(HoldRows, "hold_lines", lines)]


def _at_todays_price(line: StoredLine, shelves: Mapping[int, ShelfState]) -> StoredLine:
    shelf = shelves.get(line.item_number)
    return line if shelf is None else replace(line, price_minor=shelf.price_minor)


def _catalog_expires_holds() -> Sequence[Replacement]:
    real = HoldCopies.open_holds

    def open_holds(self: HoldCopies, query: OpenHoldsQuery) -> OpenHolds:
        too_old = int((self._clock() - EXPIRES_AFTER).timestamp() * 1_000_000)
        with self._store.writing() as tx:
            connection: sa.Connection = tx._connection  # type: ignore[attr-defined]  # the real transaction
            expired = sa.select(holds.c.order_id).where(holds.c.state == "held", holds.c.held_at < too_old)
            for order_id in connection.execute(expired).scalars().all():
                tx.set_hold_state([order_id], HoldState.RELEASED, self._clock())
                for lines in tx.hold_lines([order_id]).values():
                    tx.put_back_on_shelves({line.item_number: line.quantity for line in lines})
        return real(self, query)

    return [(HoldCopies, "open_holds", open_holds)]


def _nothing_back_once_withdrawn() -> Sequence[Replacement]:
    return [(hold_sql, "_PUT_BACK", hold_sql._PUT_BACK.where(books.c.withdrawn_at.is_(None)))]


def _bare_sequence() -> Sequence[Replacement]:
    real = CatalogStore.writing
    sequence = count(1000, NUMBERS_TOGETHER)

    @contextmanager
    def writing(self: CatalogStore) -> Iterator[Any]:
        # SQLite lets one writer in at a time: to be overtaken, a number must be taken before the transaction begins.
        first = next(sequence)
        with real(self) as tx:
            vars(tx)["first_number"] = first
            yield tx

    def publish(self: FeedRows, item_numbers: Sequence[int], *, offer_only: bool = False) -> str:
        numbered = list(enumerate(sorted(set(item_numbers)), vars(self)["first_number"]))
        for number, item_number in numbered:
            version = sa.select(books.c.version).where(books.c.item_number == item_number).scalar_subquery()
            row = {"number": number, "item_number": item_number, "version": version, "offer_only": offer_only}
            self._connection.execute(sa.insert(changes).values(row))
            self._connection.execute(sa.update(feed).values(last=sa.func.max(feed.c.last, number)))
        return self.position()

    return [(CatalogStore, "writing", writing), (FeedRows, "publish", publish)]


def _edit_not_remembered() -> Sequence[Replacement]:
    return [(BookRows, "remember_edit", lambda *_: None)]


def _release(wrong: Mapping[HoldState | None, Transition]) -> Callable[[], Sequence[Replacement]]:
    return lambda: [(states, "release", _also(states.release, wrong))]


def _return(wrong: Mapping[HoldState | None, Transition]) -> Callable[[], Sequence[Replacement]]:
    return lambda: [(states, "return_", _also(states.return_, wrong))]


def _settle(wrong: Mapping[HoldState | None, Transition]) -> Callable[[], Sequence[Replacement]]:
    return lambda: [(states, "settle", _also(states.settle, wrong))]


CATALOG_MUTANTS: Mapping[str, Mutant] = {
    "HOLD_NOT_IDEMPOTENT": Mutant("a hold that is repeated takes the copies again", _hold_not_idempotent),
    "STOCK_NOT_CHECKED": Mutant("the hold takes copies that are not there", _stock_not_checked),
    "READ_THEN_WRITE": Mutant("the stock is read, then written, instead of one conditional update", _read_then_write),
    "HOLD_IN_TWO_TRANSACTIONS": Mutant("the hold's row is committed before its copies", _hold_in_two_transactions),
    "SHORT_ORDER_TAKES_SOME": Mutant("an order that is partly short takes what there is", _short_order_takes_some),
    "REFUSAL_HARMS_ANOTHER": Mutant("one refusal in a batch refuses all that come after", _refusal_harms_another),
    "ANSWERS_OUT_OF_ORDER": Mutant("the holds of a batch are answered in another order", _answers_out_of_order),
    "REFUSAL_NOT_KEPT": Mutant("a refusal leaves no row, so its key is free for another body", _refusal_not_kept),
    "HASH_NOT_COMPARED_BY_THE_CATALOG": Mutant(
        "the catalog takes another body under the same key for a retry", _hash_not_compared_by_the_catalog
    ),
    "PRICE_LOOKED_UP_AGAIN": Mutant("a hold that is repeated is told today's prices", _price_looked_up_again),
    "NO_TOMBSTONE": Mutant("the release of an unknown order leaves no row", _release({None: Unchanged()})),
    "RELEASE_NOT_IDEMPOTENT": Mutant(
        "a release that is repeated gives the copies back again",
        _release({HoldState.RELEASED: Step(HoldState.RELEASED, copies_come_back=True)}),
    ),
    "RETURN_NOT_IDEMPOTENT": Mutant(
        "a return that is repeated gives the copies back again",
        _return({HoldState.RETURNED: Step(HoldState.RETURNED, copies_come_back=True)}),
    ),
    "RETURN_OF_SETTLED_ALONE": Mutant(
        "a return that comes before its settlement gives nothing back",
        _return({HoldState.HELD: Unchanged()}),
    ),
    "SETTLE_REVIVES_RETURNED": Mutant(
        "a late settle sells copies that were returned", _settle({HoldState.RETURNED: Step(HoldState.SETTLED)})
    ),
    "CATALOG_EXPIRES_HOLDS": Mutant("the catalog frees holds by its own clock", _catalog_expires_holds),
    "NOTHING_BACK_ONCE_WITHDRAWN": Mutant("a book that is withdrawn gets no copies back", _nothing_back_once_withdrawn),
    "BARE_SEQUENCE": Mutant("changes are numbered by a bare sequence: 2 is visible before 1", _bare_sequence),
    "EDIT_NOT_REMEMBERED": Mutant("a bookseller's change that is repeated is made again", _edit_not_remembered),
}
