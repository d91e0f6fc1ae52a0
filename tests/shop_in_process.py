"""The catalog and the order server without HTTP between them: their use cases over real databases."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.look_up import LookUp
from bazar.chassis.database import Database
from bazar.contracts.books import AddBook, Book, NewBook, Price
from bazar.contracts.purchasing import (
    FinishAnswers,
    FinishBatch,
    FinishHold,
    HoldBatch,
    HoldRequest,
    Line,
    OpenHold,
    OpenHoldsQuery,
    PlaceOrder,
)
from bazar.order.domain.decisions import Decision
from bazar.order.storage.store import OrderStore
from bazar.order.use_cases.finish_orders import FinishOrders
from bazar.order.use_cases.place_order import PlaceOrders
from bazar.order.use_cases.ports import Deadline, Held

CURRENCY = "USD"
NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)

#: Per book, what is on the shelf, on hold and sold against all that ever came in; the books where they differ.
_OUT_OF_BALANCE = sa.text(
    "SELECT books.item_number, books.stock, "
    "(SELECT coalesce(sum(hold_lines.quantity), 0) FROM hold_lines JOIN holds USING (order_id) "
    " WHERE hold_lines.item_number = books.item_number AND holds.state IN ('held', 'settled')) AS taken, "
    "(SELECT coalesce(sum(journal.stock_change), 0) FROM journal "
    " WHERE journal.item_number = books.item_number) AS came_in FROM books"
)


def noon() -> datetime:
    """A clock that stands still."""
    return NOON


class AmpleTime:
    """A deadline that never comes."""

    def remaining_seconds(self) -> float:
        return 60.0


class DirectCatalog:
    """Implements the order server's port Catalog by plain calls."""

    def __init__(self, hold_copies: HoldCopies) -> None:
        self._hold_copies = hold_copies

    def hold(self, requests: Sequence[HoldRequest], deadline: Deadline) -> Held:
        assert deadline.remaining_seconds() > 0
        answers, position = self._hold_copies.hold(HoldBatch(holds=tuple(requests)))
        return Held(answers.answers, position)

    def settle(self, orders: Sequence[FinishHold]) -> FinishAnswers:
        return self._hold_copies.settle(FinishBatch(orders=tuple(orders)))[0]

    def release(self, orders: Sequence[FinishHold]) -> FinishAnswers:
        return self._hold_copies.release(FinishBatch(orders=tuple(orders)))[0]

    def return_(self, orders: Sequence[FinishHold]) -> FinishAnswers:
        return self._hold_copies.return_(FinishBatch(orders=tuple(orders)))[0]

    def open_holds(self) -> Sequence[OpenHold]:
        return self._hold_copies.open_holds(OpenHoldsQuery(limit=1000)).holds


class Waiting:
    """A Finisher that finishes nothing until it is told to."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def finish(self, decision: Decision) -> None:
        self.decisions.append(decision)


class ShopInProcess:
    """Both servers' use cases, on databases that have their tables."""

    def __init__(
        self,
        catalog_database: Database,
        order_database: Database,
        store_of: Callable[[Database], CatalogStore] = CatalogStore,
    ) -> None:
        self.catalog_database = catalog_database
        self.store = store_of(catalog_database)
        with self.store.writing() as tx:
            tx.begin_feed()
        self.keep_stock = KeepStock(self.store, noon, CURRENCY)
        self.hold_copies = HoldCopies(self.store, noon)
        self.look_up = LookUp(self.store, CURRENCY)
        self.catalog = DirectCatalog(self.hold_copies)
        self.order_database = order_database
        self.orders = OrderStore(order_database)
        self.decided = Waiting()
        self._finish_orders = FinishOrders(self.orders, self.catalog, noon)
        with self.orders.writing() as tx:
            secret = tx.order_id_secret()
        self._place_orders = PlaceOrders(
            store=self.orders,
            catalog=self.catalog,
            finisher=self.decided,
            clock=noon,
            secret=secret,
            currency=CURRENCY,
        )

    def buy(self, key: str, item_number: int, quantity: int = 1) -> Decision:
        """One customer's purchase of one book; raises what placing an order raises."""
        lines = (Line(item_number=item_number, quantity=quantity),)
        request = PlaceOrder(account_id="ann", idempotency_key=key, lines=lines)
        return self._place_orders.place_order(request, AmpleTime())

    def buy_together(self, keys: Sequence[str], item_number: int) -> None:
        """Purchases of one copy each that travel and commit together; every one must succeed."""
        lines = (Line(item_number=item_number, quantity=1),)
        requests = [PlaceOrder(account_id="ann", idempotency_key=key, lines=lines) for key in keys]
        told = self._place_orders.place_orders(requests, AmpleTime())
        assert all(isinstance(each, Decision) for each in told), told

    def finish_all(self) -> None:
        """Settle or release all that was decided."""
        self._finish_orders.finish(self.decided.decisions)

    def outcomes(self) -> Counter[str]:
        """How many decisions there are of each kind."""
        return _counted(self.order_database, "SELECT outcome, count(*) FROM decisions GROUP BY outcome")

    def hold_states(self) -> Counter[str]:
        """How many holds there are in each state."""
        return _counted(self.catalog_database, "SELECT state, count(*) FROM holds GROUP BY state")


def add_book(keep_stock: KeepStock, stock: int = 5, title: str = "Xen", price_minor: int = 1500) -> Book:
    """A new book with so many copies."""
    price = Price(amount=price_minor, currency=CURRENCY)
    book = NewBook(title=title, authors=("Ann Lee",), subjects=("undergraduate school",), price=price, stock=stock)
    return keep_stock.add_book(AddBook(actor="staff", book=book))[0]


def books_out_of_balance(database: Database) -> list[Any]:
    """Books where stock + held + sold is not what came in (invariant 1 of docs/life-of-a-purchase.md)."""
    with database.reading() as connection:
        return [row for row in connection.execute(_OUT_OF_BALANCE) if row.stock + row.taken != row.came_in]


def _counted(database: Database, query: str) -> Counter[str]:
    with database.reading() as connection:
        rows = connection.execute(sa.text(query)).all()
    return Counter({row[0]: row[1] for row in rows})
