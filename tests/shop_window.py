"""The shop window over stand-ins of the catalog and the order server, with real accounts; and a reader before it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from io import BytesIO
from typing import Any, NoReturn

import argon2
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bazar.chassis.converters import Base32Id, PositiveInteger
from bazar.chassis.database import Database
from bazar.chassis.web import Readiness, new_app
from bazar.frontend.domain.accounts import Role
from bazar.frontend.domain.shop_identity import ShopIdentity
from bazar.frontend.pages.errors import page_or_document
from bazar.frontend.pages.my_orders import CustomersTime
from bazar.frontend.pages.routes import mount_pages
from bazar.frontend.pages.visitors import Visitors
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.storage.baskets import SqlBasketStore
from bazar.frontend.storage.schema import metadata
from bazar.frontend.storage.visits import SqlVisitStore
from bazar.frontend.use_cases.baskets import Baskets
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.people import People
from bazar.frontend.use_cases.tries import Limits
from bazar.frontend.use_cases.visits import Visits
from compiled_templates import share_templates
from page_walk import addresses
from stand_ins import HOSTILE, Shelves, Till

ADDRESS = "https://shop.example.org"
GUESTS_PER_MINUTE = 20
EMAIL, PASSWORD = "ann@example.org", "violet tables dance"


@dataclass
class Form:
    """A form of a page, as the browser would send it."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._elsewhere: list[Form] = []
        self._textarea: str | None = None
        self.feed(page)
        self.found += self._elsewhere

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(values["action"], values["method"]))
        elif tag == "input":
            if values.get("type") != "checkbox" or "checked" in values:
                self.found[-1].fields[values["name"]] = values.get("value", "")
        elif tag == "button" and "formaction" in values:
            # The same fields, sent elsewhere: by a later field of the form, too.
            self._elsewhere.append(Form(values["formaction"], self.found[-1].method, self.found[-1].fields))
        elif tag == "textarea":
            self._textarea = values["name"]
            self.found[-1].fields[self._textarea] = ""

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self.found[-1].fields[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._textarea is not None:
            fields = self.found[-1].fields
            fields[self._textarea] = fields[self._textarea].removeprefix("\n")  # as browsers do
            self._textarea = None


class Reader:
    """Somebody with a browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=ADDRESS)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, data=fields, base_url=ADDRESS, headers=named)

    def form(self, page: TestResponse | str, action: str) -> Form:
        """The form of this page (or of the page at this path) that posts to ``action``."""
        response = self.get(page) if isinstance(page, str) else page
        return next(form for form in forms_of(response) if form.action == action)

    def send(self, form: Form, **changed: str) -> TestResponse:
        return self.post(form.action, {**form.fields, **changed})

    def upload(self, page: str, action: str, data: bytes, name: str = "list.csv", **typed: str) -> TestResponse:
        """Send a file by the form of this page."""
        fields = {**self.form(page, action).fields, **typed, "file": (BytesIO(data), name)}
        return self.client.post(action, data=fields, base_url=ADDRESS)

    def register(self, email: str = EMAIL, **changed: str) -> TestResponse:
        return self.send(self.form("/register", "/register"), email=email, **{"password": PASSWORD, **changed})

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> TestResponse:
        return self.send(self.form("/sign-in", "/sign-in"), email=email, password=password)

    def is_signed_in(self) -> bool:
        return self.get("/account").status_code == 200

    def buy(self, item_number: int, quantity: int = 1, **changed: str) -> TestResponse:
        form = self.form(f"/books/{item_number}", f"/books/{item_number}/buy")
        return self.send(form, quantity=str(quantity), **changed)

    def put(self, item_number: int, quantity: int = 1) -> TestResponse:
        """Put copies into the basket, as who has no script does it."""
        form = self.form(f"/books/{item_number}/basket", f"/books/{item_number}/basket")
        return self.send(form, quantity=str(quantity))

    def buy_basket(self, **changed: str) -> TestResponse:
        return self.send(self.form("/basket", "/basket/buy"), **changed)


def forms_of(response: TestResponse) -> list[Form]:
    return _Forms(response.text).found


def links(page: str, text: str) -> list[str]:
    """Addresses of the links of a page that have this text in them."""
    found: list[tuple[str, str]] = re.findall(r'<a[^>]* href="([^"]*)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return [unescape(address) for address, inside in found if text in re.sub(r"<[^>]*>", "", inside)]


class Shop:
    """The pages with all that is behind them."""

    def __init__(self, database: Database, clock: Callable[[], datetime], **said_of_itself: Any) -> None:
        metadata.create_all(database.engine)
        self.clock = clock
        self.shelves = Shelves()
        self.till = Till(self.shelves)
        self.hostile = HOSTILE
        hasher = PasswordHasher(argon2id=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.people = People.over(SqlAccountStore(database), hasher, clock, Limits(0, 0, 3))
        self.accounts = self.people.accounts
        self.app = new_app(
            "bazar.frontend",
            {},
            lambda: Readiness(ready=True, parts={}),
            {"item_number": PositiveInteger, "order_id": Base32Id},
            page_or_document,
        )
        share_templates(self.app)
        self.baskets = Baskets(SqlBasketStore(database), clock, GUESTS_PER_MINUTE)
        self.visitors = Visitors(Visits(SqlVisitStore(database), clock))
        mount_pages(
            self.app,
            catalog=self.shelves,
            orders=self.till,
            people=self.people,
            baskets=self.baskets,
            customers_time=CustomersTime(timedelta(hours=1), clock),
            public_url=ADDRESS,
            currency="USD",
            identity=ShopIdentity(**{"name": "Bazar", **said_of_itself}),
        )

        @self.app.get("/breaks")
        def breaks() -> NoReturn:
            raise RuntimeError("a secret detail")

    def reader(self) -> Reader:
        return Reader(self.app.test_client())

    def customer(self, email: str = EMAIL) -> Reader:
        reader = self.reader()
        assert reader.register(email).status_code == 303
        return reader

    def bookseller(self, role: Role = Role.STAFF, email: str = "stella@example.org") -> Reader:
        """Somebody who works here, signed in."""
        return self.colleague(email, role)

    def colleague(self, email: str, role: Role) -> Reader:
        """Somebody of this role, signed in."""
        self.accounts.create_account(email, PASSWORD, role)
        reader = self.reader()
        assert reader.sign_in(email).status_code == 303
        return reader

    def account_id(self, email: str = EMAIL) -> str:
        return self.people.staff_accounts.find(email).account_id

    def paths_of_pages(self) -> list[str]:
        """An address for each page that can be looked at; the signed-in reader needs an order."""
        return list(addresses(self.app, "GET", self.examples()).values())

    def examples(self) -> dict[str, str]:
        """What stands for the parameters of addresses."""
        return {
            "item_number": "4",
            "order_id": next(iter(self.till.orders)),
            "subject": "history",
            "name": "not-found",
            "account_id": self.account_id(),
            "path": re.findall(r'/static/([^"]+)', self.reader().get("/").text)[0],
        }
