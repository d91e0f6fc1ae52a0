"""Orders at the counter: the list, one order with its whole life, and what a bookseller does with it.

Every form may be sent twice: the order server does each thing once. Where a move is no longer possible, the order is
shown as it is now, with the reason.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, Literal, get_args

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from bazar.contracts import problems
from bazar.contracts.counter import CounterQuery, Move, MoveOrder, OrderLife, State
from bazar.contracts.purchasing import CancelOrder, InWords, OrderQuery, SettleOrder, StuckQuery
from bazar.contracts.text import Cursor, Sought
from bazar.contracts.wire import Invalid, Message, convert
from bazar.frontend.domain.accounts import Person
from bazar.frontend.domain.errors import CannotMove, NotStuck, TooLateToCancel
from bazar.frontend.pages.staff.door import StaffDoor
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.ports import Orders

ORDERS_ON_A_PAGE = 25
#: At least a group of an order's number; with fewer, too many begin so.
_NUMBER = re.compile("[a-z2-7]{4,32}")
_BETWEEN_GROUPS = re.compile(r"[\s-]+")

Shown = Literal["today", "to-make-ready", "ready", "collected", "cancelled", "stuck"]
_STATES: Mapping[Shown, State] = {
    "to-make-ready": "placed",
    "ready": "ready",
    "collected": "collected",
    "cancelled": "cancelled",
}
#: What a form did, as the next page is told of it.
_DONE = ("ready", "collected", "cancelled", "settled")


class Asked(Message, frozen=True):
    """Which orders to list; without ``show`` all. ``q``: how a number, an address or a word of a name begins."""

    show: Shown | None = None
    q: Sought | None = None
    cursor: Cursor | None = None


class StaffOrders:
    """``/staff/orders`` and below."""

    def __init__(
        self,
        orders: Orders,
        accounts: Accounts,
        door: StaffDoor,
        clock: Callable[[], datetime],
        time_zone: tzinfo,
    ) -> None:
        """``clock`` gives the time in UTC; ``time_zone``: at whose midnight a day ends."""
        self._clock = clock
        self._time_zone = time_zone
        self._orders = orders
        self._accounts = accounts
        self._door = door

    def mount(self, pages: Blueprint) -> None:
        """Add the routes."""
        pages.add_url_rule("/staff/orders", "staff_orders", self._list)
        pages.add_url_rule("/staff/orders/<order_id:order_id>", "staff_orders_one", self._one)
        for name, act in (
            ("ready", self._ready),
            ("collected", self._collected),
            ("cancel", self._cancel),
            ("settle", self._settle),
        ):
            rule = f"/staff/orders/<order_id:order_id>/{name}"
            pages.add_url_rule(rule, f"staff_orders_{name}", act, methods=["POST"])

    def _list(self) -> str:
        asked = convert({name: value for name, value in request.args.items() if value}, Asked)
        if asked.q and asked.q.strip():
            return self._found(asked, asked.q.strip())
        return self._stuck(asked) if asked.show == "stuck" else self._in_state(asked)

    def _found(self, asked: Asked, sought: str) -> str:
        number = _BETWEEN_GROUPS.sub("", sought).lower()
        query = CounterQuery(number=number, limit=ORDERS_ON_A_PAGE)
        numbered = self._orders.at_counter(query, g.deadline).items if _NUMBER.fullmatch(number) else ()
        # An older order server does not know the field, and lists all.
        orders = tuple(one for one in numbered if one.order.order_id.startswith(number))
        people: Sequence[Person] = self._accounts.beginning_with(sought)
        more = None
        if len(people) == 1 and not orders:
            query = CounterQuery(account_id=people[0].account_id, limit=ORDERS_ON_A_PAGE, cursor=asked.cursor)
            found = self._orders.at_counter(query, g.deadline)
            orders, more, people = found.items, found.next, ()
        names = self._names(one.account_id for one in orders)
        return _list_page(asked, show=None, orders=orders, next=more, names=names, people=people)

    def _in_state(self, asked: Asked) -> str:
        state = _STATES.get(asked.show) if asked.show else None
        query = CounterQuery(state=state, limit=ORDERS_ON_A_PAGE, cursor=asked.cursor)
        found = self._orders.at_counter(query, g.deadline)
        items, more = found.items, found.next
        if asked.show == "today":
            # The newest come first, so what follows the first older one is older too.
            today = self._day_of(self._clock())
            items = tuple(one for one in items if self._day_of(datetime.fromisoformat(one.order.placed_at)) == today)
            more = found.next if items == found.items else None
        names = self._names(one.account_id for one in items)
        return _list_page(asked, orders=items, next=more, names=names)

    def _day_of(self, at: datetime) -> date:
        return at.astimezone(self._time_zone).date()

    def _stuck(self, asked: Asked) -> str:
        found = self._orders.stuck(StuckQuery(limit=ORDERS_ON_A_PAGE, cursor=asked.cursor), g.deadline)
        return _list_page(asked, stuck=found.items, next=found.next)

    def _one(self, order_id: str) -> str:
        done = next((word for word in _DONE if word == request.args.get("done")), None)
        return self._page(order_id, done=done)

    def _ready(self, order_id: str) -> Response:
        return self._move(order_id, "ready")

    def _collected(self, order_id: str) -> Response:
        return self._move(order_id, "collected")

    def _move(self, order_id: str, to: Move) -> Response:
        told = MoveOrder(actor=self._door.bookseller().account_id, to=to)
        return self._do(order_id, to, lambda: self._orders.move(order_id, told, g.deadline))

    def _cancel(self, order_id: str) -> Response:
        actor = self._door.bookseller().account_id

        def cancel() -> None:
            reason = _reason()
            if not reason and self._life(order_id).stuck is not None:
                raise ReasonMissing
            self._orders.cancel(order_id, CancelOrder(actor=actor, reason=reason), g.deadline)

        return self._do(order_id, "cancelled", cancel)

    def _settle(self, order_id: str) -> Response:
        actor = self._door.bookseller().account_id

        def settle() -> None:
            reason = _reason()
            if not reason:
                raise ReasonMissing
            self._orders.settle(order_id, SettleOrder(actor=actor, reason=reason), g.deadline)

        return self._do(order_id, "settled", settle)

    def _do(self, order_id: str, done: str, act: Callable[[], object]) -> Response:
        """Do it and show the order, or the list that the form stood in; else say on the order's page why not."""
        try:
            act()
        except (TooLateToCancel, CannotMove, NotStuck) as refusal:
            return make_response(self._page(order_id, refused=REFUSED[type(refusal)]), problems.TOO_LATE.status)
        except (Invalid, ReasonMissing) as mistake:
            return make_response(self._page(order_id, refused=REFUSED[type(mistake)]), problems.INVALID.status)
        back = request.form.get("back", "")
        if back in get_args(Shown):
            return make_response(redirect(url_for("pages.staff_orders", show=back, done=done), 303))
        return make_response(redirect(url_for("pages.staff_orders_one", order_id=order_id, done=done), 303))

    def _page(self, order_id: str, done: str | None = None, refused: str = "") -> str:
        life = self._life(order_id)
        names = self._names([life.account_id, *(one.who for one in life.happenings if one.who)])
        return render_template(
            "staff_order.html",
            life=life,
            order=life.order,
            names=names,
            done=done,
            refused=refused,
            reason=request.form.get("reason", ""),
        )

    def _life(self, order_id: str) -> OrderLife:
        return self._orders.life(order_id, OrderQuery(), g.deadline)

    def _names(self, account_ids: Iterable[str]) -> Mapping[str, str]:
        return self._accounts.customers(set(account_ids))


class ReasonMissing(Exception):
    """Ending what is stuck needs a reason."""


#: By what word the order's page knows why nothing was done.
REFUSED: Mapping[type[Exception], str] = {
    TooLateToCancel: "too-late",
    CannotMove: "cannot-move",
    NotStuck: "not-stuck",
    Invalid: "bad-reason",
    ReasonMissing: "no-reason",
}


def _reason() -> str:
    return convert({"reason": request.form.get("reason", "")}, InWords).reason.strip()


def _list_page(asked: Asked, **found: Any) -> str:
    done = next((word for word in _DONE if word == request.args.get("done")), None)
    values = {"show": asked.show, "q": asked.q or "", "cursor": asked.cursor, "done": done, "people": (), **found}
    return render_template("staff_orders.html", **values)
