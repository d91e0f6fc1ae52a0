"""A catalog whose calls are lost, doubled or late, and the order server's use cases that have to live with it."""

import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import sqlalchemy as sa

import bazar.catalog.migrations
import bazar.order.migrations
from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.list_holds import ListHolds
from bazar.chassis.database import Database
from bazar.chassis.migrations import migrate
from bazar.contracts.books import Book, Money
from bazar.contracts.purchasing import (
    CancelOrder,
    FinishAnswers,
    FinishHold,
    HoldRequest,
    KeptHolds,
    KeptHoldsQuery,
    Line,
    OpenHold,
    OpenHoldsQuery,
    PlaceOrder,
)
from bazar.order.domain.decisions import Decision
from bazar.order.domain.errors import CatalogAway, OrderError
from bazar.order.storage.store import OrderStore
from bazar.order.use_cases.cancel_order import CancelOrders, ReturnCopies
from bazar.order.use_cases.end_stuck_orders import EndStuckOrders
from bazar.order.use_cases.finish_orders import FinishOrders, Sweep
from bazar.order.use_cases.place_order import PlaceOrders
from bazar.order.use_cases.ports import Deadline, Finisher, Held
from bazar.order.use_cases.reconcile import Reconcile
from shop_in_process import CURRENCY, AmpleTime, DirectCatalog, add_book, books_out_of_balance

Result = TypeVar("Result")
#: Makes the call, or not, or twice, or later; raises what the caller then sees.
Fault = Callable[[Callable[[], Result]], Result]

CUSTOMER = "reader"


class Crash(BaseException):
    """The process ends here: nothing catches it."""


def request_lost(_call: Callable[[], Result]) -> Result:
    """The call never arrives."""
    raise CatalogAway("the request was lost")


def answer_lost(call: Callable[[], Result]) -> Result:
    """The call takes effect, and nobody is told."""
    call()
    raise CatalogAway("the answer was lost")


def doubled(call: Callable[[], Result]) -> Result:
    """The network, or a client that tries again, makes it twice."""
    call()
    return call()


def crash_before(_call: Callable[[], Result]) -> Result:
    """The caller dies with the call in its hands."""
    raise Crash


def crash_after(call: Callable[[], Result]) -> Result:
    """The caller dies with the answer in its hands."""
    call()
    raise Crash


class FaultyCatalog(DirectCatalog):
    """Each call meets the next fault that was put in its way, if there is one."""

    def __init__(self, hold_copies: HoldCopies) -> None:
        super().__init__(hold_copies)
        self._pages = hold_copies.open_holds
        self.away = False
        self.calls: list[str] = []
        self.asked: list[HoldRequest] = []
        self._faults: dict[str, deque[Fault[object]]] = {}
        self._late: list[Callable[[], object]] = []

    def meets(self, call: str, *faults: Fault[object]) -> None:
        """Put faults in the way of the next calls of this name."""
        self._faults.setdefault(call, deque()).extend(faults)

    def late(self, call: Callable[[], Result]) -> Result:
        """A fault: the call arrives when everybody has stopped waiting for it (``deliver``)."""
        self._late.append(call)
        raise CatalogAway("no answer in time")

    def deliver(self) -> None:
        """What was late arrives now."""
        while self._late:
            self._late.pop()()

    def hold(self, requests: Sequence[HoldRequest], deadline: Deadline) -> Held:
        if not deadline.remaining_seconds():
            raise CatalogAway("the time for the request has run out")
        self.asked.extend(requests)
        return self.through("hold", partial(super().hold, requests, AmpleTime()))

    def settle(self, orders: Sequence[FinishHold]) -> FinishAnswers:
        return self.through("settle", partial(super().settle, orders))

    def release(self, orders: Sequence[FinishHold]) -> FinishAnswers:
        return self.through("release", partial(super().release, orders))

    def return_(self, orders: Sequence[FinishHold]) -> FinishAnswers:
        return self.through("return", partial(super().return_, orders))

    def open_holds(self) -> Sequence[OpenHold]:
        return self.through("open_holds", self._all_open_holds)

    def _all_open_holds(self) -> Sequence[OpenHold]:
        found: list[OpenHold] = []
        after: str | None = ""
        while after is not None:
            page = self._pages(OpenHoldsQuery(after=after))
            found.extend(page.holds)
            after = page.next
        return found

    def through(self, name: str, call: Callable[[], Result]) -> Result:
        """Make the call unless something is in its way."""
        if self.away:
            raise CatalogAway("connection refused")
        self.calls.append(name)
        faults = self._faults.get(name)
        return faults.popleft()(call) if faults else call()  # type: ignore[return-value]  # a fault keeps the type


