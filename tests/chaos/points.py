"""The named steps at which processes are killed: a table, and nothing else knows them.

A row names a function of the product and whether the process dies before or after it. Where the product's functions
are renamed, test_points.py says which rows have to follow. AFTER a function that writes inside a transaction is before
its COMMIT; BEFORE a use case is before its BEGIN, AFTER it is after the COMMIT and before the answer.
"""

from dataclasses import dataclass
from enum import Enum

BEFORE, AFTER = "before", "after"
#: After it, where it gave something: a round of recovery that found nothing to do is no step of the protocol.
RESULT = "result"

FRONTEND, ORDER, CATALOG = "frontend", "order", "catalog"


class Prelude(Enum):
    """What has to happen before the step can be passed."""

    NONE = "purchases, cancels and changes are under way"
    #: A kill in the midst of recovery: the server has been killed already and comes back.
    KILLED = "its server has just been killed"
    #: A kill in the midst of the comparison that follows a restore, while the shop sells.
    COMPARING = "its server has just been killed, and all decisions are to be compared with the catalog's holds"
    #: Recovery has something to give up: holds without a decision whose customers never come back.
    ORPHANS = "customers left purchases behind that were held and not decided"
    #: Passed at a start only; the shop of the ordeal is opened under this fire.
    START = "the server starts on an empty database"


@dataclass(frozen=True)
class Point:
    """A named step of one service. Called with nothing (no holds, no copies), a function does nothing: no passage."""

    name: str
    service: str
    module: str
    function: str
    when: str
    prelude: Prelude = Prelude.NONE


def _rows(service: str, module: str, *rows: tuple[str, str, str], prelude: Prelude = Prelude.NONE) -> tuple[Point, ...]:
    return tuple(Point(f"{service}: {name}", service, module, function, when, prelude) for name, function, when in rows)


