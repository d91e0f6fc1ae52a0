"""The OpenAPI 3.1 document of the REST API, made from the table of calls and the messages that the code uses."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from types import UnionType
from typing import Any, get_args

import msgspec
from flask import Blueprint, Response, make_response, render_template

from bazar.chassis.compression import in_gzip
from bazar.chassis.web import json_response
from bazar.contracts import problems
from bazar.contracts.problems import MEDIA_TYPE, PROBLEM_TYPES, ProblemType
from bazar.contracts.purchasing import ORDER_ID
from bazar.contracts.wire import LARGEST_JSON_INTEGER
from bazar.frontend.api.api_docs import page_of
from bazar.frontend.api.authentication import API_PREFIX, Access, AccessTable
from bazar.frontend.api.header_fields import HEADERS, PARAMETERS
from bazar.frontend.api.operations import MEMBERS, OPERATIONS, Operation

Json = dict[str, Any]

ACCESS: AccessTable = {"openapi.document": Access.ALL, "openapi.docs": Access.ALL}

REF = "#/components/schemas/{name}"
BEARER = "bearer"
#: The page has our style sheet and nothing else: no script, no form, no other site's anything.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
DESCRIPTION = """\
An on-line book store. Prices are integers of the currency's minor unit, times RFC 3339 in UTC. Errors are problem \
documents (RFC 9457); `type` leads to a page about the problem. A list gives `next` as the `cursor` of its next page, \
or null. Each answer has a `Request-Id`: please name it when you ask us about one."""
#: Of a path: what may stand there. Anything else is no such address.
_PLACEHOLDERS: Mapping[str, Json] = {
    "item_number": {"type": "integer", "minimum": 1, "maximum": LARGEST_JSON_INTEGER},
    "order_id": {"type": "string", "pattern": ORDER_ID},
}


def routes(access: AccessTable) -> Blueprint:
    """The document, and the page that shows it; ``access`` has the rules of all routes."""
    # Templates lie beside the package of the front-end.
    api = Blueprint("openapi", "bazar.frontend", url_prefix=API_PREFIX, template_folder="templates")
    told = document(access)
    shown = page_of(told)

    @api.get("/openapi.json", endpoint="document")
    def openapi_json() -> Response:
        return json_response(told, Cache_Control="no-cache")

    @api.get("/docs")
    def docs() -> Response:
        page = make_response(render_template("api_docs.html", docs=shown))
        page.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return in_gzip(page)

    return api


def document(access: AccessTable) -> Json:
    """The document; ``access`` says whom each endpoint lets in, one that it lacks lets in all."""
    messages = dict.fromkeys(_messages(OPERATIONS))
    _, components = msgspec.json.schema_components(tuple(messages), ref_template=REF)
    problem_schemas = {_name(kind): _problem_schema(kind) for kind in PROBLEM_TYPES.values()}
    return {
        "openapi": "3.1.1",
        "info": {"title": "Bazar", "version": "1.0", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in OPERATIONS)],
        "paths": _paths(access),
        "components": {
            "schemas": {**{name: _tidy(schema) for name, schema in components.items()}, **problem_schemas},
            "parameters": {name: {"name": field, "in": "header", **rest} for name, (field, rest) in PARAMETERS.items()},
            "headers": {name: {"schema": {"type": "string"}, **rest} for name, rest in HEADERS.items()},
            "securitySchemes": {
                BEARER: {"type": "http", "scheme": "bearer", "description": "A token from `POST /api/v1/tokens`."}
            },
        },
    }


def _paths(access: AccessTable) -> Json:
    paths: Json = {}
    for operation in OPERATIONS:
        rule = access.get(operation.endpoint, Access.ALL)
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, rule)
    return paths


def _operation(operation: Operation, rule: Access) -> Json:
    told: Json = {
        "operationId": operation.endpoint,
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": [] if rule is Access.ALL else [{BEARER: []}],
        "parameters": [*_path_and_query(operation), *(_ref("parameters", name) for name in operation.headers)],
        "responses": _responses(operation, rule),
    }
    if rule.value is not None:
        told["description"] = f"Takes the role {rule.value.value}, or one that includes it."
    if operation.body is not None:
        told["requestBody"] = {"required": operation.needs_body, "content": _content(operation.body)}
    return told


def _path_and_query(operation: Operation) -> Iterator[Json]:
    fields = {} if operation.query is None else _own_schema(operation.query)
    for name in _in_path(operation):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            # One character at the least: without any it is another address.
            "schema": _PLACEHOLDERS.get(name) or {"minLength": 1, **fields["properties"][name]},
        }
    for name, schema in fields.get("properties", {}).items():
        if name not in _in_path(operation):
            yield {"name": name, "in": "query", "allowEmptyValue": True, "schema": _not_null(schema)}


