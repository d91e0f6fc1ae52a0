"""JSON in and out: what is parsed is valid, what is dumped can be parsed."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from bazar.contracts.mistakes import explain

M = TypeVar("M")

#: The largest integer that every JSON reader holds exactly (RFC 8259 section 6).
LARGEST_JSON_INTEGER = 2**53 - 1

#: How many of a list one answer has.
MOST_ON_A_PAGE = 100
PageSize = Annotated[int, msgspec.Meta(ge=1, le=MOST_ON_A_PAGE)]
DEFAULT_PAGE_SIZE = 20

_INTEGER = re.compile("0|-?[1-9][0-9]*")


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


def parse(data: bytes, kind: type[M]) -> M:
    """Read ``data`` as ``kind``; raises Malformed or Invalid, nothing else, whatever the bytes."""
    try:
        message = msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(error, kind) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"The body is no JSON that can be read: {error}") from None
    if issubclass(kind, PublicRequest):
        _refuse_doubled_names(data)
    return message


def convert(values: dict[str, Any], kind: type[M]) -> M:
    """Read strings, of a query or a form, as ``kind``; raises Invalid. Integers are digits, not ``1.0`` or ``1e1``."""
    try:
        read = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error, kind) from None
    _refuse_other_integers("", values, read)
    return read


def dump(message: object) -> bytes:
    """The JSON of a message."""
    return msgspec.json.encode(message)


def _refuse_doubled_names(data: bytes) -> None:
    """Two values under one name (RFC 8259 section 4): readers differ in which one they see."""
    _NAMES.decode(data.decode())


def _look_for_doubled(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise Invalid(name, "is there more than once")
            seen.add(name)


_NAMES = json.JSONDecoder(object_pairs_hook=_look_for_doubled)


def _refuse_other_integers(field: str, sent: object, read: object) -> None:
    """msgspec takes ``1e1`` for 10 where strings stand for numbers: whoever typed that hardly wants ten copies."""
    if isinstance(sent, str):
        if type(read) is int and not _INTEGER.fullmatch(sent):
            raise Invalid(field, f"{sent!r} is not written in plain digits")
        return
    if isinstance(sent, Mapping):
        inside = [(name, value, getattr(read, name, None)) for name, value in sent.items()]
    elif isinstance(sent, list) and isinstance(read, tuple):
        inside = [(str(index), *pair) for index, pair in enumerate(zip(sent, read, strict=True))]
    else:
        return
    for name, value, value_read in inside:
        _refuse_other_integers(f"{field}.{name}" if field else name, value, value_read)


def _invalid(error: msgspec.ValidationError, kind: type[Any]) -> Invalid:
    mistake = explain(error, kind)
    return Invalid(mistake.field, mistake.detail)
