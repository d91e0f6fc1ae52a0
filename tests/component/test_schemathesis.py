"""Schemathesis makes requests of the OpenAPI document, right ones and wrong ones, in the name of every role.

No answer is a 5xx, and none is one that the document does not allow.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from bazar.frontend.api.operations import OPERATIONS
from three_services import ThreeServices

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    missing_required_header,
    unsupported_method,
]
CONFIG = {
    "generation": {"with-security-parameters": False},
    # To what schemathesis takes for a refusal: If-Match (412), and the size of the body (413).
    "checks": {"negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 409, 412, 413, 415, 422]}},
}
ROLES = (None, "customer", "staff", "admin")
#: Books that nobody can buy up, and one that is sold out.
STOCKS = (1_000_000_000, 1_000_000_000, 0)
BOOKS = len(STOCKS)
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
EVERY_CALL = pytest.mark.parametrize("call", [f"{operation.method} {operation.path}" for operation in OPERATIONS])
EVERY_ROLE = pytest.mark.parametrize("role", ROLES)


@pytest.fixture(scope="module")
def document(shop: ThreeServices) -> Any:
    """The document, for a shop with books and an order."""
    for stock in STOCKS:
        shop.add_book(stock=stock)
    shop.index_now()
    assert shop.call("POST", "/purchase/1", "customer", headers={"Idempotency-Key": "first"}).status_code == 201
    config = schemathesis.Config.from_dict(CONFIG)
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", shop.app, config=config)


def operation_of(document: Any, call: str) -> Any:
    method, path = call.split()
    return document[path][method]


def ask(shop: ThreeServices, role: str | None, case: Case[Any]) -> None:
    """Make the request, of a book that there is where it names one, and hold the answer against the document."""
    number = case.path_parameters.get("item_number")
    if type(number) is int and number > BOOKS:
        case.path_parameters["item_number"] = number % (BOOKS + 1) + 1
    headers = {}
    if role is not None:
        # A sign-out ends the token.
        token = shop.sign_in(role) if case.path.endswith("/current") else shop.tokens[role]
        headers["Authorization"] = f"Bearer {token}"
    case.call_and_validate(headers=headers, checks=CHECKS)


@EVERY_ROLE
@EVERY_CALL
def test_every_boundary_is_answered_as_documented(
    shop: ThreeServices, document: Any, call: str, role: str | None
) -> None:
    operation = operation_of(document, call)
    config = document.config.generation_for(operation=operation)
    for case in document.iter_coverage_cases(operation, generation_modes=MODES, generation_config=config):
        ask(shop, role, case)


def ask_examples(shop: ThreeServices, document: Any, call: str, role: str | None, examples: int) -> None:
    operation = operation_of(document, call)
    strategies = [operation.as_strategy(generation_mode=mode) for mode in MODES]

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(*strategies))
    def each(case: Case[Any]) -> None:
        ask(shop, role, case)

    each()


@EVERY_ROLE
@EVERY_CALL
def test_examples_are_answered_as_documented(shop: ThreeServices, document: Any, call: str, role: str | None) -> None:
    ask_examples(shop, document, call, role, 10)


@pytest.mark.slow
@EVERY_ROLE
@EVERY_CALL
def test_many_examples_are_answered_as_documented(
    shop: ThreeServices, document: Any, call: str, role: str | None
) -> None:
    ask_examples(shop, document, call, role, 200)
