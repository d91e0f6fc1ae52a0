"""The front-end server, put together."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from wsgiref.types import WSGIApplication

from flask import Flask

from bazar.chassis.client import NeighbourUnavailable, ServiceClient
from bazar.chassis.clock import Deadline, system_clock
from bazar.chassis.cores import any_core
from bazar.chassis.database import Database, StorageUnavailable
from bazar.chassis.lanes import SLOTS
from bazar.chassis.proxies import TrustedProxies
from bazar.chassis.server import RunningService
from bazar.chassis.web import Readiness, new_app
from bazar.contracts.names import CATALOG, FRONTEND, ORDER
from bazar.frontend.api import accounts as accounts_api
from bazar.frontend.api import books as books_api
from bazar.frontend.api import openapi as openapi_api
from bazar.frontend.api import orders as orders_api
from bazar.frontend.api import purchases as purchases_api
from bazar.frontend.api.addresses import ItemNumber, OrderId, refuse_misread
from bazar.frontend.api.authentication import AccessTable, guard_api
from bazar.frontend.api.lanes import SIGN_INS_PER_SLOT, lanes
from bazar.frontend.api.problems import PROBLEMS
from bazar.frontend.cache.answers import Answers
from bazar.frontend.cache.follower import FeedFollower
from bazar.frontend.cache.metrics import CacheMetrics
from bazar.frontend.cache.middleware import Cache
from bazar.frontend.cache.parts import Parts
from bazar.frontend.domain.locales import chosen_locale
from bazar.frontend.domain.shop_identity import ShopIdentity
from bazar.frontend.gateways.catalog_service import CatalogService
from bazar.frontend.gateways.order_service import OrderService
from bazar.frontend.pages.errors import page_or_document
from bazar.frontend.pages.my_orders import CustomersTime
from bazar.frontend.pages.routes import mount_pages
from bazar.frontend.pages.visitors import Visitors
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.storage.baskets import SqlBasketStore
from bazar.frontend.storage.visits import SqlVisitStore
from bazar.frontend.use_cases.baskets import Baskets
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.people import People
from bazar.frontend.use_cases.ports import Catalog, Orders
from bazar.frontend.use_cases.tries import Limits
from bazar.frontend.use_cases.visits import Visits
from bazar.resources import neighbour, own_database
from bazar.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
PROBE_SECONDS = 1.0
#: Of the five that a request lives.
LONGEST_SIGN_IN_WAIT_SECONDS = 4.0
#: What a page says that is answered while the catalog is away.
_AGE = (
    b'<p class="notice" role="status">The catalog does not answer just now. '
    b"Prices and stock are as they were %d seconds ago.</p>"
)
#: Texts of Accept-Language whose locale is remembered.
MOST_LANGUAGES = 1024
MOST_CACHED_BYTES = 32 * 1024 * 1024
#: At the feed: beyond it what is kept is not trusted any more.
LONGEST_LOOK_SECONDS = 1.0
ACCESS: AccessTable = {
    **accounts_api.ACCESS,
    **books_api.ACCESS,
    **purchases_api.ACCESS,
    **orders_api.ACCESS,
    **openapi_api.ACCESS,
}


def build(settings: Settings) -> RunningService:
    """Open the database, connect to the neighbours, and give the application; ``stop`` ends all of it."""
    own = own_database(settings, FRONTEND, MIGRATIONS)
    catalog_client = neighbour(settings, FRONTEND, CATALOG)
    order_client = neighbour(settings, FRONTEND, ORDER)
    answers = Answers(MOST_CACHED_BYTES, time.monotonic)
    catalog, orders = CatalogService(catalog_client), OrderService(order_client)
    people = people_of(settings, own)
    baskets = Baskets(SqlBasketStore(own), system_clock, settings.new_baskets_per_minute)
    app = frontend_app(
        people=people,
        baskets=baskets,
        catalog=catalog,
        catalog_with_memory=CatalogService(catalog_client, Parts(answers, time.monotonic)),
        orders=orders,
        readiness=lambda: _readiness(own, {CATALOG: catalog_client, ORDER: order_client}),
        customers_time=CustomersTime(timedelta(minutes=settings.cancel_within_minutes), system_clock),
        public_url=settings.public_url,
        currency=settings.currency,
        identity=ShopIdentity(
            settings.shop_name,
            settings.shop_address,
            settings.shop_hours,
            settings.shop_contact,
            settings.shop_time_zone,
        ),
        slots=settings.threads,
    )

    follower = FeedFollower(answers, lambda number: catalog.changes_after(number, Deadline.after(LONGEST_LOOK_SECONDS)))
    follower.start()
    orders.start()

    def stop() -> None:
        follower.stop()
        orders.stop()
        catalog_client.close()
        order_client.close()
        own.close()

    visitors = Visitors(Visits(SqlVisitStore(own), system_clock))
    cache = cached(TrustedProxies(app.wsgi_app, settings.trusted_proxies), answers, visitors)
    app.extensions["metrics"].registry.register(CacheMetrics(cache, answers))
    return RunningService(cache, stop)


def cached(app: WSGIApplication, answers: Answers, visitors: Visitors) -> Cache:
    """The application behind the cache of what many are shown."""
    locale_of = lru_cache(MOST_LANGUAGES)(chosen_locale)
    return Cache(
        app,
        answers,
        documents=books_api.CACHEABLE,
        pages=("/books/", "/subjects/"),
        whole_pages=("/", "/search", "/new", "/bestsellers", "/subjects"),
        variant=lambda environ: locale_of(environ.get("HTTP_ACCEPT_LANGUAGE")),
        visitor=visitors.of,
        notice=lambda age_seconds: _AGE % age_seconds,
    )


def frontend_app(
    *,
    people: People,
    baskets: Baskets,
    catalog: Catalog,
    orders: Orders,
    readiness: Callable[[], Readiness],
    customers_time: CustomersTime,
    public_url: str,
    currency: str,
    identity: ShopIdentity,
    catalog_with_memory: Catalog | None = None,
    slots: int = SLOTS,
) -> Flask:
    """The application of the front-end server: the API, each route with the rule of who may use it, and the pages.

    ``catalog_with_memory``: as the pages ask it, which have parts in common; programs ask for one thing at a time.
    ``slots``: requests of one kind at work at a time, see ``frontend/api/lanes.py``.
    """
    app = new_app(
        "bazar.frontend",
        PROBLEMS,
        readiness,
        {"item_number": ItemNumber, "order_id": OrderId},
        page_or_document,
        lanes=lanes(slots),
    )
    accounts = people.accounts
    guard_api(app, accounts, ACCESS)
    refuse_misread(app)
    app.register_blueprint(accounts_api.routes(accounts))
    app.register_blueprint(books_api.routes(catalog, accounts))
    app.register_blueprint(purchases_api.routes(orders, catalog))
    app.register_blueprint(orders_api.routes(orders))
    app.register_blueprint(openapi_api.routes(ACCESS))
    mount_pages(
        app,
        catalog=catalog_with_memory or catalog,
        orders=orders,
        people=people,
        baskets=baskets,
        customers_time=customers_time,
        public_url=public_url,
        currency=currency,
        identity=identity,
    )
    return app


def after_restore(own: Database) -> None:
    """End all sign-ins and links: those of a restored database may have been ended, or used, since."""
    with SqlAccountStore(own).writing() as records:
        records.end_all_sign_ins()


def people_of(settings: Settings, own: Database) -> People:
    """The accounts of the shop, whose tables are there. Who was let in to sign in finds a place to wait for a hash."""
    return People.over(
        SqlAccountStore(own),
        PasswordHasher(
            waiting=SIGN_INS_PER_SLOT * settings.threads,
            longest_wait_seconds=LONGEST_SIGN_IN_WAIT_SECONDS,
            while_hashing=any_core,
        ),
        system_clock,
        Limits(
            sign_ins_per_address=settings.sign_ins_per_minute,
            registrations_per_address=settings.registrations_per_minute,
            failed_sign_ins=settings.failed_sign_ins_per_minute,
        ),
    )


def _readiness(own: Database, neighbours: dict[str, ServiceClient]) -> Readiness:
    """Reads work while the catalog and our own database answer; buying needs the order server too."""
    parts = {"database": "ok"}
    try:
        own.ping()
    except StorageUnavailable:
        parts["database"] = "does not answer"
    for name, client in neighbours.items():
        try:
            status, _ = client.get_raw("/readyz", Deadline.after(PROBE_SECONDS))
            parts[name] = "ok" if status == 200 else "not ready"  # noqa: PLR2004 - RFC 9110
        except NeighbourUnavailable:
            parts[name] = "does not answer"
    return Readiness(parts["database"] == "ok" and parts[CATALOG] == "ok", parts)
