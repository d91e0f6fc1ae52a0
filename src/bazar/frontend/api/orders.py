"""What was bought: the list of orders, one of them, and what staff do with those that need a hand."""

from typing import Literal

from flask import Blueprint, Response, g, request

from bazar.chassis.web import body_bytes, json_response
from bazar.contracts.purchasing import CancelOrder, InWords, OrderQuery, OrdersQuery, SettleOrder, StuckQuery
from bazar.contracts.text import Cursor
from bazar.contracts.wire import DEFAULT_PAGE_SIZE, PageSize, PublicRequest, parse
from bazar.frontend.api.authentication import API_PREFIX, Access, AccessTable, require, signed_in
from bazar.frontend.api.books import query_of, read_about
from bazar.frontend.domain.accounts import Person, Role
from bazar.frontend.use_cases.ports import Orders

ACCESS: AccessTable = {
    "orders.orders": Access.SIGNED_IN,
    "orders.order": Access.SIGNED_IN,
    "orders.cancel": Access.SIGNED_IN,
    "orders.settle": Access.STAFF,
}


STUCK = "stuck"


class OrdersPage(PublicRequest, frozen=True):
    """Which page of the orders; ``status`` stuck: of those that need a hand, for staff."""

    status: Literal["stuck"] | None = None
    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


def routes(orders: Orders) -> Blueprint:
    """The routes, for ``app.register_blueprint``."""
    api = Blueprint("orders", __name__, url_prefix=API_PREFIX)

    @api.get("/orders", endpoint="orders")
    def list_orders() -> Response:
        if request.args.get("status") == STUCK:
            require(Role.STAFF)
        page = query_of(OrdersPage)
        if page.status == STUCK:
            stuck = orders.stuck(StuckQuery(limit=page.limit, cursor=page.cursor), g.deadline)
            return json_response(stuck, Cache_Control="no-store")
        query = OrdersQuery(account_id=_owner(signed_in()), limit=page.limit, cursor=page.cursor)
        return json_response(orders.list(query, g.deadline), Cache_Control="no-store")

    @api.get("/orders/<order_id:order_id>")
    def order(order_id: str) -> Response:
        found = orders.get(order_id, OrderQuery(account_id=_owner(signed_in())), g.deadline)
        return json_response(found, Cache_Control="no-store")

    @api.post("/orders/<order_id:order_id>/cancel")
    def cancel(order_id: str) -> Response:
        person = signed_in()
        told = CancelOrder(actor=person.account_id, account_id=_owner(person), reason=_reason(orders, order_id, person))
        return json_response(orders.cancel(order_id, told, g.deadline), Cache_Control="no-store")

    @api.post("/orders/<order_id:order_id>/settle")
    def settle(order_id: str) -> Response:
        person = signed_in()
        told = SettleOrder(actor=person.account_id, reason=_reason(orders, order_id, person))
        return json_response(orders.settle(order_id, told, g.deadline), Cache_Control="no-store")

    return api


def _reason(orders: Orders, order_id: str, person: Person) -> str:
    """What the body says; an unknown order comes before a bad one (401, 403, 404, body)."""
    return read_about(
        lambda: orders.get(order_id, OrderQuery(account_id=_owner(person)), g.deadline),
        lambda: parse(body_bytes() or b"{}", InWords),
    ).reason


def _owner(person: Person) -> str | None:
    """Whose orders this person sees: staff see all (None)."""
    return None if person.role.includes(Role.STAFF) else person.account_id
