"""The order server's REST interface: each call of the table, and the use case that answers it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from flask import Flask, g
from msgspec.structs import asdict

from bazar.chassis.clock import Deadline
from bazar.chassis.converters import Base32Id
from bazar.chassis.lanes import SLOTS, Lanes
from bazar.chassis.service_api import ServiceApi, Verifier
from bazar.chassis.web import RETRY_AFTER_SECONDS, ProblemTable, Readiness, new_app, problem_of
from bazar.contracts import calls, problems, text
from bazar.contracts.problems import Problem, invalid
from bazar.contracts.purchasing import (
    CancelOrder,
    Order,
    PlacedOrder,
    PlacedOrders,
    PlaceOrder,
    PlaceOrders,
    SettledOrder,
    SettleOrder,
)
from bazar.contracts.times import rfc3339
from bazar.order.domain.decisions import Decision, ShortLine
from bazar.order.domain.errors import (
    AlreadyCancelled,
    AlreadyCollected,
    BadCursor,
    CatalogAway,
    GivenUp,
    KeyReused,
    NotStuck,
    OutOfStock,
    PriceChanged,
    TooLateToCancel,
    UnknownBooks,
    UnknownOrder,
    WrongCurrency,
)
from bazar.order.use_cases.best_sellers import FindBestSellers
from bazar.order.use_cases.cancel_order import CancelOrders
from bazar.order.use_cases.end_stuck_orders import EndStuckOrders
from bazar.order.use_cases.follow_orders import FollowOrders
from bazar.order.use_cases.hand_out_orders import HandOutOrders
from bazar.order.use_cases.look_up_orders import LookUpOrders, as_order


def _out_of_stock(error: OutOfStock) -> Problem:
    problem = problems.OUT_OF_STOCK.because(_shortages_in_words(error.shortages), lines=_as_data(error.shortages))
    return replace(problem, position=error.position)


def _price_changed(error: PriceChanged) -> Problem:
    total = {"amount": error.total_minor, "currency": error.currency}
    detail = f"The total was {error.total_minor} (minor units of {error.currency}), not what was expected."
    return replace(problems.PRICE_CHANGED.because(detail, total=total), position=error.position)


def _given_up(error: GivenUp) -> Problem:
    problem = problems.ORDER_CANCELLED.because("The purchase was interrupted and given up.")
    return replace(problem, position=error.position)


def _unknown_books(error: UnknownBooks) -> Problem:
    numbers = ", ".join(map(str, error.item_numbers))
    return problems.NOT_FOUND.because(f"There is no book {numbers}.", items=list(error.item_numbers))


def _catalog_away(error: CatalogAway) -> Problem:
    return problems.UNAVAILABLE.because(f"The catalog does not answer: {error.detail}", RETRY_AFTER_SECONDS)


PROBLEMS: ProblemTable = {
    OutOfStock: _out_of_stock,
    PriceChanged: _price_changed,
    GivenUp: _given_up,
    KeyReused: lambda _: problems.KEY_REUSED.because("The key was used for a purchase of something else."),
    UnknownBooks: _unknown_books,
    UnknownOrder: lambda error: problems.NOT_FOUND.because(f"There is no order {error.order_id}."),
    BadCursor: lambda _: invalid("cursor", text.WORDS[text.CURSOR]),
    WrongCurrency: lambda error: invalid(
        "expected_total.currency", f"{error.currency} is not what this shop sells in; allowed: {error.of_the_shop}"
    ),
    TooLateToCancel: lambda error: problems.TOO_LATE.because(f"The time to cancel ended at {rfc3339(error.ended_at)}."),
    AlreadyCollected: lambda error: problems.TOO_LATE.because(
        f"The order was collected at {rfc3339(error.collected_at)}."
    ),
    AlreadyCancelled: lambda error: problems.CANNOT_MOVE.because(f"Order {error.order_id} is cancelled."),
    NotStuck: lambda error: problems.NOT_STUCK.because(f"Order {error.order_id} is not stuck."),
    CatalogAway: _catalog_away,
}


#: Has purchases placed together; of each the confirmed order, or what it ended in.
PlaceAll = Callable[[Sequence[PlaceOrder], Deadline], Sequence[Decision | Exception]]


def order_app(
    *,
    place_orders: PlaceAll,
    cancel_orders: CancelOrders,
    end_stuck_orders: EndStuckOrders,
    look_up_orders: LookUpOrders,
    hand_out_orders: HandOutOrders,
    follow_orders: FollowOrders,
    find_best_sellers: FindBestSellers,
    verifier: Verifier,
    readiness: Callable[[], Readiness],
    slots: int = SLOTS,
) -> Flask:
    """The application of the order server. ``slots``: requests of one kind at work at a time."""
    lanes = Lanes({"purchases": slots, "orders": slots}, _lane_of)
    app = new_app(__name__, PROBLEMS, readiness, {"order_id": Base32Id}, lanes=lanes, is_internal=True)
    api = ServiceApi(app, verifier)

    def place_all(batch: PlaceOrders) -> PlacedOrders:
        return PlacedOrders(answers=tuple(map(_placed, place_orders(batch.orders, g.deadline))))

    def cancel_order(request: CancelOrder, order_id: str) -> Order:
        # For staff (no account) it also ends what is stuck.
        ended = end_stuck_orders.cancel(order_id, request) if request.account_id is None else None
        return as_order(ended or cancel_orders.cancel_order(order_id, request), is_cancelled=True)

    def settle_order(request: SettleOrder, order_id: str) -> SettledOrder:
        settled = end_stuck_orders.settle(order_id, request)
        order = as_order(settled.decision, is_cancelled=settled.is_cancelled)
        return SettledOrder(**asdict(order), note=settled.note)

    api.serve(calls.PLACE_ORDERS, place_all)
    api.serve(calls.CANCEL_ORDER, cancel_order)
    api.serve(calls.SETTLE_ORDER, settle_order)
    api.serve(calls.MOVE_ORDER, lambda request, order_id: hand_out_orders.move_order(order_id, request))
    api.serve(calls.ORDERS_AT_COUNTER, follow_orders.orders)
    api.serve(calls.OPEN_ORDERS, follow_orders.open_orders)
    api.serve(calls.ORDER_LIFE, lambda query, order_id: follow_orders.life(order_id, query))
    api.serve(calls.ORDER_JOURNAL, follow_orders.journal)
    api.serve(calls.FIGURES, follow_orders.figures)
    api.serve(calls.BEST_SELLERS, find_best_sellers.best_sellers)
    api.serve(calls.LIST_ORDERS, look_up_orders.orders)
    api.serve(calls.LIST_STUCK, look_up_orders.stuck_orders)
    api.serve(calls.GET_ORDER, lambda query, order_id: look_up_orders.order(order_id, query))
    return app


def _placed(told: Decision | Exception) -> PlacedOrder:
    if isinstance(told, Decision):
        return PlacedOrder(order=as_order(told), position=told.position)
    problem = problem_of(told, PROBLEMS)
    return PlacedOrder(problem=problem.document(), position=problem.position)


def _lane_of(method: str, path: str) -> str:
    """Purchases wait for the catalog; who looks up or cancels an order does not."""
    return "purchases" if (method, path) == (calls.PLACE_ORDERS.method, calls.PLACE_ORDERS.path) else "orders"


def _as_data(shortages: Sequence[ShortLine]) -> list[dict[str, Any]]:
    return [
        {"item_number": short.item_number, "requested": short.requested, "available": short.available}
        for short in shortages
    ]


def _shortages_in_words(shortages: Sequence[ShortLine]) -> str:
    return " ".join(
        f"Of book {short.item_number} there are {short.available}, not {short.requested}." for short in shortages
    )
