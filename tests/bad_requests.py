"""Ask a shop for what it refuses, and look at its answers."""

import json
from typing import Any

from werkzeug.test import TestResponse

from bazar.contracts.problems import PROBLEM_TYPES
from three_services import ThreeServices

#: The item number of the book that the tests leave as it is.
BOOK = 1
STOCK = 10


def problem(answer: TestResponse, status: int, name: str) -> dict[str, Any]:
    """The document of a problem of this type; it shows nothing of the program."""
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    found: dict[str, Any] = json.loads(answer.data)
    kind = PROBLEM_TYPES[name]
    assert (found["type"], found["status"], found["title"]) == (kind.uri, status, kind.title)
    assert found["detail"]
    assert "Traceback" not in answer.text
    assert "msgspec" not in answer.text
    return found


def refused_field(answer: TestResponse, field: str, *words: str) -> None:
    """422 that names ``field``, and says in ``words`` what is allowed."""
    found = problem(answer, 422, "invalid")
    (mistake,) = found["errors"]
    assert mistake["field"] == field
    assert mistake["detail"] in found["detail"]
    for word in words:
        assert word in mistake["detail"]


def buy(shop: ThreeServices, body: bytes | str, **headers: str) -> TestResponse:
    sent = {"Idempotency-Key": "one-of-many", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return shop.call("POST", f"/purchase/{BOOK}", "customer", body=body, headers=sent)


def order(shop: ThreeServices, body: bytes | str) -> TestResponse:
    return shop.call("POST", "/orders", "customer", body=body, headers={"Idempotency-Key": "one-of-many"})


def change(shop: ThreeServices, body: bytes | str, **headers: str) -> TestResponse:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return shop.call("PATCH", f"/books/{BOOK}", "staff", body=body, headers=sent)
