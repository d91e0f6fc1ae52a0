"""Buy books: step 1 of docs/life-of-a-purchase.md."""

from flask import Blueprint, Response, g

from bazar.chassis.web import body_bytes
from bazar.contracts.books import Money
from bazar.contracts.purchasing import Line, OrderRequest, PlaceOrder, PurchaseRequest
from bazar.contracts.wire import parse
from bazar.frontend.api.authentication import API_PREFIX, Access, AccessTable, signed_in
from bazar.frontend.api.books import read_about, shown
from bazar.frontend.api.idempotency import idempotency_key
from bazar.frontend.use_cases.ports import Catalog, Orders

ACCESS: AccessTable = {
    "purchases.purchase": Access.SIGNED_IN,
    "purchases.place_order": Access.SIGNED_IN,
}


def routes(orders: Orders, catalog: Catalog) -> Blueprint:
    """The routes, for ``app.register_blueprint``."""
    api = Blueprint("purchases", __name__, url_prefix=API_PREFIX)

    @api.post("/purchase/<item_number:item_number>")
    def purchase(item_number: int) -> Response:
        def read() -> PlaceOrder:
            body = parse(body_bytes() or b"{}", PurchaseRequest)
            return _place(((item_number, body.quantity),), body.expected_total)

        asked = read_about(lambda: catalog.book(item_number, g.deadline), read)
        return shown(orders.place(asked, g.deadline), 201)

    @api.post("/orders")
    def place_order() -> Response:
        body = parse(body_bytes(), OrderRequest)
        lines = tuple((line.item_number, line.quantity) for line in body.lines)
        return shown(orders.place(_place(lines, body.expected_total), g.deadline), 201)

    return api


def _place(lines: tuple[tuple[int, int], ...], expected_total: Money | None) -> PlaceOrder:
    """The account is that of the sign-in, the prices are the catalog's: neither comes from the request."""
    return PlaceOrder(
        account_id=signed_in().account_id,
        idempotency_key=idempotency_key(),
        lines=tuple(Line(item_number=item_number, quantity=quantity) for item_number, quantity in lines),
        expected_total=expected_total,
    )
