"""JSON in and out: what is parsed is valid, what is dumped can be parsed."""

import re
from typing import Annotated, Any, TypeVar

import msgspec

M = TypeVar("M")

#: The largest integer that every JSON reader holds exactly (RFC 8259 section 6).
LARGEST_JSON_INTEGER = 2**53 - 1

#: A string without U+0000, which PostgreSQL cannot store.
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$", max_length=10_000)]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Between services: a field that the reader does not know is passed over.

    So a service and its neighbour can be upgraded in any order.
    """


class PublicRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From outside: a field that we do not know is a mistake that the sender wants to hear of."""


class Malformed(Exception):
    """The bytes are no JSON."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(Exception):
    """The JSON does not fit. ``field`` is dotted ("lines.0.quantity"), empty for the whole body."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field or 'body'}: {detail}")
        self.field = field
        self.detail = detail


_MESSAGE = re.compile(r"^(?P<detail>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN_FIELD = re.compile(r"unknown field `(?P<name>.*)`", re.DOTALL)


def parse(data: bytes, kind: type[M]) -> M:
    """Read ``data`` as ``kind``; raises Malformed or Invalid, nothing else, whatever the bytes."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(error, kind) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"The body is no JSON that can be read: {error}") from None


def convert(values: dict[str, Any], kind: type[M]) -> M:
    """Read strings, of a query or a form, as ``kind``; raises Invalid."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error, kind) from None


def dump(message: object) -> bytes:
    """The JSON of a message."""
    return msgspec.json.encode(message)


def _invalid(error: msgspec.ValidationError, kind: type[Any]) -> Invalid:
    match = _MESSAGE.match(str(error))
    detail, path = (match["detail"], match["path"] or "") if match else (str(error), "")
    field = path.removeprefix("$").replace("[", ".").replace("]", "").lstrip(".")
    unknown = _UNKNOWN_FIELD.search(detail)
    if unknown:
        field = f"{field}.{unknown['name']}".lstrip(".")
        if not path and issubclass(kind, msgspec.Struct):
            detail = f"unknown field; allowed are {', '.join(kind.__struct_encode_fields__)}"
        else:
            detail = "unknown field"
    return Invalid(field, detail)
