"""The three services in one process: real use cases, storage, search index, tokens, both ends of every call.

Only TLS and the socket are missing: a client's connections are replaced by the neighbour's application.
"""

import itertools
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

import argon2
import msgspec
import sqlalchemy as sa
import werkzeug
from flask import Flask
from werkzeug.test import TestResponse

import bazar.catalog.wiring
import bazar.frontend.wiring
import bazar.order.wiring
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
from bazar.chassis.certificates import LeafSpec, ensure_certificates
from bazar.chassis.client import ServiceClient
from bazar.chassis.clock import Deadline, system_clock
from bazar.chassis.connections import Response
from bazar.chassis.database import Database
from bazar.chassis.migrations import migrate
from bazar.chassis.service_token import TokenIssuer, TokenVerifier
from bazar.chassis.web import Readiness
from bazar.contracts.names import CATALOG, FRONTEND, OPERATOR, ORDER
from bazar.frontend.domain.accounts import Role, SignInKind
from bazar.frontend.domain.shop_identity import ShopIdentity
from bazar.frontend.gateways.catalog_service import CatalogService as CatalogOfShop
from bazar.frontend.gateways.order_service import OrderService
from bazar.frontend.pages.my_orders import CustomersTime
from bazar.frontend.pages.visitors import Visitors
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.storage.baskets import SqlBasketStore
from bazar.frontend.storage.visits import SqlVisitStore
from bazar.frontend.use_cases.baskets import Baskets
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.people import People
from bazar.frontend.use_cases.tries import Limits
from bazar.frontend.use_cases.visits import Visits
from bazar.frontend.wiring import frontend_app
from bazar.order.api.routes import order_app
from bazar.order.domain.decisions import Decision
from bazar.order.gateways.catalog_service import CatalogService as CatalogOfOrder
from bazar.order.storage.store import OrderStore
from bazar.order.use_cases.best_sellers import FindBestSellers
from bazar.order.use_cases.cancel_order import CancelOrders, ReturnCopies
from bazar.order.use_cases.end_stuck_orders import EndStuckOrders
from bazar.order.use_cases.finish_orders import FinishOrders
from bazar.order.use_cases.follow_orders import FollowOrders
from bazar.order.use_cases.hand_out_orders import HandOutOrders
from bazar.order.use_cases.look_up_orders import LookUpOrders
from bazar.order.use_cases.place_order import PlaceOrders
from compiled_templates import share_templates

API = "/api/v1"
CURRENCY = "USD"
PUBLIC_URL = "https://localhost:8443"
PASSWORD = "violet tables dance"
#: Who can ask: a role, or "other" (a second customer), or None (nobody who is signed in).
PEOPLE = {"customer": Role.CUSTOMER, "other": Role.CUSTOMER, "staff": Role.STAFF, "admin": Role.ADMIN}
NO_LIMITS = Limits(sign_ins_per_address=0, registrations_per_address=0, failed_sign_ins=0)

CUSTOMERS_TIME = timedelta(hours=1)

Clock = Callable[[], datetime]


class InProcessClient(ServiceClient):
    """A ServiceClient whose calls end in an application of this process."""

    def __init__(self, service: str, app: WSGIApplication, token: Callable[[str], str]) -> None:
        super().__init__(service, "https://in.process:1", ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), token)
        self._connections = _Connections(app)  # type: ignore[assignment]  # a stand-in


class _Connections:
    """Stands in for those of the chassis."""

    def __init__(self, app: WSGIApplication) -> None:
        self._client = werkzeug.Client(app, use_cookies=False)

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, _within: Deadline
    ) -> Response:
        answer = self._client.open(target, method=method, data=body, headers=dict(headers))
        return Response(answer.status_code, {name.lower(): value for name, value in answer.headers}, answer.data)

    def close(self) -> None:
        """Nothing is open."""


class AtOnce:
    """A Finisher that does it before the answer leaves, so that no test has to wait."""

    def __init__(self, finish: FinishOrders) -> None:
        self._finish = finish

    def finish(self, decision: Decision) -> None:
        self._finish.finish([decision])


class ReturnAtOnce:
    """A Returner that has the copies back before the answer leaves."""

    def __init__(self, return_copies: ReturnCopies) -> None:
        self._return_copies = return_copies

    def return_soon(self) -> None:
        self._return_copies.return_copies()