class KeptHoldsOf:
    """Implements the port KeptHoldPages, in pages that are small enough for a few holds to be several."""

    def __init__(self, catalog: FaultyCatalog, list_holds: ListHolds) -> None:
        self._catalog = catalog
        self._list_holds = list_holds

    def epoch(self) -> str:
        return self._page(KeptHoldsQuery(limit=1)).epoch

    def kept_holds(self, after: str) -> KeptHolds:
        return self._page(KeptHoldsQuery(after=after, limit=2))

    def _page(self, query: KeptHoldsQuery) -> KeptHolds:
        return self._catalog.through("kept_holds", partial(self._list_holds.kept_holds, query))


class Forgetful:
    """A Finisher that loses everything: a crash right after the decision."""

    def finish(self, decision: Decision) -> None:
        """Lose it."""


class AtOnce:
    """A Finisher that does it before the answer leaves."""

    def __init__(self, finish_orders: FinishOrders) -> None:
        self._finish_orders = finish_orders

    def finish(self, decision: Decision) -> None:
        self._finish_orders.finish([decision])


class Crashing:
    """A Finisher in which the process dies, before it has begun or when it is done."""

    def __init__(self, inner: Finisher) -> None:
        self._inner = inner

    def finish(self, decision: Decision) -> None:
        self._inner.finish(decision)
        raise Crash


class _Later:
    """A Returner that forgets: a crash right after the cancellation."""

    def return_soon(self) -> None:
        """Nothing."""


