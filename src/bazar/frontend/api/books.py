"""Search, info, and what booksellers do to the books."""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec
from flask import Blueprint, Response, g, request
from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge

from bazar.chassis import headers
from bazar.chassis.freshness import LONGEST_LAG_SECONDS, made_of
from bazar.chassis.web import WrongMediaType, body_bytes, json_response
from bazar.contracts import books
from bazar.contracts.books import Book, HistoryEntry
from bazar.contracts.wire import Invalid, Malformed, convert, parse
from bazar.frontend.api.authentication import API_PREFIX, Access, AccessTable, signed_in
from bazar.frontend.api.idempotency import BadIdempotencyKey, idempotency_key
from bazar.frontend.domain.errors import StaleVersion
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.ports import Catalog, Seen

Answer = TypeVar("Answer")
Query = TypeVar("Query")

ACCESS: AccessTable = {
    "books.by_subject": Access.ALL,
    "books.search": Access.ALL,
    "books.info": Access.ALL,
    "books.change": Access.STAFF,
    "books.history": Access.STAFF,
    "books.add": Access.STAFF,
    "books.withdraw": Access.STAFF,
}

#: Addresses whose answers are the same for everybody.
CACHEABLE = (f"{API_PREFIX}search", f"{API_PREFIX}info/")

#: What does not fit in a request; an unknown book comes before any of it (401, 403, 404, body).
BAD_REQUESTS = (Invalid, Malformed, WrongMediaType, BadIdempotencyKey, RequestEntityTooLarge, LengthRequired)
#: A strong entity tag of one of our versions, which are numbers.
_ETAG = re.compile(r'(?<![/"\w])"([1-9][0-9]{0,15})"')


def routes(catalog: Catalog, accounts: Accounts) -> Blueprint:
    """The routes, for ``app.register_blueprint``."""
    api = Blueprint("books", __name__, url_prefix=API_PREFIX)

    @api.get("/search/<any_text:subject>")
    def by_subject(subject: str) -> Response:
        query = query_of(books.SubjectQuery, subject=subject)
        seen = catalog.books_of_subject(query, g.deadline)
        made_of((item.item_number for item in seen.answer.items), seen.position, lists=True)
        return shown(seen)

    @api.get("/search")
    def search() -> Response:
        seen = catalog.search(query_of(books.WordsQuery), g.deadline)
        # Filters and facets of what is in stock may lag, so the index is asked again.
        numbers = (item.item_number for item in seen.answer.items)
        made_of(numbers, seen.position, lists=True, seconds=LONGEST_LAG_SECONDS)
        return shown(Seen(seen.answer.page, seen.position))

    @api.get("/info/<item_number:item_number>")
    def info(item_number: int) -> Response:
        seen = catalog.book(item_number, g.deadline)
        _see_that_if_match_names(seen)
        made_of([item_number], seen.position)
        response = _book(seen)
        response.headers["Cache-Control"] = "no-cache"
        return _unless_known(response)

    @api.patch("/books/<item_number:item_number>")
    def change(item_number: int) -> Response:
        def read() -> books.ChangeBook:
            return books.ChangeBook(
                actor=signed_in().account_id,
                change=parse(body_bytes(), books.BookChange),
                idempotency_key=idempotency_key() if "Idempotency-Key" in request.headers else None,
                expected_versions=_expected_versions(),
            )

        asked = read_about(lambda: catalog.book(item_number, g.deadline), read)
        return _book(catalog.change_book(item_number, asked, g.deadline))

    @api.get("/books/<item_number:item_number>/history")
    def history(item_number: int) -> Response:
        def known() -> object:
            return catalog.history(item_number, books.HistoryQuery(limit=1), g.deadline)  # withdrawn books too

        query = read_about(known, lambda: query_of(books.HistoryQuery))
        seen = catalog.history(item_number, query, g.deadline)
        found = seen.answer
        names = accounts.names_of({entry.who for entry in found.items})
        named = tuple(_named(entry, names.get(entry.who, entry.who)) for entry in found.items)
        response = shown(Seen(books.History(items=named, next=found.next), seen.position))
        response.headers["Cache-Control"] = "no-store"
        return response

    @api.post("/books")
    def add() -> Response:
        asked = books.AddBook(actor=signed_in().account_id, book=parse(body_bytes(), books.NewBook))
        seen = catalog.add_book(asked, g.deadline)
        response = _book(seen)
        response.status_code = 201
        response.headers["Location"] = f"{API_PREFIX}info/{seen.answer.item_number}"
        return response

    @api.delete("/books/<item_number:item_number>")
    def withdraw(item_number: int) -> Response:
        asked = books.WithdrawBook(actor=signed_in().account_id)
        response = shown(catalog.withdraw_book(item_number, asked, g.deadline), 204)
        response.set_data(b"")
        return response

    return api


def query_of(kind: type[Query], **path: str) -> Query:
    """The query string, with what stands in the path, as ``kind``; an empty value is as good as none.

    Raises Invalid, for a parameter that is unknown too.
    """
    allowed = [name for name in kind.__struct_fields__ if name not in path]  # type: ignore[attr-defined]  # a Struct
    for name, values in request.args.lists():
        if name not in allowed:
            raise Invalid(name, f"unknown parameter; allowed are {', '.join(allowed)}")
        if len(values) > 1:
            raise Invalid(name, "is there more than once")
    given = {name: value for name, value in request.args.items() if value}
    query = convert({**given, **path}, kind)
    for name in given:
        if getattr(query, name) is None:  # msgspec reads "null" as nothing
            raise Invalid(name, "is no value")
    return query


def read_about(look_up: Callable[[], object], read: Callable[[], Answer]) -> Answer:
    """What ``read`` makes of the request; where it cannot, what ``look_up`` raises comes first, UnknownBook say."""
    try:
        return read()
    except BAD_REQUESTS:
        look_up()
        raise


def shown(seen: Seen[Answer], status: int = 200) -> Response:
    """The answer, with the position of the catalog that it shows."""
    response = json_response(seen.answer, status)
    if seen.position is not None:
        response.headers[headers.POSITION] = seen.position
    return response


def _book(seen: Seen[Book]) -> Response:
    response = shown(seen)
    response.set_etag(str(seen.answer.version))
    return response


def _unless_known(response: Response) -> Response:
    """304 where If-None-Match names what would be answered."""
    if "HTTP_IF_NONE_MATCH" not in request.environ:
        return response
    # If-Match was judged before: it may name "*", and what it refuses is a problem.
    asked = {name: value for name, value in request.environ.items() if name != "HTTP_IF_MATCH"}
    return response.make_conditional(asked)  # type: ignore[return-value]  # werkzeug's base type


def _expected_versions() -> tuple[int, ...] | None:
    """Those that If-Match names, by our own ETags; any other tag names none (RFC 9110 section 13.1.1)."""
    sent: str | None = request.environ.get("HTTP_IF_MATCH")
    if sent is None or sent.strip() == "*":
        return None
    return tuple(int(tag) for tag in _ETAG.findall(sent))


def _see_that_if_match_names(seen: Seen[Book]) -> None:
    expected, version = _expected_versions(), seen.answer.version
    if expected is not None and version not in expected:
        raise StaleVersion(f"The book is at version {version}, which If-Match does not name.", seen.position)


def _named(entry: HistoryEntry, name: str) -> HistoryEntry:
    return msgspec.structs.replace(entry, who=name)
