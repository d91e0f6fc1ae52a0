"""The reader's own account: name, password, what the shop keeps of the reader, and deleting it."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from bazar.contracts.counter import CounterOrders, OpenOrdersQuery
from bazar.contracts.purchasing import Order, OrdersQuery
from bazar.contracts.times import rfc3339
from bazar.contracts.wire import convert, dump
from bazar.frontend.domain.accounts import Person
from bazar.frontend.domain.errors import NeighbourAway
from bazar.frontend.domain.passwords import FEWEST_CHARACTERS
from bazar.frontend.pages.people import client_address
from bazar.frontend.pages.refusals import REFUSALS, refused
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.baskets import Baskets, Owner
from bazar.frontend.use_cases.own_account import OwnAccount
from bazar.frontend.use_cases.ports import Orders

#: What a page says of what was just done.
SAID = ("name", "password", "second-factor-off")
ORDERS_AT_A_TIME = 100
#: Of a file of data; older orders are in the next one, so that no request holds or waits for very many.
ORDERS_IN_A_FILE = 1_000


class AccountPages:
    """``/account`` and what belongs to it."""

    def __init__(self, own_account: OwnAccount, baskets: Baskets, orders: Orders, sessions: PageSessions) -> None:
        self._own_account = own_account
        self._baskets = baskets
        self._orders = orders
        self._sessions = sessions

    def mount(self, pages: Blueprint) -> None:
        """Add the routes."""
        pages.get("/account", endpoint="account")(self._show)
        pages.post("/account/name", endpoint="change_name")(self._change_name)
        pages.post("/account/password", endpoint="change_password")(self._change_password)
        pages.get("/account/data", endpoint="account_data")(self._data)
        pages.get("/account/delete", endpoint="delete_account_form")(self._delete_form)
        pages.post("/account/delete", endpoint="delete_account")(self._delete)
        pages.get("/account/deleted", endpoint="account_deleted")(lambda: render_template("account_deleted.html"))

    def _show(self) -> str:
        said = next((word for word in SAID if request.args.get("said") == word), None)
        return render_template("account.html", **_values(self._sessions.signed_in()), said=said, section=None)

    def _change_name(self) -> Response:
        person = self._sessions.signed_in()
        name = request.form.get("name", "")
        try:
            self._own_account.change_name(person, name)
        except REFUSALS as error:
            return self._refused(person, error, "name", name=name)
        return _done("name")

    def _change_password(self) -> Response:
        person = self._sessions.signed_in()
        old, new = request.form.get("old_password", ""), request.form.get("password", "")
        try:
            signed_in = self._own_account.change_password(person, old, new, client_address())
        except REFUSALS as error:
            return self._refused(person, error, "password")
        response = _done("password")
        self._sessions.start(response, signed_in)
        return response

    def _data(self) -> Response:
        """All that is kept of the person, with the newest orders; by a cursor the orders before those, alone."""
        person = self._sessions.signed_in()
        cursor = request.args.get("cursor")
        told = {} if cursor else self._account_and_basket(person)
        orders, older = self._some_orders(person, cursor)
        told["older_orders"] = url_for("pages.account_data", cursor=older) if older else None
        told["orders"] = orders
        response = Response(dump(told), mimetype="application/json")
        name = "bazar-older-orders.json" if cursor else "bazar-account.json"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def _account_and_basket(self, person: Person) -> dict[str, Any]:
        account = self._own_account.facts(person)
        basket = self._baskets.of(Owner.account(person.account_id))
        return {
            "account": {
                "email": account.email.text,
                "name": account.name,
                "role": account.role.value,
                "created_at": rfc3339(account.created_at),
                "has_second_factor": person.has_second_factor,
            },
            "basket": [
                {
                    "item_number": line.item_number,
                    "title": line.title,
                    "quantity": line.quantity,
                    "price": line.price,
                }
                for line in (basket.lines if basket else ())
            ],
        }

    def _some_orders(self, person: Person, cursor: str | None) -> tuple[Sequence[Order], str | None]:
        """ORDERS_IN_A_FILE of them, from the cursor on; and the cursor of older ones."""
        found: list[Order] = []
        while True:
            place = {"cursor": cursor} if cursor else {}
            asked = {"account_id": person.account_id, "limit": ORDERS_AT_A_TIME, **place}
            page = self._orders.list(convert(asked, OrdersQuery), g.deadline)
            found += page.items
            cursor = page.next
            if cursor is None or len(found) >= ORDERS_IN_A_FILE:
                return found, cursor

    def _delete_form(self) -> str:
        return render_template("account_delete.html", open_orders=self._open_orders(self._sessions.signed_in()))

    def _delete(self) -> Response:
        person = self._sessions.signed_in()
        try:
            self._own_account.delete(person, request.form.get("password", ""), client_address())
        except REFUSALS as error:
            return refused("account_delete.html", error, open_orders=self._open_orders(person))
        response = make_response(redirect(url_for("pages.account_deleted"), 303))
        self._sessions.end(response)
        return response

    def _open_orders(self, person: Person) -> CounterOrders | None:
        """What waits for the person still; None where nobody knows just now, which keeps no one from leaving."""
        try:
            return self._orders.open_orders(OpenOrdersQuery(account_id=person.account_id), g.deadline)
        except NeighbourAway:
            return None

    @staticmethod
    def _refused(person: Person, error: Exception, section: str, **values: Any) -> Response:
        return refused("account.html", error, **{**_values(person), **values}, said=None, section=section)


def _values(person: Person) -> dict[str, Any]:
    return {"name": person.name, "fewest_characters": FEWEST_CHARACTERS, "orders_in_a_file": ORDERS_IN_A_FILE}


def _done(what: str) -> Response:
    return make_response(redirect(url_for("pages.account", said=what), 303))
