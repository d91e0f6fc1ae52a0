"""What the order server's use cases need: its database, and the catalog."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bazar.contracts.counter import Done, Move, State
from bazar.contracts.purchasing import (
    FinishAnswers,
    FinishHold,
    HoldAnswer,
    HoldRequest,
    KeptHolds,
    OpenHold,
)
from bazar.order.domain.decisions import Decision


class Deadline(Protocol):
    """When the request is of no use any more."""

    def remaining_seconds(self) -> float: ...


@dataclass(frozen=True)
class Stuck:
    """An order that recovery could not finish, why, and since when."""

    decision: Decision
    reason: str
    since: datetime


@dataclass(frozen=True)
class Ending:
    """What one of the staff said of a stuck order: it stands (settle) or it does not (cancel).

    ``is_cancelled``: it has a cancellation, so that this ends its return too.
    """

    order_id: str
    action: Literal["settle", "cancel"]
    who: str
    in_words: str
    at: datetime
    is_cancelled: bool


@dataclass(frozen=True)
class Moved:
    """An order was made ready or collected, by whom and when."""

    order_id: str
    to: Move
    at: datetime
    who: str


@dataclass(frozen=True)
class Happened:
    """Something that happened to an order after it was placed; ``who`` is None where the shop did it by itself."""

    what: Literal["ready", "collected", "cancelled", "returned", "stuck", "settled", "given-up"]
    at: datetime
    who: str | None = None
    in_words: str = ""


@dataclass(frozen=True)
class Deed:
    """Something that a person did to an order; ``who`` is "recovery" after a restore."""

    order_id: str
    what: Done
    at: datetime
    who: str
    in_words: str


class Transaction(Protocol):
    """One transaction on the order server's database."""

    def decision(self, order_id: str) -> Decision | None: ...
    def decisions(self, order_ids: Sequence[str]) -> Sequence[Decision]: ...
    def decide(self, proposed: Sequence[Decision]) -> dict[str, Decision]:
        """Insert each unless its order is decided already; returns what is decided, by the order's id."""
        ...

    def cancel(self, order_id: str, actor: str, at: datetime, reason: str = "") -> bool:
        """False where the order was cancelled before: nothing changes then."""
        ...

    def cancelled(self, order_ids: Sequence[str]) -> frozenset[str]:
        """Those of the orders that are cancelled."""
        ...

    def unreturned(self, limit: int) -> Sequence[Decision]:
        """Cancelled orders whose copies the catalog has not yet said to be back; without those that are stuck."""
        ...

    def mark_returned(self, order_ids: Sequence[str], at: datetime) -> None: ...
    def orders_of(
        self, account_id: str | None, before: str | None, limit: int
    ) -> tuple[Sequence[Decision], str | None]:
        """Confirmed orders, newest first, and the cursor of what is older; None: everybody's. Raises BadCursor."""
        ...

    def last_sold(self, orders: int) -> Iterable[tuple[int, int]]:
        """(item number, copies) of each line of so many of the last orders, without those that are cancelled."""
        ...

    def mark_stuck(self, order_id: str, reason: str, at: datetime) -> bool:
        """The order needs a hand; False where that was known, or was ended by hand before."""
        ...

    def stuck(self, order_ids: Sequence[str]) -> frozenset[str]: ...
    def stuck_page(self, before: str | None, limit: int) -> tuple[Sequence[Stuck], str | None]:
        """The last ones first, and the cursor of what is older. Raises BadCursor."""
        ...

    def end_stuck(self, ending: Ending) -> bool:
        """The order needs no hand any more, and the journal says why; False where it needed none."""
        ...

    def last_ending(self, order_id: str) -> str | None:
        """What was said last of the order when it was stuck, None where it never was."""
        ...

    def returns_ended(self, order_ids: Sequence[str]) -> frozenset[str]:
        """Those of the cancelled orders of which a person has said what became of their copies."""
        ...

    def lock_order(self, order_id: str) -> Decision | None:
        """Its decision; until the transaction ends nobody else cancels or moves the order."""
        ...

    def move(self, moved: Moved, total_minor: int) -> bool:
        """False where it was moved so before: nothing changes then."""
        ...

    def collected_at(self, order_id: str) -> datetime | None: ...
    def states(self, order_ids: Sequence[str]) -> Mapping[str, State]:
        """How far each is; what is no order is left out."""
        ...

    def orders_in_state(self, state: State, before: str | None, limit: int) -> tuple[Sequence[Decision], str | None]:
        """Those that wait (placed, ready) oldest first, others newest first; and a cursor. Raises BadCursor."""
        ...

    def open_orders_of(self, account_id: str, before: str | None, limit: int) -> tuple[Sequence[Decision], str | None]:
        """Neither collected nor cancelled, newest first; and a cursor. Raises BadCursor."""
        ...

    def happened_to(self, order_id: str) -> Sequence[Happened]:
        """In no particular order."""
        ...

    def deeds(self, before: str | None, limit: int) -> tuple[Sequence[Deed], str | None]:
        """To all orders, the newest first; and a cursor. Raises BadCursor."""
        ...

    def count_in_state(self, state: State, most: int) -> int:
        """How many there are, counted up to ``most``; as count_stuck does."""
        ...

    def count_stuck(self, most: int) -> int: ...
    def placed_by_quarter(self, since: datetime) -> Mapping[int, int]:
        """Orders that stand, by the quarter of an hour since 1970 in which they were placed."""
        ...

    def taken_by_quarter(self, since: datetime) -> Mapping[int, int]:
        """What orders cost that were collected, in minor units, by the quarter of an hour since 1970."""
        ...

    def compared_with(self) -> str | None:
        """The catalog's epoch that all decisions were compared with; None where they have to be."""
        ...

    def note_comparison(self, epoch: str, at: datetime) -> None: ...
    def void_returns(self) -> None:
        """What the catalog has said to be back need not be: all cancelled orders are to be returned again."""
        ...

    def decisions_after(self, order_id: str, limit: int) -> Sequence[Decision]:
        """In ascending order of their ids."""
        ...


class Store(Protocol):
    """The order server's database."""

    def reading(self) -> AbstractContextManager[Transaction]: ...
    def writing(self) -> AbstractContextManager[Transaction]: ...


@dataclass(frozen=True)
class Held:
    """What the catalog answered to holds, in their order, and its position then."""

    answers: Sequence[HoldAnswer]
    position: str | None


class Catalog(Protocol):
    """The catalog server, reached over TLS; a stand-in in the tests. All raise CatalogAway."""

    def hold(self, requests: Sequence[HoldRequest], deadline: Deadline) -> Held: ...
    def settle(self, orders: Sequence[FinishHold]) -> FinishAnswers: ...
    def release(self, orders: Sequence[FinishHold]) -> FinishAnswers: ...
    def return_(self, orders: Sequence[FinishHold]) -> FinishAnswers: ...
    def open_holds(self) -> Sequence[OpenHold]: ...


class KeptHoldPages(Protocol):
    """All holds that the catalog keeps, page by page. Both raise CatalogAway."""

    def epoch(self) -> str:
        """Of the catalog's feed: another one, and its database is not what it was."""
        ...

    def kept_holds(self, after: str) -> KeptHolds: ...


class Finisher(Protocol):
    """Takes decided orders and has their holds settled or released soon; may lose one (the sweep finds it)."""

    def finish(self, decision: Decision) -> None: ...


class Returner(Protocol):
    """Is told that an order was cancelled, and has its copies returned soon; may forget it (the sweep does not)."""

    def return_soon(self) -> None: ...
