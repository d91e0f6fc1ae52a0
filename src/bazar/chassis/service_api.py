"""The routes of an internal service: each is an entry of the table of calls and lets in only whom it names."""

import re
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from flask import Flask, Response, request

from bazar.chassis import headers
from bazar.chassis.client import Reply
from bazar.chassis.logging import get_logger
from bazar.chassis.service_token import UntrustedCaller
from bazar.chassis.web import body_bytes, json_response, problem_response
from bazar.contracts import problems
from bazar.contracts.call import Call
from bazar.contracts.wire import convert, parse

Request = TypeVar("Request")
Answer = TypeVar("Answer")

Handler = Callable[..., Any]

_log = get_logger(__name__)


class Verifier(Protocol):
    """Says which service made a token; raises UntrustedCaller."""

    def caller(self, token: str) -> str: ...


class ServiceApi:
    """Mounts calls on a Flask application. Health, readiness and metrics are open to every caller of the CA."""

    def __init__(self, app: Flask, verifier: Verifier) -> None:
        self._app = app
        self._verifier = verifier

    def serve(self, call: Call[Request, Answer], handler: Callable[..., Answer | Reply[Answer]]) -> None:
        """Answer ``call`` by ``handler(request, **placeholders)``."""

        def view(**path: object) -> Response:
            refusal = self._refusal(call)
            if refusal is not None:
                return problem_response(refusal)
            asked: Request
            if call.method == "GET":
                asked = convert(request.args.to_dict() if request.query_string else {}, call.request)
            else:
                asked = parse(body_bytes(), call.request)
            result = handler(asked, **path)
            if not isinstance(result, Reply):
                return json_response(result)
            response = json_response(result.answer)
            if result.position is not None:
                response.headers[headers.POSITION] = result.position
            return response

        # In a route, a placeholder is read by the converter of the same name.
        rule = re.sub(r"\{(\w+)\}", r"<\1:\1>", call.path)
        self._app.add_url_rule(
            rule,
            endpoint=f"{call.method} {call.path}",
            view_func=view,
            methods=[call.method],
            provide_automatic_options=False,
        )

    def _refusal(self, call: Call[Any, Any]) -> problems.Problem | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return problems.UNAUTHENTICATED.because("A call between services carries a service token.")
        try:
            caller = self._verifier.caller(token)
        except UntrustedCaller as error:
            _log.warning("untrusted_caller", reason=error.reason)
            return problems.UNAUTHENTICATED.because("The service token proves nothing; the log says why.")
        if caller not in call.callers:
            return problems.FORBIDDEN.because(f"{caller} may not call {call.method} {call.path}.")
        return None
