"""Error of the shop → problem: the one table of the front-end. What is not in it is a 500 without detail."""

from dataclasses import replace
from typing import Any

from bazar.chassis.web import RETRY_AFTER_SECONDS, ProblemTable
from bazar.contracts import problems
from bazar.contracts.problems import Problem, away, invalid
from bazar.frontend.api import accounts, authentication
from bazar.frontend.api.idempotency import BadIdempotencyKey
from bazar.frontend.domain.basket import BasketFull
from bazar.frontend.domain.errors import (
    BadRequest,
    CannotMove,
    KeyReused,
    NeighbourAway,
    NotBought,
    NotStuck,
    StaleVersion,
    StockBelowZero,
    TooLateToCancel,
    UnknownBook,
    UnknownOrder,
)

_NOT_BOUGHT = {
    "out-of-stock": problems.OUT_OF_STOCK,
    "price-changed": problems.PRICE_CHANGED,
    "order-cancelled": problems.ORDER_CANCELLED,
}


def _not_bought(error: NotBought) -> Problem:
    members: dict[str, Any] = {}
    if error.lines:
        members["lines"] = list(error.lines)
    if error.total is not None:
        members["total"] = dict(error.total)
    return replace(_NOT_BOUGHT[error.why].because(error.detail, **members), position=error.position)


def _unknown_book(error: UnknownBook) -> Problem:
    problem = problems.NOT_FOUND.because(f"There is no book {', '.join(map(str, error.item_numbers))}.")
    return replace(problem, position=error.position)


def _stock_below_zero(error: StockBelowZero) -> Problem:
    return replace(problems.STOCK_BELOW_ZERO.because(error.detail), position=error.position)


def _stale_version(error: StaleVersion) -> Problem:
    return replace(problems.PRECONDITION_FAILED.because(error.detail), position=error.position)


def _bad_key(_error: BadIdempotencyKey) -> Problem:
    return problems.KEY_MISSING.because(
        "Send the header Idempotency-Key with 1 to 255 visible ASCII characters, new for each purchase."
    )


def _basket_full(error: BasketFull) -> Problem:
    return problems.INVALID.because(f"A basket holds {error.most} titles at the most.")


PROBLEMS: ProblemTable = {
    **accounts.PROBLEMS,
    **authentication.PROBLEMS,
    NotBought: _not_bought,
    UnknownBook: _unknown_book,
    UnknownOrder: lambda _: problems.NOT_FOUND.because("You have no such order."),
    TooLateToCancel: lambda error: problems.TOO_LATE.because(error.detail),
    CannotMove: lambda error: problems.CANNOT_MOVE.because(error.detail),
    NotStuck: lambda error: problems.NOT_STUCK.because(error.detail),
    KeyReused: lambda _: problems.KEY_REUSED.because(
        "The key was used for another item or with another body: take a new one."
    ),
    StockBelowZero: _stock_below_zero,
    StaleVersion: _stale_version,
    BadRequest: lambda error: invalid(error.field, error.detail),
    BasketFull: _basket_full,
    NeighbourAway: lambda error: away(error.service, RETRY_AFTER_SECONDS),
    BadIdempotencyKey: _bad_key,
}
