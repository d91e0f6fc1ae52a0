"""The catalog server, put together."""

import time
from importlib.resources import as_file, files
from pathlib import Path

from bazar.catalog.api.routes import catalog_app
from bazar.catalog.search.index import BookIndex
from bazar.catalog.search.index_writer import IndexWriter
from bazar.catalog.storage.index_source import IndexSource
from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.list_holds import ListHolds
from bazar.catalog.use_cases.look_up import LookUp
from bazar.catalog.use_cases.search_books import SearchBooks
from bazar.chassis.clock import Deadline, system_clock
from bazar.chassis.database import Database, StorageUnavailable
from bazar.chassis.logging import get_logger
from bazar.chassis.server import RunningService
from bazar.chassis.web import Readiness
from bazar.contracts.books import ImportBooks
from bazar.contracts.catalogue_file import Columns, GoodRow, Reading, read_rows
from bazar.contracts.names import CATALOG, OPERATOR
from bazar.resources import check_currency, own_database, verifier
from bazar.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
SAMPLE_SOURCE = "sample"
LONGEST_WAIT_FOR_INDEX_SECONDS = 3.0
INDEX_POLL_SECONDS = 0.02

_log = get_logger(__name__)


def build(settings: Settings) -> RunningService:
    """Open the database, begin to index, and give the application; ``stop`` ends all of it.

    Raises UnusableDatabase where the shop sells in another currency than the prices are in.
    """
    own = own_database(settings, CATALOG, MIGRATIONS)
    store = CatalogStore(own)
    with store.writing() as tx:
        tx.begin_feed()
        currency, wants_sample = tx.first_start(settings.currency, sample=settings.sample)
    check_currency(settings, currency)
    keep_stock = KeepStock(store, system_clock, settings.currency)
    if wants_sample:
        _load_sample(store, keep_stock, settings.currency)
    look_up = LookUp(store, settings.currency)
    index = BookIndex(settings.data_dir / "search")
    index_writer = IndexWriter(index, IndexSource(store))
    app = catalog_app(
        look_up=look_up,
        keep_stock=keep_stock,
        hold_copies=HoldCopies(store, system_clock),
        list_holds=ListHolds(store),
        search_books=SearchBooks(index, look_up),
        verifier=verifier(settings, CATALOG),
        readiness=lambda: _readiness(own, index),
        slots=settings.threads,
    )
    index_writer.start()
    _wait_for(index)

    def stop() -> None:
        index_writer.stop()
        own.close()

    return RunningService(app, stop)


def after_restore(own: Database) -> None:
    """Give a restored database a new epoch: whoever knows its old state drops it."""
    with CatalogStore(own).writing() as tx:
        tx.renew_epoch()


def epoch_of(own: Database) -> str:
    """The epoch of the feed."""
    with CatalogStore(own).reading() as tx:
        return tx.position().rpartition("-")[0]


def _wait_for(index: BookIndex) -> None:
    """A small index is whole before the first request; a large one is built while all but search works."""
    deadline = Deadline.after(LONGEST_WAIT_FOR_INDEX_SECONDS)
    while not index.ready and not deadline.passed:
        time.sleep(INDEX_POLL_SECONDS)


def _load_sample(store: CatalogStore, keep_stock: KeepStock, currency: str) -> None:
    """Fill a catalog that has no book at all; the founders' seven become items 1 to 7."""
    with store.writing() as tx:
        if tx.has_books():
            return
        tx.restart_item_numbers()
    with as_file(files("bazar.catalog") / "sample" / "books.csv") as path:
        rows = read_rows(path, Columns(), Reading(currency=currency))
        books = tuple(row.book for row in rows if isinstance(row, GoodRow))
    outcome, _ = keep_stock.import_books(ImportBooks(actor=OPERATOR, source=SAMPLE_SOURCE, rows=books))
    _log.info("sample_loaded", books=outcome.added)


def _readiness(own: Database, index: BookIndex) -> Readiness:
    parts = {"database": "ok", "search": "ok" if index.ready else "being built"}
    try:
        own.ping()
    except StorageUnavailable:
        parts["database"] = "does not answer"
    return Readiness(parts["database"] == "ok", parts)
