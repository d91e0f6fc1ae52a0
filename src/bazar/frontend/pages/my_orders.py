"""What the reader has bought."""

from flask import Blueprint, g, render_template, request

from bazar.contracts.purchasing import OrderQuery, OrdersQuery
from bazar.contracts.wire import convert
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.ports import Orders

ORDERS_ON_A_PAGE = 20


def add_order_pages(pages: Blueprint, orders: Orders, sessions: PageSessions) -> None:
    """``/orders`` and ``/orders/<order_id>``, each person's own, staff's too."""

    @pages.get("/orders", endpoint="orders")
    def list_orders() -> str:
        account_id = sessions.signed_in().account_id
        place = {"cursor": request.args["cursor"]} if request.args.get("cursor") else {}
        query = convert({"account_id": account_id, "limit": ORDERS_ON_A_PAGE, **place}, OrdersQuery)
        return render_template("orders.html", orders=orders.list(query, g.deadline))

    @pages.get("/orders/<order_id:order_id>")
    def order(order_id: str) -> str:
        query = OrderQuery(account_id=sessions.signed_in().account_id)
        found = orders.get(order_id, query, g.deadline)
        return render_template("order.html", order=found, bought="bought" in request.args)
