"""The order server, put together."""

import time
from datetime import timedelta
from pathlib import Path

from bazar.chassis.client import NeighbourUnavailable, ServiceClient
from bazar.chassis.clock import Deadline, system_clock
from bazar.chassis.database import Database, StorageUnavailable
from bazar.chassis.gather import Gather
from bazar.chassis.server import RunningService
from bazar.chassis.web import Readiness
from bazar.contracts.names import CATALOG, ORDER
from bazar.order.api.routes import order_app
from bazar.order.gateways.catalog_service import CatalogService
from bazar.order.recovery.settle import SettleLoop
from bazar.order.recovery.sweep import SweepLoop
from bazar.order.storage.store import OrderStore
from bazar.order.use_cases.best_sellers import FindBestSellers
from bazar.order.use_cases.cancel_order import CancelOrders, ReturnCopies
from bazar.order.use_cases.end_stuck_orders import EndStuckOrders
from bazar.order.use_cases.finish_orders import FinishOrders, Sweep
from bazar.order.use_cases.follow_orders import FollowOrders
from bazar.order.use_cases.hand_out_orders import HandOutOrders
from bazar.order.use_cases.look_up_orders import LookUpOrders
from bazar.order.use_cases.place_order import PlaceOrders
from bazar.order.use_cases.reconcile import Reconcile
from bazar.resources import check_currency, neighbour, own_database, verifier
from bazar.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
#: Shorter than the front-end waits for this server's own answer.
PROBE_SECONDS = 0.4


def build(settings: Settings) -> RunningService:
    """Open the database, begin to settle and sweep, and give the application; ``stop`` ends all of it.

    Raises UnusableDatabase where the shop sells in another currency than its orders are in.
    """
    own = own_database(settings, ORDER, MIGRATIONS)
    store = OrderStore(own)
    with store.writing() as tx:
        secret = tx.order_id_secret()
        check_currency(settings, tx.currency_of_orders() or settings.currency)
    client = neighbour(settings, ORDER, CATALOG)
    catalog = CatalogService(client)
    settle_loop = SettleLoop(FinishOrders(store, catalog, system_clock).finish)
    sweep_loop = SweepLoop(
        Sweep(store, catalog, system_clock, time.monotonic, settings.currency).sweep,
        ReturnCopies(store, catalog, system_clock).return_copies,
        Reconcile(store, catalog, catalog, system_clock, settings.currency).reconcile,
    )
    customers_time = timedelta(minutes=settings.cancel_within_minutes)
    cancel_orders = CancelOrders(store, sweep_loop, system_clock, customers_time)
    place_orders = PlaceOrders(
        store=store,
        catalog=catalog,
        finisher=settle_loop,
        clock=system_clock,
        secret=secret,
        currency=settings.currency,
    )
    gather = Gather("purchases", place_orders.place_orders, of_the_round=(StorageUnavailable,))
    app = order_app(
        place_orders=gather.ask_all,
        cancel_orders=cancel_orders,
        end_stuck_orders=EndStuckOrders(store, catalog, sweep_loop, system_clock),
        look_up_orders=LookUpOrders(store),
        hand_out_orders=HandOutOrders(store, system_clock),
        follow_orders=FollowOrders(store, system_clock, settings.currency, settings.shop_time_zone),
        find_best_sellers=FindBestSellers(store, time.monotonic),
        verifier=verifier(settings, ORDER),
        readiness=lambda: _readiness(own, client),
        slots=settings.threads,
    )
    gather.start()
    settle_loop.start()
    sweep_loop.start()

    def stop() -> None:
        gather.stop()
        settle_loop.stop()
        sweep_loop.stop()
        client.close()
        own.close()

    return RunningService(app, stop)


def after_restore(own: Database) -> None:
    """Have the decisions of a restored database compared with the catalog at the next start."""
    with OrderStore(own).writing() as tx:
        tx.forget_comparison()


def _readiness(own: Database, client: ServiceClient) -> Readiness:
    """Orders can be read without the catalog."""
    parts = {"database": "ok", "catalog": "ok"}
    try:
        own.ping()
    except StorageUnavailable:
        parts["database"] = "does not answer"
    try:
        client.get_raw("/healthz", Deadline.after(PROBE_SECONDS))
    except NeighbourUnavailable:
        parts["catalog"] = "does not answer"
    return Readiness(parts["database"] == "ok", parts)
