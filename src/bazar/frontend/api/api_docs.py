"""The OpenAPI document as its page shows it: references resolved, schemas in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """What a value can be: words, and the name of the object that they speak of, if any."""

    words: str
    ref: str | None = None


@dataclass(frozen=True)
class Field:
    """A parameter, a header field, or a member of an object. ``place``: path, query, header or nothing."""

    name: str
    kind: Kind
    required: bool
    description: str
    place: str = ""


@dataclass(frozen=True)
class Answer:
    """What comes back with one status; ``headers`` are the names of its header fields."""

    status: str
    description: str
    kinds: Sequence[Kind]
    headers: Sequence[str]


@dataclass(frozen=True)
class Call:
    """One operation."""

    anchor: str
    method: str
    path: str
    summary: str
    who: str
    fields: Sequence[Field]
    body: Kind | None
    answers: Sequence[Answer]


@dataclass(frozen=True)
class Section:
    """The calls of one tag."""

    title: str
    calls: Sequence[Call]


@dataclass(frozen=True)
class Object:
    """A named schema. ``problem`` is the address of its page where it is a problem document."""

    name: str
    description: str
    fields: Sequence[Field]
    problem: str | None


@dataclass(frozen=True)
class Page:
    """All that the template shows."""

    title: str
    description: str
    sections: Sequence[Section]
    objects: Sequence[Object]


def page_of(document: Json) -> Page:
    """The page of an OpenAPI document as ``openapi.document`` makes it."""
    calls = [
        (operation["tags"][0], _call(document, path, method, operation))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    titles = [tag["name"] for tag in document["tags"]]
    return Page(
        title=document["info"]["title"],
        description=document["info"]["description"],
        sections=[Section(title, [call for tag, call in calls if tag == title]) for title in titles],
        objects=[_object(name, schema) for name, schema in document["components"]["schemas"].items()],
    )


def _call(document: Json, path: str, method: str, operation: Json) -> Call:
    parameters = [_resolved(document, parameter) for parameter in operation["parameters"]]
    body = operation.get("requestBody")
    return Call(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        who=operation.get("description", "For everybody."),
        fields=[
            Field(
                name=parameter["name"],
                kind=_kind(parameter["schema"]),
                required=parameter.get("required", False),
                description=parameter.get("description", ""),
                place=parameter["in"],
            )
            for parameter in parameters
        ],
        body=None if body is None else _kind(body["content"]["application/json"]["schema"]),
        answers=[_answer(status, answer) for status, answer in operation["responses"].items()],
    )


def _answer(status: str, answer: Json) -> Answer:
    schemas = [content["schema"] for content in answer.get("content", {}).values()]
    return Answer(
        status=status,
        description=answer["description"],
        kinds=[kind for schema in schemas for kind in _kinds(schema)],
        headers=list(answer.get("headers", {})),
    )


def _object(name: str, schema: Json) -> Object:
    required = schema.get("required", ())
    properties = schema.get("properties", {})
    fields = [
        Field(field, _kind(kind), field in required, kind.get("description", "")) for field, kind in properties.items()
    ]
    return Object(name, schema.get("description", ""), fields, properties.get("type", {}).get("const"))


def _kinds(schema: Json) -> Iterator[Kind]:
    for one in schema.get("oneOf") or schema.get("anyOf") or (schema,):
        if one:
            yield _kind(one)


def _kind(schema: Json) -> Kind:
    """Words for a schema of the few forms that our messages have."""
    match schema:
        case {"$ref": str(ref)}:
            return Kind("", ref.rpartition("/")[2])
        case {"anyOf": parts}:
            kinds = [_kind(part) for part in parts]
            named = next((kind.ref for kind in kinds if kind.ref), None)
            return Kind(" or ".join(kind.words for kind in kinds if kind.words), named)
        case {"type": "array", "items": items}:
            inner = _kind(items)
            return Kind(f"list{_limits(schema, 'minItems', 'maxItems')} of {inner.words}", inner.ref)
        case {"type": "object", "additionalProperties": values}:
            inner = _kind(values)
            return Kind(f"object of {inner.words}", inner.ref)
    if values := [schema["const"]] if "const" in schema else schema.get("enum"):
        return Kind(", ".join(map(str, values)))
    words = str(schema.get("type", "anything"))
    return Kind(words + _limits(schema, "minimum", "maximum") + _limits(schema, "minLength", "maxLength"))


def _limits(schema: Json, least: str, most: str) -> str:
    if least in schema and most in schema:
        return f" ({schema[least]} to {schema[most]})"
    if most in schema:
        return f" (at most {schema[most]})"
    return f" (at least {schema[least]})" if least in schema else ""


def _resolved(document: Json, parameter: Json) -> Json:
    if "$ref" not in parameter:
        return parameter
    found: Json = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
    return found