def _responses(operation: Operation, rule: Access) -> Json:
    responses: Json = {
        str(operation.status): {
            "description": HTTPStatus(operation.status).phrase,
            "headers": {name: _ref("headers", name) for name in operation.answer_headers},
            **({} if operation.answer is None else {"content": _content(operation.answer)}),
        }
    }
    for status, answer in operation.others.items():
        responses[str(status)] = {"description": HTTPStatus(status).phrase}
        if answer is not None:
            responses[str(status)]["content"] = _content(answer)
    by_status: dict[int, list[ProblemType]] = {}
    for kind in dict.fromkeys(_problems(operation, rule)):
        by_status.setdefault(kind.status, []).append(kind)
    for status, kinds in sorted(by_status.items()):
        schemas = [_ref("schemas", _name(kind)) for kind in kinds]
        responses[str(status)] = {
            "description": "; ".join(kind.title for kind in kinds),
            "content": {MEDIA_TYPE: {"schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas}}},
        }
        if status in {problems.TOO_MANY_REQUESTS.status, problems.UNAVAILABLE.status}:
            responses[str(status)]["headers"] = {"Retry-After": _ref("headers", "Retry-After")}
    return responses


def _problems(operation: Operation, rule: Access) -> Iterator[ProblemType]:
    """Those that follow from what the call takes, and its own."""
    yield from operation.problems
    if rule.value is not None:
        yield problems.UNAUTHENTICATED
        if rule is not Access.SIGNED_IN:
            yield problems.FORBIDDEN
    if _PLACEHOLDERS.keys() & set(_in_path(operation)):
        yield problems.NOT_FOUND
    if operation.body is not None:
        yield from (
            problems.MALFORMED,
            problems.LENGTH_REQUIRED,
            problems.TOO_LARGE,
            problems.UNSUPPORTED_MEDIA_TYPE,
        )
    if operation.body is not None or operation.query is not None:
        yield problems.INVALID
    if any("IdempotencyKey" in name for name in operation.headers):
        yield from (problems.KEY_MISSING, problems.KEY_REUSED)
    yield problems.INTERNAL_ERROR
    if operation.can_be_away:
        yield problems.UNAVAILABLE


def _messages(operations: tuple[Operation, ...]) -> Iterator[type[Any]]:
    for operation in operations:
        if operation.body is not None:
            yield operation.body
        yield from _kinds(operation.answer)
    for members in MEMBERS.values():
        yield from members.values()


def _problem_schema(kind: ProblemType) -> Json:
    members = {name: _own_schema(member) for name, member in MEMBERS.get(kind, {}).items()}
    fixed = {"type": kind.uri, "title": kind.title, "status": kind.status}
    return {
        "title": _name(kind),
        "description": kind.meaning,
        "type": "object",
        "properties": {
            **{name: {"const": value} for name, value in fixed.items()},
            "detail": {"type": "string"},
            **members,
        },
        "required": [*fixed, "detail", *members],
    }


def _content(answer: type[Any] | UnionType | str) -> Json:
    if isinstance(answer, str):
        return {answer: {"schema": {} if answer == "application/json" else {"type": "string"}}}
    schemas = [_ref("schemas", kind.__name__) for kind in _kinds(answer)]
    return {"application/json": {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}}


def _kinds(answer: type[Any] | UnionType | str | None) -> tuple[type[Any], ...]:
    """The messages that an answer can be."""
    if isinstance(answer, UnionType):
        return get_args(answer)
    return (answer,) if isinstance(answer, type) else ()


def _own_schema(kind: type[Any]) -> Json:
    """Of a struct its own schema, of anything else the schema that refers to structs."""
    (schema,), components = msgspec.json.schema_components((kind,), ref_template=REF)
    return components[kind.__name__] if hasattr(kind, "__struct_fields__") else schema


def _tidy(schema: Json) -> Json:
    """Docstrings quote with two backticks, Markdown with one."""
    return {**schema, "description": schema["description"].replace("``", "`")}


def _not_null(schema: Json) -> Json:
    """A parameter that is not given is left out, not null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return kinds[0] if kinds else {name: value for name, value in schema.items() if (name, value) != ("default", None)}


def _in_path(operation: Operation) -> list[str]:
    return [part.strip("{}") for part in operation.path.split("/") if part.startswith("{")]


def _name(kind: ProblemType) -> str:
    return "".join(part.capitalize() for part in kind.name.split("-")) + "Problem"


def _ref(section: str, name: str) -> Json:
    return {"$ref": f"#/components/{section}/{name}"}