_FRONTEND = (
    *_rows(
        FRONTEND,
        "bazar.frontend.gateways.order_service",
        ("before the purchase is gathered", "OrderService.place", BEFORE),
        ("before the purchases are passed on", "OrderService._place_all", BEFORE),
        ("the orders are known, nobody is told", "OrderService._place_all", AFTER),
        ("the order is known, the customer not told", "OrderService.place", AFTER),
        ("before the cancellation is passed on", "OrderService.cancel", BEFORE),
        ("cancelled, the customer not told", "OrderService.cancel", AFTER),
    ),
    *_rows(
        FRONTEND,
        "bazar.frontend.gateways.catalog_service",
        ("before the change of a book is passed on", "CatalogService.change_book", BEFORE),
        ("the book is changed, staff not told", "CatalogService.change_book", AFTER),
        ("feed: before it is asked for", "CatalogService.changes_after", BEFORE),
        ("feed: it is known, the cache not told", "CatalogService.changes_after", AFTER),
    ),
)
_ORDER = (
    *_rows(
        ORDER,
        "bazar.order.use_cases.place_order",
        ("the purchases have arrived", "PlaceOrders.place_orders", BEFORE),
        ("decided, before the answer", "PlaceOrders.place_orders", AFTER),
    ),
    *_rows(
        ORDER,
        "bazar.order.gateways.catalog_service",
        ("before the call to hold", "CatalogService.hold", BEFORE),
        ("held, before BEGIN of the decision", "CatalogService.hold", AFTER),
        ("before the call to settle", "CatalogService.settle", BEFORE),
        ("settled", "CatalogService.settle", AFTER),
        ("before the call to release", "CatalogService.release", BEFORE),
        ("released", "CatalogService.release", AFTER),
        ("before the call to return", "CatalogService.return_", BEFORE),
        ("returned, before BEGIN of the mark", "CatalogService.return_", AFTER),
        ("sweep: before the list of open holds", "CatalogService.open_holds", BEFORE),
        ("sweep: with the list of open holds", "CatalogService.open_holds", AFTER),
    ),
    *_rows(
        ORDER,
        "bazar.order.storage.decisions",
        ("decision: after BEGIN, before the write", "DecisionRows.decide", BEFORE),
        ("decision: after the write, before COMMIT", "DecisionRows.decide", AFTER),
    ),
    *_rows(
        ORDER,
        "bazar.order.recovery.settle",
        ("decision: after COMMIT, before the settle loop knows", "SettleLoop.finish", BEFORE),
        ("decision: the settle loop knows", "SettleLoop.finish", AFTER),
    ),
    *_rows(
        ORDER,
        "bazar.order.use_cases.cancel_order",
        ("cancel: before BEGIN", "CancelOrders.cancel_order", BEFORE),
        ("cancel: before the answer", "CancelOrders.cancel_order", AFTER),
        ("return: before the cancelled orders are read", "ReturnCopies.return_copies", BEFORE),
        ("return: after COMMIT of the mark", "ReturnCopies.return_copies", RESULT),
    ),
    *_rows(
        ORDER,
        "bazar.order.storage.cancellations",
        ("cancel: after BEGIN, before the write", "CancellationRows.cancel", BEFORE),
        ("cancel: after the write, before COMMIT", "CancellationRows.cancel", AFTER),
        ("return: after BEGIN of the mark", "CancellationRows.mark_returned", BEFORE),
        ("return: mark written, before COMMIT", "CancellationRows.mark_returned", AFTER),
    ),
    *_rows(ORDER, "bazar.order.recovery.sweep", ("cancel: after COMMIT", "SweepLoop.return_soon", BEFORE)),
    *_rows(
        ORDER,
        "bazar.order.use_cases.finish_orders",
        ("sweep: a round is done", "Sweep.sweep", RESULT),
    ),
    *_rows(
        ORDER,
        "bazar.order.use_cases.finish_orders",
        ("sweep gives up: before BEGIN", "Sweep._give_up", BEFORE),
        ("sweep gives up: after BEGIN, before the write", "Sweep._cancelled", BEFORE),
        ("sweep gives up: after COMMIT, before the release", "Sweep._give_up", RESULT),
        prelude=Prelude.ORPHANS,
    ),
    *_rows(
        ORDER,
        "bazar.order.use_cases.finish_orders",
        ("recovery: before the first sweep", "Sweep.sweep", BEFORE),
        ("recovery: the first sweep is done", "Sweep.sweep", AFTER),
        prelude=Prelude.KILLED,
    ),
    *_rows(
        ORDER,
        "bazar.order.gateways.catalog_service",
        ("recovery: the first settle after a restart", "CatalogService.settle", BEFORE),
        prelude=Prelude.KILLED,
    ),
    *_rows(
        ORDER,
        "bazar.order.use_cases.reconcile",
        ("comparison: before it begins", "Reconcile.reconcile", BEFORE),
        ("comparison: a page is decided by its holds, before COMMIT", "Reconcile._decide_page", AFTER),
        ("comparison: all is decided, before it is finished again", "Reconcile._finish_all_again", BEFORE),
        ("comparison: all is finished again", "Reconcile._finish_all_again", AFTER),
        ("comparison: after COMMIT of its note", "Reconcile.reconcile", RESULT),
        prelude=Prelude.COMPARING,
    ),
    *_rows(
        ORDER,
        "bazar.order.storage.comparison",
        ("comparison: acknowledgements are void, before COMMIT", "ComparisonRows.void_returns", AFTER),
        ("comparison: noted, before COMMIT", "ComparisonRows.note_comparison", AFTER),
        prelude=Prelude.COMPARING,
    ),
    *_rows(
        ORDER,
        "bazar.order.storage.store",
        ("restart: the secret of the order ids is read", "OrderTransaction.order_id_secret", AFTER),
        prelude=Prelude.KILLED,
    ),
)
_CATALOG = (
    *_rows(
        CATALOG,
        "bazar.catalog.use_cases.hold_copies",
        ("hold: before BEGIN", "HoldCopies.hold", BEFORE),
        ("hold: after COMMIT, before the answer", "HoldCopies.hold", AFTER),
        ("settle: before BEGIN", "HoldCopies.settle", BEFORE),
        ("settle: after COMMIT, before the answer", "HoldCopies.settle", AFTER),
        ("release: before BEGIN", "HoldCopies.release", BEFORE),
        ("release: after COMMIT, before the answer", "HoldCopies.release", AFTER),
        ("return: before BEGIN", "HoldCopies.return_", BEFORE),
        ("return: after COMMIT, before the answer", "HoldCopies.return_", AFTER),
        ("sweep: before the open holds are read", "HoldCopies.open_holds", BEFORE),
        ("sweep: the open holds are read", "HoldCopies.open_holds", AFTER),
    ),
    *_rows(
        CATALOG,
        "bazar.catalog.storage.holds",
        ("hold: after BEGIN, before the rows", "HoldRows.add_holds", BEFORE),
        ("hold: the rows are written, nothing taken yet", "HoldRows.add_holds", AFTER),
        ("hold: before copies are taken", "HoldRows.take_from_shelves", BEFORE),
        ("hold: copies are taken, before COMMIT", "HoldRows.take_from_shelves", AFTER),
        ("finish: before the state is set", "HoldRows.set_hold_state", BEFORE),
        ("finish: the state is set, before COMMIT", "HoldRows.set_hold_state", AFTER),
        ("finish: before copies are put back", "HoldRows.put_back_on_shelves", BEFORE),
        ("finish: copies are put back, before COMMIT", "HoldRows.put_back_on_shelves", AFTER),
    ),
    *_rows(
        CATALOG,
        "bazar.catalog.storage.feed",
        ("feed: before the change gets its number", "FeedRows.publish", BEFORE),
        ("feed: the change is numbered, before COMMIT", "FeedRows.publish", AFTER),
    ),
    *_rows(
        CATALOG,
        "bazar.catalog.use_cases.look_up",
        ("feed: before changes are read", "LookUp.changes", BEFORE),
        ("feed: changes are read, before the answer", "LookUp.changes", AFTER),
    ),
    *_rows(
        CATALOG,
        "bazar.catalog.use_cases.keep_stock",
        ("change of a book: before BEGIN", "KeepStock.change_book", BEFORE),
        ("change of a book: after COMMIT, before the answer", "KeepStock.change_book", AFTER),
    ),
    *_rows(
        CATALOG,
        "bazar.catalog.storage.books",
        ("change of a book: the key is noted, nothing changed yet", "BookRows.remember_edit", AFTER),
        ("change of a book: goods are taken in, before COMMIT", "BookRows.change_stock", AFTER),
        ("change of a book: the price is set, before COMMIT", "BookRows.set_price", AFTER),
    ),
    *_rows(
        CATALOG,
        "bazar.catalog.search.index",
        ("search index: before its commit", "BookIndex.commit", BEFORE),
        ("search index: after its commit", "BookIndex.commit", AFTER),
    ),
    *_rows(
        CATALOG,
        "bazar.catalog.storage.feed",
        ("restart: the feed goes on, before COMMIT", "FeedRows.begin_feed", AFTER),
        prelude=Prelude.KILLED,
    ),
    *_rows(
        CATALOG,
        "bazar.catalog.use_cases.hold_copies",
        ("recovery: the first settle after a restart", "HoldCopies.settle", AFTER),
        prelude=Prelude.KILLED,
    ),
)
_STARTS = tuple(
    row
    for service in (FRONTEND, ORDER, CATALOG)
    for row in (
        *_rows(
            service,
            "alembic.command",
            ("migrations: after BEGIN, before the first table", "upgrade", BEFORE),
            ("migrations: all tables made, before COMMIT", "upgrade", AFTER),
            prelude=Prelude.START,
        ),
        *_rows(
            service,
            "bazar.resources",
            ("start: before its database is opened", "own_database", BEFORE),
            ("start: its database is open", "own_database", AFTER),
            prelude=Prelude.START,
        ),
    )
)

POINTS = (*_FRONTEND, *_ORDER, *_CATALOG, *_STARTS)
