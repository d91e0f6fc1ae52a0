"""What the order server's use cases need: its database, and the catalog."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bazar.contracts.purchasing import (
    FinishAnswers,
    FinishHold,
    HoldAnswer,
    HoldRequest,
    OpenHold,
)
from bazar.order.domain.decisions import Decision


class Deadline(Protocol):
    """When the request is of no use any more."""

    def remaining_seconds(self) -> float: ...


class Transaction(Protocol):
    """One transaction on the order server's database."""

    def decision(self, order_id: str) -> Decision | None: ...
    def decisions(self, order_ids: Sequence[str]) -> Sequence[Decision]: ...
    def decide(self, proposed: Sequence[Decision]) -> dict[str, Decision]:
        """Insert each unless its order is decided already; returns what is decided, by the order's id."""
        ...

    def cancel(self, order_id: str, actor: str, at: datetime) -> bool:
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
        """The order needs a hand; False where that was known."""
        ...

    def stuck(self, order_ids: Sequence[str]) -> frozenset[str]: ...


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


class Finisher(Protocol):
    """Takes decided orders and has their holds settled or released soon; may lose one (the sweep finds it)."""

    def finish(self, decision: Decision) -> None: ...


class Returner(Protocol):
    """Is told that an order was cancelled, and has its copies returned soon; may forget it (the sweep does not)."""

    def return_soon(self) -> None: ...