class SteppedTime:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class RecoveringShop:
    """Catalog and order server over two databases. Whatever is asked for anew has forgotten what it knew."""

    def __init__(self, catalog_database: Database, order_database: Database, clock: Callable[[], datetime]) -> None:
        self.catalog_database = catalog_database
        self.order_database = order_database
        self.clock = clock
        self.time = SteppedTime()
        self.catalog_store = CatalogStore(catalog_database)
        with self.catalog_store.writing() as tx:
            tx.begin_feed()
        self.keep_stock = KeepStock(self.catalog_store, clock, CURRENCY)
        self.hold_copies = HoldCopies(self.catalog_store, clock)
        self.catalog = FaultyCatalog(self.hold_copies)
        self.kept = KeptHoldsOf(self.catalog, ListHolds(self.catalog_store))
        self.orders = OrderStore(order_database)
        with self.orders.writing() as tx:
            self._secret = tx.order_id_secret()

    def book(self, stock: int, price_minor: int = 1000) -> Book:
        """A new book."""
        return add_book(self.keep_stock, stock=stock, price_minor=price_minor)

    def finish_orders(self) -> FinishOrders:
        """What the settle loop does, in an order server that has just started."""
        return FinishOrders(self.orders, self.catalog, self.clock)

    def returns(self) -> ReturnCopies:
        """What returns the copies of cancelled orders, in an order server that has just started."""
        return ReturnCopies(self.orders, self.catalog, self.clock)

    def cancel(self, order_id: str, account_id: str | None = CUSTOMER) -> Decision:
        """The customer cancels, or staff (None); nothing is returned yet."""
        cancel_orders = CancelOrders(self.orders, _Later(), self.clock, timedelta(hours=1))
        return cancel_orders.cancel_order(order_id, CancelOrder(actor=account_id or "staff", account_id=account_id))

    def reconcile(self) -> bool:
        """What an order server that has just started does before all else."""
        return Reconcile(self.orders, self.catalog, self.kept, self.clock, CURRENCY).reconcile()

    def end_stuck(self) -> EndStuckOrders:
        """What staff do with orders that need a hand; nothing is returned yet."""
        return EndStuckOrders(self.orders, self.catalog, _Later(), self.clock)

    def sweeper(self) -> Sweep:
        """A sweeper that has just started."""
        return Sweep(self.orders, self.catalog, self.clock, self.time, CURRENCY)

    def place_orders(self, finisher: Finisher | None = None) -> PlaceOrders:
        """What sells, in an order server that has just started."""
        return PlaceOrders(
            store=self.orders,
            catalog=self.catalog,
            finisher=finisher or Forgetful(),
            clock=self.clock,
            secret=self._secret,
            currency=CURRENCY,
        )

    def buy(
        self,
        key: str,
        *lines: tuple[int, int],
        expected_total: int | None = None,
        currency: str = CURRENCY,
        finisher: Finisher | None = None,
        deadline: Deadline | None = None,
    ) -> Decision:
        """A purchase of (item number, quantity) each; raises what placing an order raises."""
        request = PlaceOrder(
            account_id=CUSTOMER,
            idempotency_key=key,
            lines=tuple(Line(item_number=item, quantity=quantity) for item, quantity in lines),
            expected_total=None if expected_total is None else Money(amount=expected_total, currency=currency),
        )
        return self.place_orders(finisher).place_order(request, deadline or AmpleTime())

    def leave_open(self, key: str, *lines: tuple[int, int]) -> str:
        """A purchase that dies with copies on hold and no decision; the id of its order."""
        self.catalog.meets("hold", crash_after)
        with suppress(Crash):
            self.buy(key, *lines)
        return self.catalog.asked[-1].order_id

    def answer(self, key: str, *lines: tuple[int, int], expected_total: int | None = None) -> object:
        """The final answer to a purchase: the decision, or the type and data of the refusal."""
        try:
            return self.buy(key, *lines, expected_total=expected_total)
        except OrderError as error:
            return type(error), vars(error)

    def sweep_until_quiet(self) -> None:
        """A new sweeper, as often and as long as it takes to give up what is abandoned."""
        sweep = self.sweeper()
        sweep.sweep()
        self.time.seconds += 15
        sweep.sweep()

    def stock(self, item_number: int) -> int:
        """Copies on the shelf."""
        with self.catalog_store.reading() as tx:
            book = tx.book(item_number)
        assert book is not None
        return book.stock

    def decisions(self) -> dict[str, str]:
        """Order id → outcome."""
        return self._rows(self.order_database, "SELECT order_id, outcome FROM decisions")

    def holds(self) -> dict[str, str]:
        """Order id → state of its hold."""
        return self._rows(self.catalog_database, "SELECT order_id, state FROM holds")

    def stuck(self) -> dict[str, str]:
        """Order id → why it needs a hand."""
        return self._rows(self.order_database, "SELECT order_id, reason FROM stuck_orders")

    def assert_nothing_lost(self) -> None:
        """Invariants 1 and 3 once all is quiet: copies add up, and every hold is where its order says."""
        assert books_out_of_balance(self.catalog_database) == []
        decisions = self.decisions()
        for order_id, state in self.holds().items():
            expected = {"confirmed": "settled", "out-of-stock": "refused"}.get(decisions[order_id], "released")
            assert state == expected, (order_id, decisions[order_id], state)

    @staticmethod
    def _rows(database: Database, query: str) -> dict[str, str]:
        with database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(sa.text(query))}


@contextmanager
def recovering_shop(folder: Path, clock: Callable[[], datetime]) -> Iterator[RecoveringShop]:
    """A shop without books, on SQLite in ``folder``."""
    databases = [_database(folder, module) for module in (bazar.catalog.migrations, bazar.order.migrations)]
    yield RecoveringShop(databases[0], databases[1], clock)
    for database in databases:
        database.close()


def _database(folder: Path, migrations: ModuleType) -> Database:
    path = folder / f"{migrations.__name__}.sqlite3"
    path.write_bytes(_empty(migrations))
    return Database(f"sqlite:///{path}")


@cache
def _empty(migrations: ModuleType) -> bytes:
    """A database with its tables: migrated once, copied for each test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "empty.sqlite3")
        database = Database(f"sqlite:///{path}")
        migrate(database, Path(migrations.__path__[0]))
        database.close()
        return path.read_bytes()