class ThreeServices:
    """A shop with its people signed in, and no book yet."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.clock = clock
        self.certificates = folder / "certs"
        leaves = [LeafSpec(service) for service in (FRONTEND, CATALOG, ORDER, OPERATOR)]
        ensure_certificates(self.certificates, leaves, system_clock)
        self.databases = {name: Database(f"sqlite:///{folder / name}.sqlite3") for name in (CATALOG, ORDER, FRONTEND)}
        for module in (bazar.catalog.wiring, bazar.order.wiring, bazar.frontend.wiring):
            migrate(self.databases[module.__name__.split(".")[1]], module.MIGRATIONS)
        self.catalog_app = self._catalog(folder)
        self.order_app = self._order()
        self.people = People.over(
            SqlAccountStore(self.databases[FRONTEND]),
            PasswordHasher(slots=64, argon2id=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
            clock,
            NO_LIMITS,
        )
        self.accounts = self.people.accounts
        self.baskets = Baskets(SqlBasketStore(self.databases[FRONTEND]), clock)
        self.visitors = Visitors(Visits(SqlVisitStore(self.databases[FRONTEND]), clock))
        self._orders = OrderService(self._neighbour(FRONTEND, ORDER, self.order_app))
        self._orders.start()
        self.app = frontend_app(
            people=self.people,
            baskets=self.baskets,
            catalog=CatalogOfShop(self._neighbour(FRONTEND, CATALOG, self.catalog_app)),
            orders=self._orders,
            readiness=_ready,
            customers_time=CustomersTime(CUSTOMERS_TIME, clock),
            public_url=PUBLIC_URL,
            currency=CURRENCY,
            identity=ShopIdentity("Bazar"),
        )
        share_templates(self.app)
        for name, role in PEOPLE.items():
            self.accounts.create_account(f"{name}@example.org", PASSWORD, role)
        self.tokens = {name: self.sign_in(name) for name in PEOPLE}

    def sign_in(self, name: str, kind: SignInKind = SignInKind.TOKEN) -> str:
        """A new token, or the secret of a session of the pages, for one of PEOPLE."""
        return self.accounts.sign_in(f"{name}@example.org", PASSWORD, kind, "127.0.0.1").secret

    def call(
        self,
        method: str,
        path: str,
        who: str | None = None,
        *,
        json: Any = None,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Ask the front-end below ``/api/v1``; ``body`` is sent as JSON as it is, ``json`` is encoded first."""
        sent = dict(headers or {})
        if who is not None:
            sent["Authorization"] = f"Bearer {self.tokens[who]}"
        data = msgspec.json.encode(json) if json is not None else body
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        return self.app.test_client(use_cookies=False).open(f"{API}{path}", method=method, data=data, headers=sent)

    def add_book(self, **facts: Any) -> int:
        """A book with ten copies at 40.00 unless told otherwise; its item number."""
        book = {
            "title": "RPCs for Noobs",
            "authors": ["A. Noob"],
            "subjects": ["distributed systems"],
            "price": {"amount": 4000, "currency": CURRENCY},
            "stock": 10,
            **facts,
        }
        answer = self.call("POST", "/books", "staff", json=book)
        assert answer.status_code == 201, answer.text
        return int(answer.json["item_number"])  # type: ignore[index]  # JSON or None

    def index_now(self) -> None:
        """Bring the search index up to the catalog."""
        while not self._index_writer.step():
            pass

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """All rows that last: books, holds, orders, journal, accounts; not who is signed in."""
        passing = {"sign_ins", "tries"}
        rows: dict[str, list[tuple[object, ...]]] = {}
        for name, database in self.databases.items():
            with database.reading() as connection:
                for table in sorted(set(sa.inspect(connection).get_table_names()) - passing):
                    found = connection.exec_driver_sql(f'SELECT * FROM "{table}"')  # noqa: S608 - names of tables
                    rows[f"{name}.{table}"] = [tuple(row) for row in found]
        return rows

    def service_token(self, caller: str, audience: str) -> str:
        """The proof by which ``caller`` shows itself to ``audience``."""
        return TokenIssuer(caller, self.certificates, system_clock).token(audience)

    def close(self) -> None:
        """Give back what was opened."""
        self._index_writer.stop()
        self._orders.stop()
        for database in self.databases.values():
            database.close()

    def _catalog(self, folder: Path) -> Flask:
        store = CatalogStore(self.databases[CATALOG])
        with store.writing() as tx:
            tx.begin_feed()
        look_up = LookUp(store, CURRENCY)
        index = BookIndex(folder / "search")
        # Each look at this clock is a second later: the writer never rests.
        self._index_writer = IndexWriter(index, IndexSource(store), itertools.count().__next__)
        self.index_now()
        return catalog_app(
            look_up=look_up,
            keep_stock=KeepStock(store, self.clock, CURRENCY),
            hold_copies=HoldCopies(store, self.clock),
            list_holds=ListHolds(store),
            search_books=SearchBooks(index, look_up),
            verifier=self._verifier(CATALOG),
            readiness=_ready,
        )

    def _order(self) -> Flask:
        store = self.orders = OrderStore(self.databases[ORDER])
        with store.writing() as tx:
            secret = tx.order_id_secret()
        catalog = self.catalog_of_order = CatalogOfOrder(self._neighbour(ORDER, CATALOG, self.catalog_app))
        place_orders = PlaceOrders(
            store=store,
            catalog=catalog,
            finisher=AtOnce(FinishOrders(store, catalog, self.clock)),
            clock=self.clock,
            secret=secret,
            currency=CURRENCY,
        )
        returns = ReturnAtOnce(ReturnCopies(store, catalog, self.clock))
        return order_app(
            place_orders=place_orders.place_orders,
            cancel_orders=CancelOrders(store, returns, self.clock, CUSTOMERS_TIME),
            end_stuck_orders=EndStuckOrders(store, catalog, returns, self.clock),
            look_up_orders=LookUpOrders(store),
            hand_out_orders=HandOutOrders(store, self.clock),
            follow_orders=FollowOrders(store, self.clock, CURRENCY),
            find_best_sellers=FindBestSellers(store, itertools.count(0, 10).__next__),
            verifier=self._verifier(ORDER),
            readiness=_ready,
        )

    def _neighbour(self, caller: str, service: str, app: Flask) -> ServiceClient:
        return InProcessClient(service, app, TokenIssuer(caller, self.certificates, system_clock).token)

    def _verifier(self, service: str) -> TokenVerifier:
        return TokenVerifier(service, self.certificates / "ca.pem", system_clock)


def _ready() -> Readiness:
    return Readiness(ready=True, parts={})
