"""What the reader has bought, and cancelling it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from bazar.chassis.clock import Deadline
from bazar.contracts import problems
from bazar.contracts.books import BookSummary, NumbersQuery
from bazar.contracts.counter import CounterQuery, OrderLife
from bazar.contracts.purchasing import MOST_LINES, CancelOrder, OrderQuery
from bazar.contracts.wire import convert
from bazar.frontend.domain.basket import BasketLine
from bazar.frontend.domain.errors import NeighbourAway, TooLateToCancel
from bazar.frontend.pages import positions
from bazar.frontend.pages.basket import BasketPages
from bazar.frontend.pages.optional import optional_deadline
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.ports import Catalog, Orders

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


class MyOrders:
    """``/orders`` and ``/orders/<order_id>``, each person's own, staff's too."""

    def __init__(
        self,
        orders: Orders,
        catalog: Catalog,
        basket: BasketPages,
        sessions: PageSessions,
        customers_time: CustomersTime,
    ) -> None:
        self._orders = orders
        self._catalog = catalog
        self._basket = basket
        self._sessions = sessions
        self._customers_time = customers_time

    def mount(self, pages: Blueprint) -> None:
        """Add the routes."""
        one = "/orders/<order_id:order_id>"
        pages.get("/orders", endpoint="orders")(self._list)
        pages.get(one, endpoint="order")(self._one)
        pages.post(f"{one}/cancel", endpoint="cancel")(self._cancel)
        pages.post(f"{one}/again", endpoint="order_again")(self._again)

    def _list(self) -> str:
        account_id = self._sessions.signed_in().account_id
        place = {"cursor": request.args["cursor"]} if request.args.get("cursor") else {}
        query = convert({"account_id": account_id, "limit": ORDERS_ON_A_PAGE, **place}, CounterQuery)
        return render_template("orders.html", orders=self._orders.at_counter(query, g.deadline))

    def _one(self, order_id: str) -> str:
        said = next((word for word in ("bought", "cancelled") if word in request.args), None)
        return self._show(order_id, said)

    def _cancel(self, order_id: str) -> Response:
        account_id = self._sessions.signed_in().account_id
        try:
            self._orders.cancel(order_id, CancelOrder(actor=account_id, account_id=account_id), g.deadline)
        except TooLateToCancel:
            return make_response(self._show(order_id, "too-late"), problems.TOO_LATE.status)
        return make_response(redirect(url_for("pages.order", order_id=order_id, cancelled=1), 303))

    def _again(self, order_id: str) -> Response:
        """Put what is still sold of it into the basket."""
        life = self._life(order_id)
        sold = {book.item_number: book for book in self._still_sold(life, g.deadline)}
        lines = [
            BasketLine(line.item_number, line.quantity, book.title, book.price)
            for line in life.order.lines
            if (book := sold.get(line.item_number)) is not None
        ]
        return self._basket.put_at_least(self._sessions.signed_in(), lines)

    def _show(self, order_id: str, said: str | None) -> str:
        life = self._life(order_id)
        return render_template(
            "order.html",
            order=life.order,
            state=life.state,
            since=next((one.at for one in life.happenings if one.what == life.state), life.order.placed_at),
            said=said,
            cancel_until=self._customers_time.ends(life),
            sold=self._numbers_still_sold(life),
        )

    def _life(self, order_id: str) -> OrderLife:
        return self._orders.life(order_id, OrderQuery(account_id=self._sessions.signed_in().account_id), g.deadline)

    def _still_sold(self, life: OrderLife, deadline: Deadline) -> tuple[BookSummary, ...]:
        """Raises NeighbourAway."""
        numbers = tuple(line.item_number for line in life.order.lines)
        seen = self._catalog.books_by_number(NumbersQuery(item_numbers=numbers, limit=MOST_LINES), deadline)
        positions.note(seen.position)
        return seen.answer.items

    def _numbers_still_sold(self, life: OrderLife) -> set[int]:
        """All of them where nobody can tell soon: a link too many does less harm than one too few."""
        soon = optional_deadline()
        try:
            return {book.item_number for book in self._still_sold(life, soon)}
        except NeighbourAway:
            return {line.item_number for line in life.order.lines}
