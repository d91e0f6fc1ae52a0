"""The order server as the front-end calls it."""

from collections.abc import Sequence
from dataclasses import replace

from bazar.chassis import clock
from bazar.chassis.client import ServiceClient
from bazar.chassis.gather import Gather, TimeRanOut
from bazar.contracts import calls, counter, problems, purchasing
from bazar.contracts.names import ORDER
from bazar.contracts.problems import Problem, problem_of
from bazar.contracts.wire import Malformed
from bazar.frontend.domain.errors import (
    CannotMove,
    NeighbourAway,
    NotBought,
    NotStuck,
    ShopError,
    TooLateToCancel,
    UnknownBook,
    UnknownOrder,
)
from bazar.frontend.gateways.neighbours import Neighbour, Refusals
from bazar.frontend.use_cases.ports import Deadline, Seen


def _out_of_stock(problem: Problem) -> ShopError:
    return NotBought("out-of-stock", problem.detail, lines=tuple(problem.members["lines"]), position=problem.position)


def _price_changed(problem: Problem) -> ShopError:
    return NotBought("price-changed", problem.detail, total=problem.members["total"], position=problem.position)


def _given_up(problem: Problem) -> ShopError:
    return NotBought("order-cancelled", problem.detail, position=problem.position)


def _not_found(problem: Problem) -> ShopError:
    items = problem.members.get("items")
    return UnknownBook(tuple(items)) if items else UnknownOrder()


_REFUSALS: Refusals = {
    problems.OUT_OF_STOCK: _out_of_stock,
    problems.PRICE_CHANGED: _price_changed,
    problems.ORDER_CANCELLED: _given_up,
    problems.NOT_FOUND: _not_found,
    problems.TOO_LATE: lambda problem: TooLateToCancel(problem.detail),
    problems.CANNOT_MOVE: lambda problem: CannotMove(problem.detail),
    problems.NOT_STUCK: lambda problem: NotStuck(problem.detail),
}


class OrderService:
    """Implements the port Orders. Purchases that are made at the same time travel together."""

    def __init__(self, client: ServiceClient) -> None:
        self._neighbour = Neighbour(client, _REFUSALS)
        self._gather = Gather("purchases", self._place_all)

    def start(self) -> None:
        """Let purchases travel."""
        self._gather.start()

    def stop(self) -> None:
        """No purchase comes any more."""
        self._gather.stop()

    def place(self, request: purchasing.PlaceOrder, deadline: Deadline) -> Seen[purchasing.Order]:
        try:
            return self._gather.ask(request, clock.Deadline.after(deadline.remaining_seconds()))
        except TimeRanOut as error:
            raise NeighbourAway(ORDER, "no answer in time") from error

    def cancel(self, order_id: str, request: purchasing.CancelOrder, deadline: Deadline) -> purchasing.Order:
        return self._neighbour.call(calls.CANCEL_ORDER, request, deadline, order_id=order_id).answer

    def settle(self, order_id: str, request: purchasing.SettleOrder, deadline: Deadline) -> purchasing.SettledOrder:
        return self._neighbour.call(calls.SETTLE_ORDER, request, deadline, order_id=order_id).answer

    def stuck(self, query: purchasing.StuckQuery, deadline: Deadline) -> purchasing.StuckOrders:
        return self._neighbour.call(calls.LIST_STUCK, query, deadline).answer

    def list(self, query: purchasing.OrdersQuery, deadline: Deadline) -> purchasing.Orders:
        return self._neighbour.call(calls.LIST_ORDERS, query, deadline).answer

    def best_sellers(self, query: purchasing.BestSellersQuery, deadline: Deadline) -> purchasing.BestSellers:
        return self._neighbour.call(calls.BEST_SELLERS, query, deadline).answer

    def get(self, order_id: str, query: purchasing.OrderQuery, deadline: Deadline) -> purchasing.Order:
        return self._neighbour.call(calls.GET_ORDER, query, deadline, order_id=order_id).answer

    def at_counter(self, query: counter.CounterQuery, deadline: Deadline) -> counter.CounterOrders:
        return self._neighbour.call(calls.ORDERS_AT_COUNTER, query, deadline).answer

    def open_orders(self, query: counter.OpenOrdersQuery, deadline: Deadline) -> counter.CounterOrders:
        return self._neighbour.call(calls.OPEN_ORDERS, query, deadline).answer

    def life(self, order_id: str, query: purchasing.OrderQuery, deadline: Deadline) -> counter.OrderLife:
        return self._neighbour.call(calls.ORDER_LIFE, query, deadline, order_id=order_id).answer

    def move(self, order_id: str, request: counter.MoveOrder, deadline: Deadline) -> counter.CounterOrder:
        return self._neighbour.call(calls.MOVE_ORDER, request, deadline, order_id=order_id).answer

    def journal(self, query: counter.OrderJournalQuery, deadline: Deadline) -> counter.OrderJournal:
        return self._neighbour.call(calls.ORDER_JOURNAL, query, deadline).answer

    def figures(self, query: counter.FiguresQuery, deadline: Deadline) -> counter.Figures:
        return self._neighbour.call(calls.FIGURES, query, deadline).answer

    def _place_all(
        self, requests: Sequence[purchasing.PlaceOrder], deadline: Deadline
    ) -> Sequence[Seen[purchasing.Order] | Exception]:
        batch = purchasing.PlaceOrders(orders=tuple(requests))
        try:
            answers = self._neighbour.call(calls.PLACE_ORDERS, batch, deadline).answer.answers
        except NeighbourAway as error:
            return [NeighbourAway(error.service, error.detail) for _ in requests]
        if len(answers) != len(requests):
            return [NeighbourAway(ORDER, f"answered {len(answers)} of {len(requests)} purchases") for _ in requests]
        return [self._told(answer) for answer in answers]

    def _told(self, answer: purchasing.PlacedOrder) -> Seen[purchasing.Order] | Exception:
        if answer.order is not None:
            return Seen(answer.order, answer.position)
        try:
            problem = problem_of(answer.problem or {})
        except Malformed as error:
            return NeighbourAway(ORDER, error.detail)
        return self._neighbour.refusal(calls.PLACE_ORDERS, replace(problem, position=answer.position))
