"""What does not fit in a message, said so that its sender can mend it: where, what is wrong, what is allowed.

It reads the texts of msgspec's errors: msgspec says nothing in any other form. Tests hold each form that is read here.
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import inspect

from bazar.contracts.text import WORDS

_MESSAGE = re.compile(r"^(?P<detail>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN_FIELD = re.compile(r"unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING_FIELD = re.compile(r"missing required field `(?P<name>[^`]*)`")
#: A pattern tells people nothing; its words do.
_REGEX = re.compile(r"Expected `str` matching regex .*", re.DOTALL)


@dataclass(frozen=True)
class Mistake:
    """``field`` is dotted ("lines.0.quantity"), empty for the whole message."""

    field: str
    detail: str


def explain(error: msgspec.ValidationError, kind: type[Any]) -> Mistake:
    """The mistake in what was to be a ``kind``."""
    match = _MESSAGE.match(str(error))
    detail, path = (match["detail"], match["path"] or "") if match else (str(error), "")
    field = path.removeprefix("$").replace("[", ".").replace("]", "").lstrip(".")
    allowed = _allowed(_type_at(field, kind))
    if unknown := _UNKNOWN_FIELD.search(detail):
        return Mistake(f"{field}.{unknown['name']}".lstrip("."), f"unknown field; allowed: {allowed}")
    if missing := _MISSING_FIELD.search(detail):
        field = f"{field}.{missing['name']}".lstrip(".")
        return Mistake(field, f"is missing; allowed: {_allowed(_type_at(field, kind))}")
    return Mistake(field, f"{_REGEX.sub('does not fit', detail)}; allowed: {allowed}")


def _type_at(field: str, kind: type[Any]) -> inspect.Type:
    node = _bare(inspect.type_info(kind))
    for step in filter(None, field.split(".")):
        if isinstance(node, inspect.StructType):
            node = next((_bare(each.type) for each in node.fields if each.encode_name == step), node)
        elif isinstance(node, inspect.VarTupleType):
            node = _bare(node.item_type)
    return node


def _bare(node: inspect.Type) -> inspect.Type:
    """Without what it carries for JSON Schema; of a union that which is not null or left out."""
    if isinstance(node, inspect.Metadata):
        return _bare(node.type)
    if isinstance(node, inspect.UnionType):
        return next(_bare(part) for part in node.types if not isinstance(part, inspect.NoneType))
    return node


def _allowed(node: inspect.Type) -> str:
    match node:
        case inspect.StructType():
            words = ", ".join(each.encode_name for each in node.fields)
        case inspect.LiteralType():
            words = ", ".join(map(str, node.values))
        case inspect.IntType():
            words = f"an integer{_range(node.ge, node.le)}"
        case inspect.StrType():
            words = WORDS.get(node.pattern or "", "text")
            words += "" if node.max_length is None else f", at most {node.max_length} characters"
        case inspect.VarTupleType():
            words = f"a list{_range(node.min_length, node.max_length)} long"
        case inspect.BoolType():
            words = "true, false"
        case _:
            words = "something else"
    return words


def _range(least: int | None, most: int | None) -> str:
    from_least = "" if least is None else f" from {least}"
    return from_least + ("" if most is None else f" to {most}")
