"""What the reader has bought, and cancelling it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from bazar.contracts import problems
from bazar.contracts.counter import CounterQuery, OrderLife
from bazar.contracts.purchasing import CancelOrder, OrderQuery
from bazar.contracts.wire import convert
from bazar.frontend.domain.errors import TooLateToCancel
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.ports import Orders

ORDERS_ON_A_PAGE = 20


@dataclass(frozen=True)
class CustomersTime:
    """How long a customer may cancel. Only what a page offers: the order server decides by its own clock."""

    length: timedelta
    clock: Callable[[], datetime]

    def ends(self, life: OrderLife) -> datetime | None:
        """Until when; None where it is over, or the order is cancelled or collected."""
        ends = datetime.fromisoformat(life.order.placed_at) + self.length
        return ends if life.state in {"placed", "ready"} and self.clock() < ends else None


def add_order_pages(pages: Blueprint, orders: Orders, sessions: PageSessions, customers_time: CustomersTime) -> None:
    """``/orders`` and ``/orders/<order_id>``, each person's own, staff's too."""

    @pages.get("/orders", endpoint="orders")
    def list_orders() -> str:
        account_id = sessions.signed_in().account_id
        place = {"cursor": request.args["cursor"]} if request.args.get("cursor") else {}
        query = convert({"account_id": account_id, "limit": ORDERS_ON_A_PAGE, **place}, CounterQuery)
        return render_template("orders.html", orders=orders.at_counter(query, g.deadline))

    @pages.get("/orders/<order_id:order_id>")
    def order(order_id: str) -> str:
        said = next((word for word in ("bought", "cancelled") if word in request.args), None)
        return show(order_id, said)

    @pages.post("/orders/<order_id:order_id>/cancel")
    def cancel(order_id: str) -> Response:
        account_id = sessions.signed_in().account_id
        try:
            orders.cancel(order_id, CancelOrder(actor=account_id, account_id=account_id), g.deadline)
        except TooLateToCancel:
            return make_response(show(order_id, "too-late"), problems.TOO_LATE.status)
        return make_response(redirect(url_for("pages.order", order_id=order_id, cancelled=1), 303))

    def show(order_id: str, said: str | None) -> str:
        life = orders.life(order_id, OrderQuery(account_id=sessions.signed_in().account_id), g.deadline)
        return render_template(
            "order.html",
            order=life.order,
            state=life.state,
            since=next((one.at for one in life.happenings if one.what == life.state), life.order.placed_at),
            said=said,
            cancel_until=customers_time.ends(life),
        )
