"""The catalog's REST interface: each call of the table, and the use case that answers it."""

from collections.abc import Callable
from dataclasses import replace

from flask import Flask

from bazar.catalog.domain.errors import (
    BadCursor,
    InvalidBook,
    KeyReused,
    StaleVersion,
    StockBelowZero,
    UnknownBook,
    UnknownSource,
)
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.list_holds import ListHolds
from bazar.catalog.use_cases.look_up import LookUp
from bazar.catalog.use_cases.search_books import BadQuery, IndexNotReady, SearchBooks
from bazar.chassis.client import Reply
from bazar.chassis.converters import PositiveInteger
from bazar.chassis.lanes import FEW_SLOTS, SLOTS, Lanes
from bazar.chassis.position import read_position, seen_position
from bazar.chassis.service_api import ServiceApi, Verifier
from bazar.chassis.web import RETRY_AFTER_SECONDS, ProblemTable, Readiness, new_app
from bazar.contracts import books, calls, problems, text
from bazar.contracts.problems import Problem, invalid


def _unknown_book(error: UnknownBook) -> Problem:
    problem = problems.NOT_FOUND.because(f"There is no book {error.item_number}.", items=[error.item_number])
    return replace(problem, position=error.position)


def _unknown_source(error: UnknownSource) -> Problem:
    known = f"books came from {', '.join(error.known)}" if error.known else "no book was imported"
    return problems.NOT_FOUND.because(f"No book came from {error.source}; {known}.")


def _stock_below_zero(error: StockBelowZero) -> Problem:
    problem = problems.STOCK_BELOW_ZERO.because(
        f"Book {error.item_number} has {error.stock} copies; a change of {error.change} would leave less than none."
    )
    return replace(problem, position=error.position)


def _stale_version(error: StaleVersion) -> Problem:
    problem = problems.PRECONDITION_FAILED.because(
        f"Book {error.item_number} is at version {error.current}, which If-Match does not name."
    )
    return replace(problem, position=error.position)


PROBLEMS: ProblemTable = {
    UnknownBook: _unknown_book,
    UnknownSource: _unknown_source,
    InvalidBook: lambda error: invalid(error.field, error.detail),
    BadQuery: lambda error: invalid(error.field, error.detail),
    BadCursor: lambda _: invalid("cursor", text.WORDS[text.CURSOR]),
    IndexNotReady: lambda _: problems.UNAVAILABLE.because("The search index is being built.", RETRY_AFTER_SECONDS),
    StockBelowZero: _stock_below_zero,
    StaleVersion: _stale_version,
    KeyReused: lambda _: problems.KEY_REUSED.because("The key was used for another change."),
}


def catalog_app(
    *,
    look_up: LookUp,
    keep_stock: KeepStock,
    hold_copies: HoldCopies,
    list_holds: ListHolds,
    search_books: SearchBooks,
    verifier: Verifier,
    readiness: Callable[[], Readiness],
    slots: int = SLOTS,
) -> Flask:
    """The application of the catalog server. ``slots``: requests of one kind at work at a time."""
    lanes = Lanes({"reads": slots, "changes": slots, "holds": slots, "finishing": FEW_SLOTS}, _lane_of)
    app = new_app(__name__, PROBLEMS, readiness, {"item_number": PositiveInteger}, lanes=lanes, is_internal=True)
    api = ServiceApi(app, verifier)

    api.serve(calls.GET_BOOK, lambda _, item_number: Reply(*look_up.book(item_number)))
    api.serve(calls.BOOKS_BY_SUBJECT, lambda query: Reply(*look_up.books_of_subject(query)))
    api.serve(calls.SEARCH_BOOKS, lambda query: Reply(*search_books.search(query, read_position(seen_position.get()))))
    api.serve(calls.NEWEST_BOOKS, lambda query: Reply(*search_books.newest(query, read_position(seen_position.get()))))
    api.serve(calls.LOW_STOCK, lambda query: Reply(*search_books.low_stock(query, read_position(seen_position.get()))))
    api.serve(calls.BOOKS_BY_NUMBER, lambda query: Reply(*look_up.books_by_number(query)))
    api.serve(calls.SUGGEST, search_books.suggest)
    api.serve(calls.SUBJECTS, lambda _: Reply(*look_up.subjects()))
    api.serve(calls.CHANGES, look_up.changes)
    api.serve(calls.BOOK_HISTORY, lambda query, item_number: Reply(*look_up.history(item_number, query)))
    api.serve(calls.JOURNAL, lambda query: Reply(*look_up.journal(query)))

    api.serve(calls.ADD_BOOK, lambda request: Reply(*keep_stock.add_book(request)))
    api.serve(calls.CHANGE_BOOK, lambda request, item_number: Reply(*keep_stock.change_book(item_number, request)))
    api.serve(
        calls.WITHDRAW_BOOK,
        lambda request, item_number: Reply(books.Empty(), keep_stock.withdraw_book(item_number, request)),
    )
    api.serve(calls.IMPORT_BOOKS, lambda request: Reply(*keep_stock.import_books(request)))
    api.serve(calls.PREVIEW_IMPORT, lambda request: Reply(*keep_stock.preview_import(request)))
    api.serve(calls.WITHDRAW_SOURCE, lambda request: Reply(*keep_stock.withdraw_source(request)))

    api.serve(calls.HOLD, lambda batch: Reply(*hold_copies.hold(batch)))
    api.serve(calls.SETTLE, lambda batch: Reply(*hold_copies.settle(batch)))
    api.serve(calls.RELEASE, lambda batch: Reply(*hold_copies.release(batch)))
    api.serve(calls.RETURN, lambda batch: Reply(*hold_copies.return_(batch)))
    api.serve(calls.OPEN_HOLDS, hold_copies.open_holds)
    api.serve(calls.ALL_HOLDS, list_holds.kept_holds)
    return app


def _lane_of(method: str, path: str) -> str:
    """Purchases never keep orders from being finished, nor readers from reading."""
    if path.startswith(f"{calls.HOLD.path}/"):
        return "finishing"
    if path == calls.HOLD.path:
        return "holds"
    return "reads" if method == "GET" or path == calls.BOOKS_BY_NUMBER.path else "changes"
