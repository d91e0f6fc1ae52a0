"""Buy books, and see what was bought. The way in of a purchase: docs/life-of-a-purchase.md, step 1."""

from typing import Annotated

from flask import Blueprint, Response, g
from msgspec import Meta

from bazar.chassis.web import body_bytes, json_response
from bazar.contracts.books import MOST_COPIES_A_LINE, ItemNumber, Money
from bazar.contracts.purchasing import MOST_LINES, Line, OrderQuery, OrdersQuery, PlaceOrder
from bazar.contracts.text import Cursor
from bazar.contracts.wire import LARGEST_JSON_INTEGER, PublicRequest, parse
from bazar.frontend.api.authentication import API_PREFIX, Access, AccessTable, signed_in
from bazar.frontend.api.books import query_of, read_about, shown
from bazar.frontend.api.idempotency import idempotency_key
from bazar.frontend.domain.accounts import Person, Role
from bazar.frontend.use_cases.ports import Catalog, Orders

ACCESS: AccessTable = {
    "purchases.purchase": Access.SIGNED_IN,
    "purchases.place_order": Access.SIGNED_IN,
    "purchases.orders": Access.SIGNED_IN,
    "purchases.order": Access.SIGNED_IN,
}


class ExpectedTotal(Money, frozen=True, forbid_unknown_fields=True):
    """What the customer means to pay for all of it."""

    amount: Annotated[int, Meta(ge=0, le=LARGEST_JSON_INTEGER)]


class PurchaseRequest(PublicRequest, frozen=True):
    """So many copies of the book that the path names, for that total at the most and the least."""

    quantity: Annotated[int, Meta(ge=1, le=MOST_COPIES_A_LINE)] = 1
    expected_total: ExpectedTotal | None = None


class LineRequest(PublicRequest, frozen=True):
    """So many copies of one book."""

    item_number: ItemNumber
    quantity: Annotated[int, Meta(ge=1, le=MOST_COPIES_A_LINE)]


class OrderRequest(PublicRequest, frozen=True):
    """Several books, all or nothing."""

    lines: Annotated[tuple[LineRequest, ...], Meta(min_length=1, max_length=MOST_LINES)]
    expected_total: ExpectedTotal | None = None


class OrdersPage(PublicRequest, frozen=True):
    """Which page of the orders."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    cursor: Cursor | None = None


def routes(orders: Orders, catalog: Catalog) -> Blueprint:
    """The routes, for ``app.register_blueprint``."""
    api = Blueprint("purchases", __name__, url_prefix=API_PREFIX)

    @api.post("/purchase/<item_number:item_number>")
    def purchase(item_number: int) -> Response:
        def read() -> PlaceOrder:
            body = parse(body_bytes() or b"{}", PurchaseRequest)
            return _place(((item_number, body.quantity),), body.expected_total)

        return shown(orders.place(read_about(catalog, item_number, read), g.deadline), 201)

    @api.post("/orders")
    def place_order() -> Response:
        body = parse(body_bytes(), OrderRequest)
        lines = tuple((line.item_number, line.quantity) for line in body.lines)
        return shown(orders.place(_place(lines, body.expected_total), g.deadline), 201)

    @api.get("/orders", endpoint="orders")
    def list_orders() -> Response:
        page = query_of(OrdersPage)
        query = OrdersQuery(account_id=_owner(signed_in()), limit=page.limit, cursor=page.cursor)
        return json_response(orders.list(query, g.deadline), Cache_Control="no-store")

    @api.get("/orders/<order_id:order_id>")
    def order(order_id: str) -> Response:
        found = orders.get(order_id, OrderQuery(account_id=_owner(signed_in())), g.deadline)
        return json_response(found, Cache_Control="no-store")

    return api


def _place(lines: tuple[tuple[int, int], ...], expected_total: Money | None) -> PlaceOrder:
    """The account is that of the sign-in, the prices are the catalog's: neither comes from the request."""
    return PlaceOrder(
        account_id=signed_in().account_id,
        idempotency_key=idempotency_key(),
        lines=tuple(Line(item_number=item_number, quantity=quantity) for item_number, quantity in lines),
        expected_total=expected_total,
    )


def _owner(person: Person) -> str | None:
    """Whose orders this person sees: staff see all (None)."""
    return None if person.role.includes(Role.STAFF) else person.account_id
