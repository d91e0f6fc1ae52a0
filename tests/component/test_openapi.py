"""The OpenAPI document tells of the routes that there are, and its page shows all of it without anybody's help."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis

from bazar.contracts.problems import PROBLEM_TYPES
from bazar.frontend.api.authentication import Access
from bazar.frontend.api.operations import OPERATIONS
from bazar.frontend.wiring import ACCESS
from three_services import API, ThreeServices


@pytest.fixture(scope="module")
def document(shop: ThreeServices) -> dict[str, Any]:
    answer = shop.call("GET", "/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: dict[str, Any] = answer.json  # type: ignore[assignment]  # JSON or None
    return found


@pytest.fixture(scope="module")
def page(shop: ThreeServices) -> str:
    answer = shop.call("GET", "/docs")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    return answer.text


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_it_is_valid_openapi_3_1(shop: ThreeServices, document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_wsgi(f"{API}/openapi.json", shop.app).validate()
    for reference in references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_it_has_every_route_of_the_api_and_of_health_and_no_other(shop: ThreeServices) -> None:
    routed = {
        (method, "".join(f"{{{part}}}" if dynamic else part for dynamic, part in rule._trace).removeprefix("|"))
        for rule in shop.app.url_map.iter_rules()
        if not rule.endpoint.startswith("pages.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(operation.method, operation.path) for operation in OPERATIONS} == routed
    adapter = shop.app.url_map.bind("localhost")
    for operation in OPERATIONS:
        path = operation.path.format(item_number=1, subject="x", order_id="a" * 32)
        assert adapter.match(path, method=operation.method)[0] == operation.endpoint


def test_it_asks_for_a_token_where_the_code_does(document: dict[str, Any]) -> None:
    for operation in OPERATIONS:
        told = document["paths"][operation.path][operation.method.lower()]
        open_to_all = ACCESS.get(operation.endpoint, Access.ALL) is Access.ALL
        assert told["security"] == ([] if open_to_all else [{"bearer": []}])
        assert ("401" in told["responses"]) is (not open_to_all or operation.endpoint == "accounts.sign_in")
        # The list of orders has a part that is for staff alone.
        for_some = (
            ACCESS.get(operation.endpoint) in {Access.STAFF, Access.ADMIN} or operation.endpoint == "orders.orders"
        )
        assert ("403" in told["responses"]) is for_some


def test_every_problem_of_a_call_is_described_with_its_members(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for kind in PROBLEM_TYPES.values():
        (told,) = [
            schema for schema in schemas.values() if schema["properties"].get("type", {}).get("const") == kind.uri
        ]
        assert told["properties"]["status"] == {"const": kind.status}
        assert {"type", "title", "status", "detail"} <= set(told["required"])
    assert schemas["OutOfStockProblem"]["properties"]["lines"]["items"] == {"$ref": "#/components/schemas/Shortage"}
    assert "errors" in schemas["InvalidProblem"]["required"]


def test_a_body_in_chunks_is_told_of_wherever_there_can_be_a_body(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for told in operations.values():
            assert ("411" in told["responses"]) is ("requestBody" in told)


@pytest.mark.parametrize(
    ("call", "status", "header"),
    [
        ("GET /info/{item_number}", "200", "ETag"),
        ("PATCH /books/{item_number}", "200", "ETag"),
        ("POST /books", "201", "Location"),
        ("GET /search", "200", "Bazar-Position"),
        ("POST /purchase/{item_number}", "503", "Retry-After"),
        ("POST /tokens", "429", "Retry-After"),
    ],
)
def test_headers_of_answers_are_described(document: dict[str, Any], call: str, status: str, header: str) -> None:
    method, path = call.split()
    assert header in document["paths"][f"{API}{path}"][method.lower()]["responses"][status]["headers"]


def test_the_list_of_orders_is_that_of_stuck_ones_too(document: dict[str, Any]) -> None:
    told = document["paths"][f"{API}/orders"]["get"]
    (status,) = [parameter["schema"] for parameter in told["parameters"] if parameter["name"] == "status"]
    assert status == {"enum": ["stuck"]}
    lists = told["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    assert lists == [{"$ref": f"#/components/schemas/{name}"} for name in ("Orders", "StuckOrders")]
    stuck = document["components"]["schemas"]["StuckOrder"]
    assert {"order_id", "status", "lines", "total", "decision", "reason", "stuck_since"} <= set(stuck["required"])


def test_the_page_has_all_calls_and_all_objects(page: str, document: dict[str, Any]) -> None:
    for operation in OPERATIONS:
        assert f"<code>{operation.method} {operation.path}</code>" in page
    for name in document["components"]["schemas"]:
        assert f'id="object-{name}"' in page


def test_the_page_needs_no_script_and_nobody_else(shop: ThreeServices, page: str) -> None:
    policy = shop.call("GET", "/docs").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe-inline" not in policy
    assert not re.search(r"<script|<style|<iframe|\son\w+=|\sstyle=|javascript:", page)
    assert not re.search(r"""(src|href|action)=["']?(https?:)?//""", page)


def test_every_link_of_the_page_leads_somewhere(shop: ThreeServices, page: str) -> None:
    anchors = set(re.findall(r'\sid="([^"]+)"', page))
    links = set(re.findall(r'href="([^"]+)"', page))
    assert len(links) > 50
    for link in links:
        if link.startswith("#"):
            assert link.removeprefix("#") in anchors
        else:
            assert shop.app.test_client().get(link, base_url="https://localhost:8443").status_code == 200, link


def test_every_problem_type_has_a_page(shop: ThreeServices) -> None:
    for kind in PROBLEM_TYPES.values():
        answer = shop.app.test_client().get(kind.uri, base_url="https://localhost:8443")
        assert (answer.status_code, answer.mimetype) == (200, "text/html")
        assert str(kind.status) in answer.text
        assert kind.name in answer.text
    assert shop.app.test_client().get("/problems/nonsense", base_url="https://localhost:8443").status_code == 404
