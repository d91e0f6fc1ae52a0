"""What must hold of the databases, looked at after every commit and once all is quiet.

The numbers are those of the invariants in docs/life-of-a-purchase.md and docs/reliability.md. The audit
reads the rows itself, beside the storage that it checks.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from simulation.world import World

_HOLDS = "SELECT order_id, state, account_id, purchase_hash FROM holds ORDER BY order_id"
_LINES = "SELECT item_number, title, quantity, price_minor FROM hold_lines WHERE order_id = ? ORDER BY item_number"
_SHORT = "SELECT item_number, quantity, available FROM hold_lines WHERE order_id = ? ORDER BY item_number"
_SHELVES = "SELECT item_number, stock, version FROM books ORDER BY item_number"
_CAME_IN = "SELECT item_number, sum(stock_change) FROM journal GROUP BY item_number"
_CHANGES = "SELECT count(*), max(number), count(*) FILTER (WHERE number > ?) FROM changes"
_DECISIONS = (
    "SELECT order_id, outcome, account_id, purchase_hash, lines, shortages, position, decided_at FROM decisions "
    "ORDER BY order_id"
)
_CANCELLATIONS = "SELECT order_id, returned_at FROM cancellations ORDER BY order_id"
_STUCK = "SELECT order_id, reason FROM stuck_orders ORDER BY order_id"

#: Which state of a hold may follow which (DESIGN: absent → HELD | REFUSED | RELEASED, and so on).
_MAY_FOLLOW = {
    (None, "held"),
    (None, "refused"),
    (None, "released"),
    ("held", "settled"),
    ("held", "released"),
    ("held", "returned"),
    ("settled", "returned"),
}
#: What the hold of a decision must be at that moment.
_DECIDED_ON = {"confirmed": "held", "price-changed": "held", "out-of-stock": "refused"}


#: What the decision is once all is quiet, by the state of the hold. Who gives up by hand may give up a refused one.
_IN_THE_END: Mapping[str, tuple[str, ...]] = {
    "held": (),
    "settled": ("confirmed",),
    "returned": ("confirmed",),
    "released": ("cancelled", "price-changed"),
    "refused": ("out-of-stock", "cancelled"),
}


@dataclass(frozen=True)
class Hold:
    """A row, and the lines that it was made with."""

    state: str
    account_id: str
    purchase_hash: str
    lines: tuple[tuple[int, str, int, int], ...]


class Decided(NamedTuple):
    """A row of the decisions."""

    outcome: str
    account_id: str
    purchase_hash: str
    lines: str
    shortages: str
    position: str | None
    decided_at: int


class Audit:
    """Follows the rows of both databases through one run."""

    def __init__(
        self, world: World, catalog: sqlite3.Connection, order: sqlite3.Connection, *, returns_may_be_void: bool
    ) -> None:
        self._world = world
        #: Who compares after a restore asks again for what was returned.
        self._returns_may_be_void = returns_may_be_void
        self._catalog = catalog
        self._order = order
        self.holds: dict[str, Hold] = {}
        self.decisions: dict[str, Decided] = {}
        #: Whether the copies of the cancelled order are known to be back.
        self.cancellations: dict[str, bool] = {}
        self.stuck: dict[str, str] = {}
        self._release_acknowledged: set[str] = set()
        #: Of each book, from when on it was at which version.
        self._versions: dict[int, list[tuple[float, int]]] = {}
        #: Of the feed: how many changes there are, and the number of the last.
        self._changes, self._last_change = self._catalog.execute(_CHANGES, (0,)).fetchone()[:2]

    def catalog_committed(self) -> None:
        """Invariants 1 and 3, and the states of the holds."""
        rows = self._catalog.execute(_HOLDS).fetchall()
        taken_now, refused_now = Counter[int](), list[str]()
        for order_id, state, account_id, purchase_hash in rows:
            known = self.holds.get(order_id)
            if known is None or known.state != state:
                lines = known.lines if known else tuple(self._catalog.execute(_LINES, (order_id,)).fetchall())
                self.holds[order_id] = Hold(state, account_id, purchase_hash, lines)
                self._hold_changed(order_id, known.state if known else None, self.holds[order_id])
                if state == "held":
                    taken_now.update({item_number: quantity for item_number, _, quantity, _ in lines})
                elif state == "refused":
                    refused_now.append(order_id)
        if len(rows) != len(self.holds):
            gone = self.holds.keys() - {row[0] for row in rows}
            self._broken(3, f"the holds of {sorted(gone)} are gone")
        stock = self._copies_add_up()
        self._numbers_come_in_order()
        for order_id in refused_now:
            self._refused(order_id, stock, taken_now)

    def order_committed(self) -> None:
        """Invariants 2 and 4, as far as rows show them."""
        rows = self._order.execute(_DECISIONS).fetchall()
        for order_id, *values in rows:
            decided = Decided(*values)
            known = self.decisions.get(order_id)
            if known is None:
                self.decisions[order_id] = decided
                self._decided(order_id, decided)
            elif known != decided:
                self._broken(4, f"the decision on {order_id} was {known.outcome} and is {decided.outcome}: {decided}")
        if len(rows) != len(self.decisions):
            self._broken(4, "a decision is gone")
        for order_id, returned_at in self._order.execute(_CANCELLATIONS).fetchall():
            self._cancelled(order_id, is_returned=returned_at is not None)
        for order_id, reason in self._order.execute(_STUCK).fetchall():
            if order_id not in self.stuck:
                self.stuck[order_id] = reason
                self._broken(3, f"order {order_id} is stuck: {reason}")

    def release_acknowledged(self, order_ids: list[str]) -> None:
        """The catalog says that these holds are released: none of them may ever be open again (invariant 3)."""
        self._release_acknowledged.update(order_ids)
        for order_id in order_ids:
            if order_id in self.holds and self.holds[order_id].state == "held":
                self._broken(3, f"the hold of {order_id} is open though its release was acknowledged")

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is left to be settled, released or returned."""
        return all(hold.state != "held" for hold in self.holds.values()) and all(self.cancellations.values())

    def check_all(self, may_have_come_in: Mapping[int, Collection[int]]) -> None:
        """All of it, once everything is quiet. ``may_have_come_in``: copies by item number, by what staff were told."""
        self.catalog_committed()
        self.order_committed()
        for item_number, copies in self._catalog.execute(_CAME_IN).fetchall():
            if copies not in may_have_come_in[item_number]:
                told = may_have_come_in[item_number]
                self._broken(1, f"of book {item_number}, {copies} came in, but staff were told {told}")
        for order_id, hold in self.holds.items():
            decided = self.decisions.get(order_id)
            outcome = decided.outcome if decided else None
            if outcome not in _IN_THE_END[hold.state]:
                self._broken(3, f"the hold of {order_id} is {hold.state}, its decision {outcome}")
        for order_id, decided in self.decisions.items():
            if decided.outcome == "confirmed":
                expected = "returned" if order_id in self.cancellations else "settled"
                found = self.holds.get(order_id)
                if found is None or found.state != expected or found.purchase_hash != decided.purchase_hash:
                    self._broken(2, f"order {order_id} is confirmed, its hold is {found}, not {expected}")

    def version_at(self, item_number: int, seconds: float) -> int:
        """The version of the book at that time."""
        known = self._versions.get(item_number, [(0.0, 1)])
        return max(version for since, version in known if since <= max(0.0, seconds))

    def versions(self) -> dict[int, int]:
        """The version of each book."""
        return {number: version for number, _, version in self._catalog.execute(_SHELVES)}

    def _copies_add_up(self) -> Mapping[int, int]:
        taken: Counter[int] = Counter()
        for hold in self.holds.values():
            if hold.state in ("held", "settled"):
                for item_number, _, quantity, _ in hold.lines:
                    taken[item_number] += quantity
        came_in = dict(self._catalog.execute(_CAME_IN).fetchall())
        shelves = {}
        for item_number, stock, version in self._catalog.execute(_SHELVES).fetchall():
            shelves[item_number] = stock
            known = self._versions.setdefault(item_number, [(0.0, 1)])
            if known[-1][1] != version:
                known.append((self._world.scheduler.now, version))
        for item_number, stock in shelves.items():
            if stock < 0 or stock + taken[item_number] != came_in[item_number]:
                self._broken(
                    1,
                    f"of book {item_number}, {stock} are on the shelf and {taken[item_number]} held or sold, "
                    f"but {came_in[item_number]} came in",
                )
        return shelves

    def _numbers_come_in_order(self) -> None:
        """Who follows the feed has never seen a number beyond one that comes later (ADR 0009, invariant 7)."""
        changes, last, beyond = self._catalog.execute(_CHANGES, (self._last_change,)).fetchone()
        if beyond != changes - self._changes:
            self._broken(7, f"changes become visible after {self._last_change} that come before it")
        self._changes, self._last_change = changes, last

    def _refused(self, order_id: str, stock: Mapping[int, int], taken_now: Counter[int]) -> None:
        """Only what is short is refused; others of the same batch may have taken copies before or after."""
        lines = self._catalog.execute(_SHORT, (order_id,)).fetchall()
        if all(quantity <= available for _, quantity, available in lines):
            self._broken(1, f"{order_id} is refused, but nothing was short: {lines}")
        for item_number, _, available in lines:
            if not 0 <= available - stock.get(item_number, 0) <= taken_now[item_number]:
                self._broken(1, f"{order_id} is told of {available} copies of {item_number}: {stock[item_number]}")

    def _hold_changed(self, order_id: str, before: str | None, hold: Hold) -> None:
        self._world.note("hold of {}: {} → {}", order_id, before or "none", hold.state)
        if (before, hold.state) not in _MAY_FOLLOW:
            self._broken(3, f"the hold of {order_id} was {before} and is {hold.state}")
        if hold.state == "held" and order_id in self._release_acknowledged:
            self._broken(3, f"the hold of {order_id} is open again after its release was acknowledged")
        decided = self.decisions.get(order_id)
        outcome = decided.outcome if decided else None
        if hold.state == "settled" and outcome != "confirmed":
            self._broken(3, f"copies are sold to {order_id}, which is not confirmed but {outcome}")
        if hold.state == "released" and outcome not in ("cancelled", "price-changed"):
            self._broken(2, f"the copies of {order_id} are released, its decision is {outcome}")
        if hold.state == "returned" and order_id not in self.cancellations:
            self._broken(2, f"the copies of {order_id} are returned, but it is not cancelled")

    def _decided(self, order_id: str, decided: Decided) -> None:
        self._world.note("decision on {}: {}", order_id, decided.outcome)
        if decided.outcome == "cancelled":
            return
        hold, expected = self.holds.get(order_id), _DECIDED_ON[decided.outcome]
        if hold is None or hold.state != expected or hold.purchase_hash != decided.purchase_hash:
            self._broken(2, f"order {order_id} is decided {decided.outcome}, but its hold is {hold}")
        elif expected == "held" and [list(line) for line in hold.lines] != json.loads(decided.lines):
            self._broken(2, f"order {order_id} is for {decided.lines}, its hold for {hold.lines}")

    def _cancelled(self, order_id: str, *, is_returned: bool) -> None:
        if order_id not in self.cancellations:
            self._world.note("order {} is cancelled", order_id)
            if order_id not in self.decisions or self.decisions[order_id].outcome != "confirmed":
                self._broken(2, f"{order_id} is cancelled but was not confirmed")
        elif self.cancellations[order_id] and not is_returned and not self._returns_may_be_void:
            self._broken(2, f"the return of {order_id} is no longer marked")
        if is_returned and self.holds[order_id].state != "returned":
            self._broken(2, f"{order_id} is marked returned, its hold is {self.holds[order_id].state}")
        self.cancellations[order_id] = is_returned

    def _broken(self, invariant: int, what: str) -> None:
        self._world.violation(f"{invariant}: {what}")
