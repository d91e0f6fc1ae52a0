"""The calls of the REST API as data: what each takes and what it can answer. ``openapi`` makes the document of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any

from bazar.contracts import accounts, books, problems, purchasing
from bazar.contracts.problems import ProblemType
from bazar.contracts.wire import Message
from bazar.frontend.api.orders import OrdersPage

READING, BUYING, PEOPLE, STAFF, RUNNING = "Find books", "Buy", "Accounts", "For booksellers", "Running the shop"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One call. ``endpoint`` is the name under which it is routed and has its rule of access.

    ``query`` are the fields of the query string, those apart that stand in the path. ``problems`` are those that
    do not follow from the rest. ``headers`` and ``answer_headers``, of the answer that succeeds, are names of
    header_fields. ``answer`` is a message or one of several, a media type, or None where there is no body; ``others``
    are more answers that are no problems, by status.
    """

    method: str
    path: str
    endpoint: str
    tag: str
    summary: str
    answer: type[Message] | UnionType | str | None
    status: int = 200
    query: type[Any] | None = None
    body: type[Any] | None = None
    needs_body: bool = True
    headers: tuple[str, ...] = ()
    answer_headers: tuple[str, ...] = ()
    problems: tuple[ProblemType, ...] = ()
    others: Mapping[int, type[Message] | None] = field(default_factory=dict)
    #: Whether a database or a neighbour has to answer.
    can_be_away: bool = True


class FieldError(Message, frozen=True):
    """A field that does not fit, and what is allowed there."""

    field: str
    detail: str


class Alive(Message, frozen=True):
    """The process lives; ``time`` is its clock (RFC 3339 UTC)."""

    status: str
    time: str


class Parts(Message, frozen=True):
    """The state of each part: ok, or what is wrong."""

    parts: dict[str, str]


#: What a problem says beyond type, title, status and detail.
MEMBERS: Mapping[ProblemType, Mapping[str, type[Any]]] = {
    problems.INVALID: {"errors": tuple[FieldError, ...]},
    problems.OUT_OF_STOCK: {"lines": tuple[purchasing.Shortage, ...]},
    problems.PRICE_CHANGED: {"total": books.Money},
}

_FINAL = (problems.OUT_OF_STOCK, problems.PRICE_CHANGED, problems.ORDER_CANCELLED)

OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/search/{subject}",
        endpoint="books.by_subject",
        tag=READING,
        summary="Books of one subject, which matches whole and without case; of an unknown one the empty list",
        query=books.SubjectQuery,
        headers=("Position",),
        answer=books.BookPage,
        answer_headers=("Bazar-Position",),
    ),
    Operation(
        method="GET",
        path="/api/v1/search",
        endpoint="books.search",
        tag=READING,
        summary="Books by words and filters, typing mistakes forgiven, with facets over all hits; "
        f"of more than {books.MOST_HITS_COUNTED:,} hits those of {' and '.join(books.ESTIMATED_FACETS)} are estimated",
        query=books.WordsQuery,
        headers=("Position",),
        answer=books.SearchPage,
        answer_headers=("Bazar-Position",),
    ),
    Operation(
        method="GET",
        path="/api/v1/info/{item_number}",
        endpoint="books.info",
        tag=READING,
        summary="All about one book, with the copies that can be bought now",
        headers=("Position", "IfNoneMatch"),
        answer=books.Book,
        answer_headers=("ETag", "Bazar-Position"),
        problems=(problems.PRECONDITION_FAILED,),
        others={304: None},
    ),
    Operation(
        method="POST",
        path="/api/v1/purchase/{item_number}",
        endpoint="purchases.purchase",
        tag=BUYING,
        summary="Buy copies of one book; no body buys one. 201 and 409 are final for the Idempotency-Key",
        headers=("IdempotencyKey",),
        body=purchasing.PurchaseRequest,
        needs_body=False,
        status=201,
        answer=purchasing.Order,
        answer_headers=("Bazar-Position",),
        problems=_FINAL,
    ),
    Operation(
        method="POST",
        path="/api/v1/orders",
        endpoint="purchases.place_order",
        tag=BUYING,
        summary="Buy several books, all or nothing. 201 and 409 are final for the Idempotency-Key",
        headers=("IdempotencyKey",),
        body=purchasing.OrderRequest,
        status=201,
        answer=purchasing.Order,
        answer_headers=("Bazar-Position",),
        problems=(problems.NOT_FOUND, *_FINAL),
    ),
    Operation(
        method="GET",
        path="/api/v1/orders",
        endpoint="orders.orders",
        tag=BUYING,
        summary="Your orders, newest first; staff see all, and with status=stuck those that need a hand",
        query=OrdersPage,
        answer=purchasing.Orders | purchasing.StuckOrders,
        problems=(problems.FORBIDDEN,),
    ),
    Operation(
        method="GET",
        path="/api/v1/orders/{order_id}",
        endpoint="orders.order",
        tag=BUYING,
        summary="One of your orders; staff see any",
        answer=purchasing.Order,
    ),
    Operation(
        method="POST",
        path="/api/v1/orders/{order_id}/cancel",
        endpoint="orders.cancel",
        tag=BUYING,
        summary="Cancel an order: yours within the shop's time, as staff any; the same answer when repeated. "
        "What was stuck ends by it",
        body=purchasing.InWords,
        needs_body=False,
        answer=purchasing.Order,
        problems=(problems.TOO_LATE,),
    ),
    Operation(
        method="POST",
        path="/api/v1/accounts",
        endpoint="accounts.register",
        tag=PEOPLE,
        summary="Register; the same answer for an address that has an account, which stays as it is",
        body=accounts.Registration,
        status=201,
        answer=accounts.Registered,
        problems=(problems.WEAK_PASSWORD, problems.TOO_MANY_REQUESTS),
    ),
    Operation(
        method="GET",
        path="/api/v1/accounts/me",
        endpoint="accounts.me",
        tag=PEOPLE,
        summary="Who is signed in",
        answer=accounts.Me,
    ),
    Operation(
        method="POST",
        path="/api/v1/tokens",
        endpoint="accounts.sign_in",
        tag=PEOPLE,
        summary="Sign in: a token for `Authorization: Bearer`",
        body=accounts.Credentials,
        status=201,
        answer=accounts.Token,
        problems=(problems.UNAUTHENTICATED, problems.CODE_NEEDED, problems.TOO_MANY_REQUESTS),
    ),
    Operation(
        method="DELETE",
        path="/api/v1/tokens/current",
        endpoint="accounts.sign_out",
        tag=PEOPLE,
        summary="Sign out: the token ends",
        status=204,
        answer=None,
    ),
    Operation(
        method="POST",
        path="/api/v1/books",
        endpoint="books.add",
        tag=STAFF,
        summary="Add a book",
        body=books.NewBook,
        status=201,
        answer=books.Book,
        answer_headers=("Location", "ETag", "Bazar-Position"),
    ),
    Operation(
        method="PATCH",
        path="/api/v1/books/{item_number}",
        endpoint="books.change",
        tag=STAFF,
        summary="Change price, stock or details; what is left out stays. With an Idempotency-Key once",
        headers=("IfMatch", "OptionalIdempotencyKey"),
        body=books.BookChange,
        answer=books.Book,
        answer_headers=("ETag", "Bazar-Position"),
        problems=(problems.STOCK_BELOW_ZERO, problems.PRECONDITION_FAILED),
    ),
    Operation(
        method="DELETE",
        path="/api/v1/books/{item_number}",
        endpoint="books.withdraw",
        tag=STAFF,
        summary="Take a book out of the shop: no longer sold or found; old orders keep it",
        status=204,
        answer=None,
        answer_headers=("Bazar-Position",),
    ),
    Operation(
        method="GET",
        path="/api/v1/books/{item_number}/history",
        endpoint="books.history",
        tag=STAFF,
        summary="Price changes and stock movements of a book, newest first: who, when, why",
        query=books.HistoryQuery,
        answer=books.History,
        answer_headers=("Bazar-Position",),
    ),
    Operation(
        method="POST",
        path="/api/v1/orders/{order_id}/settle",
        endpoint="orders.settle",
        tag=STAFF,
        summary="A stuck order stands: its goods are handed out. `note` says what is left to do by hand",
        body=purchasing.InWords,
        needs_body=False,
        answer=purchasing.SettledOrder,
        problems=(problems.NOT_STUCK,),
    ),
    Operation(
        method="GET",
        path="/api/v1/openapi.json",
        endpoint="openapi.document",
        tag=RUNNING,
        summary="This document",
        answer="application/json",
        can_be_away=False,
    ),
    Operation(
        method="GET",
        path="/api/v1/docs",
        endpoint="openapi.docs",
        tag=RUNNING,
        summary="This document as a page",
        answer="text/html",
        can_be_away=False,
    ),
    Operation(
        method="GET",
        path="/healthz",
        endpoint="healthz",
        tag=RUNNING,
        summary="Whether the process lives",
        answer=Alive,
        can_be_away=False,
    ),
    Operation(
        method="GET",
        path="/readyz",
        endpoint="readyz",
        tag=RUNNING,
        summary="Whether reads work (200, else 503), and the state of each part",
        answer=Parts,
        others={503: Parts},
        can_be_away=False,
    ),
    Operation(
        method="GET",
        path="/metrics",
        endpoint="metrics_page",
        tag=RUNNING,
        summary="Figures for Prometheus",
        answer="text/plain",
        can_be_away=False,
    ),
)
