"""What was bought: the list of orders, and one of them."""

from flask import Blueprint, Response, g

from bazar.chassis.web import body_bytes, json_response
from bazar.contracts.purchasing import CancelOrder, OrderQuery, OrdersQuery
from bazar.contracts.text import Cursor
from bazar.contracts.wire import DEFAULT_PAGE_SIZE, PageSize, PublicRequest, parse
from bazar.frontend.api.authentication import API_PREFIX, Access, AccessTable, signed_in
from bazar.frontend.api.books import query_of, read_about
from bazar.frontend.domain.accounts import Person, Role
from bazar.frontend.use_cases.ports import Orders

ACCESS: AccessTable = {
    "orders.orders": Access.SIGNED_IN,
    "orders.order": Access.SIGNED_IN,
    "orders.cancel": Access.SIGNED_IN,
}


class OrdersPage(PublicRequest, frozen=True):
    """Which page of the orders."""

    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class NoBody(PublicRequest, frozen=True):
    """All is said by the address."""


def routes(orders: Orders) -> Blueprint:
    """The routes, for ``app.register_blueprint``."""
    api = Blueprint("orders", __name__, url_prefix=API_PREFIX)

    @api.get("/orders", endpoint="orders")
    def list_orders() -> Response:
        page = query_of(OrdersPage)
        query = OrdersQuery(account_id=_owner(signed_in()), limit=page.limit, cursor=page.cursor)
        return json_response(orders.list(query, g.deadline), Cache_Control="no-store")

    @api.get("/orders/<order_id:order_id>")
    def order(order_id: str) -> Response:
        found = orders.get(order_id, OrderQuery(account_id=_owner(signed_in())), g.deadline)
        return json_response(found, Cache_Control="no-store")

    @api.post("/orders/<order_id:order_id>/cancel")
    def cancel(order_id: str) -> Response:
        person = signed_in()
        read_about(
            lambda: orders.get(order_id, OrderQuery(account_id=_owner(person)), g.deadline),
            lambda: parse(body_bytes() or b"{}", NoBody),
        )
        request = CancelOrder(actor=person.account_id, account_id=_owner(person))
        return json_response(orders.cancel(order_id, request, g.deadline), Cache_Control="no-store")

    return api


def _owner(person: Person) -> str | None:
    """Whose orders this person sees: staff see all (None)."""
    return None if person.role.includes(Role.STAFF) else person.account_id
