"""What went wrong, as a page that a person understands; for the API the document. Never a stack trace."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request
from werkzeug.exceptions import NotFound

from bazar.chassis.database import StorageUnavailable
from bazar.chassis.web import RETRY_AFTER_SECONDS, WATCHED_PATHS, problem_response
from bazar.contracts import problems
from bazar.contracts.problems import PROBLEM_TYPES, Problem, away
from bazar.frontend.domain.account_care import UnknownAccount
from bazar.frontend.domain.accounts import TooManyTries
from bazar.frontend.domain.errors import BadRequest, NeighbourAway, NotAllowed, NotSignedIn, UnknownBook, UnknownOrder
from bazar.frontend.pages import sessions as page_sessions
from bazar.frontend.pages.sessions import PageSessions

API = "/api/"
_SESSIONS = "page_sessions"


def page_or_document(problem: Problem) -> Response:
    """A page in the look of the shop; where programs ask, below ``/api/`` and for health, the document (RFC 9457)."""
    by_program = request.path.startswith(API) or request.path in WATCHED_PATHS
    return problem_response(problem) if by_program else _page(problem)


def explain_errors(pages: Blueprint, sessions: PageSessions) -> None:
    """Say on ``pages`` what their errors mean to a reader, and serve ``/problems/<name>``."""
    pages.record(lambda state: state.app.extensions.update({_SESSIONS: sessions}))

    def explain(kind: type[Exception], to_problem: Callable[[Any], Problem], about: Callable[[Any], str]) -> None:
        pages.register_error_handler(kind, lambda error: _page(to_problem(error), about(error)))

    not_found = problems.NOT_FOUND.because
    explain(UnknownBook, lambda _: not_found("We sell no such book."), lambda _: "book")
    explain(UnknownOrder, lambda _: not_found("You have no such order."), lambda _: "order")
    explain(
        NotAllowed, lambda error: problems.FORBIDDEN.because(f"This takes the role {error.needed}."), lambda _: "role"
    )
    explain(UnknownAccount, lambda _: not_found("There is no such account."), lambda _: "account")
    explain(
        TooManyTries, lambda error: problems.TOO_MANY_REQUESTS.because("", error.retry_after_seconds), lambda _: "form"
    )
    explain(BadRequest, lambda error: problems.INVALID.because(error.detail), lambda error: str(error.field))
    explain(NeighbourAway, lambda error: away(error.service, RETRY_AFTER_SECONDS), lambda error: str(error.service))
    for kind, to_problem in page_sessions.PROBLEMS.items():
        explain(kind, to_problem, lambda _: "form")
    pages.register_error_handler(NotSignedIn, _sign_in_first)

    @pages.get("/problems/<name>")
    def problem_type(name: str) -> str:
        if name not in PROBLEM_TYPES:
            raise NotFound
        return render_template("problem.html", kind=PROBLEM_TYPES[name])


def sign_in_and_come_back(address: str) -> Response:
    """Send the reader to sign in, and afterwards to ``address``."""
    return make_response(redirect(f"/sign-in?{urlencode({'next': address})}", 303))


def _sign_in_first(_error: Exception) -> Response:
    return sign_in_and_come_back(request.full_path.rstrip("?") if request.method == "GET" else "/")


def _page(problem: Problem, about: str = "") -> Response:
    if problem.type.status < problems.INTERNAL_ERROR.status:
        _look_up_person()
    else:
        g.page_tells_of_failure = True
    response = make_response(render_template("error.html", problem=problem, about=about), problem.type.status)
    response.headers["Cache-Control"] = "no-store"
    if problem.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(problem.retry_after_seconds)
    return response


def _look_up_person() -> None:
    """An address that is no page was not looked at by the sessions; who went astray is still signed in."""
    sessions: PageSessions | None = current_app.extensions.get(_SESSIONS)
    if sessions is not None:
        try:
            sessions.person()
        except StorageUnavailable:
            return
