"""The front-end's part: what a customer's or a bookseller's request becomes, by the real gateways, and back.

Signing in is left out: a request says whose it is. So are the pages, and the search.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bazar.chassis import headers
from bazar.chassis.admission import REQUEST_LIFETIME_SECONDS
from bazar.chassis.clock import Deadline
from bazar.chassis.web import _COMMON_PROBLEMS
from bazar.contracts import books
from bazar.contracts.names import CATALOG, ORDER
from bazar.contracts.purchasing import CancelOrder, Line, OrderQuery, OrderRequest, OrdersQuery, PlaceOrder
from bazar.contracts.wire import dump, parse
from bazar.frontend.api.problems import PROBLEMS
from bazar.frontend.gateways.catalog_service import CatalogService
from bazar.frontend.gateways.order_service import OrderService
from bazar.frontend.use_cases.ports import Seen
from simulation.cached_info import CachedInfo
from simulation.network import Network, Request, Response
from simulation.outside import Client, refusal
from simulation.world import World

ACCOUNT = "Account"
KEY = "Idempotency-Key"
#: The account of everybody who is staff.
STAFF = "staff"
#: Looks, without saying what they have seen before.
PASSER_BY = "passer-by"

_TABLE = {**_COMMON_PROBLEMS, **PROBLEMS}


@dataclass(frozen=True)
class _Asked:
    """A request as a route sees it."""

    account: str
    key: str | None
    name: str
    body: bytes
    deadline: Deadline

    @property
    def owner(self) -> str | None:
        return None if self.account == STAFF else self.account


class FrontEnd:
    """One run of the front-end server."""

    def __init__(self, world: World, network: Network, *, has_cache: bool) -> None:
        self._world = world
        self._orders = OrderService(Client(network, ORDER))
        self._orders.start()
        self._catalog = CatalogService(Client(network, CATALOG))
        self.cached_info = CachedInfo(world, self._catalog) if has_cache else None
        if self.cached_info:
            self.cached_info.start()
        self._routes: dict[tuple[str, str], Callable[[_Asked], tuple[int, object, str | None]]] = {
            ("POST", "orders"): self._purchase,
            ("GET", "orders"): self._list,
            ("GET", "order"): self._order,
            ("POST", "cancel"): self._cancel,
            ("GET", "info"): self._info,
            ("PATCH", "books"): self._change,
            ("DELETE", "books"): self._withdraw,
        }

    def serve(self, request: Request) -> Response:
        """The response, that to an error too."""
        route, _, name = request.target.partition("/")
        if route == "info" and self.cached_info:
            return self.cached_info.serve(int(name), request)
        asked = _Asked(
            request.headers[ACCOUNT],
            request.headers.get(KEY),
            name,
            request.body,
            Deadline.after(REQUEST_LIFETIME_SECONDS, self._world.monotonic),
        )
        try:
            status, answer, position = self._routes[request.method, route](asked)
        except Exception as error:  # noqa: BLE001 - as at the edge of the real process
            return refusal(self._world, _TABLE, error)
        return Response(status, dump(answer), {} if position is None else {headers.POSITION: position})

    def _purchase(self, asked: _Asked) -> tuple[int, object, str | None]:
        body = parse(asked.body, OrderRequest)
        request = PlaceOrder(
            account_id=asked.account,
            idempotency_key=asked.key or "",
            lines=tuple(Line(item_number=line.item_number, quantity=line.quantity) for line in body.lines),
            expected_total=body.expected_total,
        )
        return _shown(self._orders.place(request, asked.deadline), 201)

    def _list(self, asked: _Asked) -> tuple[int, object, str | None]:
        return 200, self._orders.list(OrdersQuery(account_id=asked.owner, limit=100), asked.deadline), None

    def _order(self, asked: _Asked) -> tuple[int, object, str | None]:
        return 200, self._orders.get(asked.name, OrderQuery(account_id=asked.owner), asked.deadline), None

    def _cancel(self, asked: _Asked) -> tuple[int, object, str | None]:
        request = CancelOrder(actor=asked.account, account_id=asked.owner)
        return 200, self._orders.cancel(asked.name, request, asked.deadline), None

    def _info(self, asked: _Asked) -> tuple[int, object, str | None]:
        return _shown(self._catalog.book(int(asked.name), asked.deadline))

    def _change(self, asked: _Asked) -> tuple[int, object, str | None]:
        change = parse(asked.body, books.BookChange)
        request = books.ChangeBook(actor=asked.account, change=change, idempotency_key=asked.key)
        return _shown(self._catalog.change_book(int(asked.name), request, asked.deadline))

    def _withdraw(self, asked: _Asked) -> tuple[int, object, str | None]:
        request = books.WithdrawBook(actor=asked.account)
        return _shown(self._catalog.withdraw_book(int(asked.name), request, asked.deadline), 204)


def _shown(seen: Seen[Any], status: int = 200) -> tuple[int, object, str | None]:
    return status, seen.answer, seen.position
