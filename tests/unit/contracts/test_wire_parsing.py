"""Whatever bytes arrive, a message or one of two errors comes out; what was dumped comes back."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from bazar.contracts import accounts, books, purchasing
from bazar.contracts.wire import Invalid, Malformed, convert, dump, parse

MESSAGES = [
    value
    for module in (accounts, books, purchasing)
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__
]
QUERIES = [
    books.SubjectQuery,
    books.WordsQuery,
    books.HistoryQuery,
    books.ChangesQuery,
    purchasing.OrdersQuery,
    purchasing.OrderQuery,
    purchasing.OpenHoldsQuery,
]
#: Of integers without bounds: what every JSON reader holds exactly.
LARGEST = 2**53 - 1
QUICK = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def values_of(kind: inspect.Type) -> st.SearchStrategy[Any]:  # noqa: PLR0911, C901 - one line a type
    """What a type of msgspec allows."""
    match kind:
        case inspect.Metadata(type=inner):
            return values_of(inner)
        case inspect.StructType(cls=cls, fields=fields):
            given_fields = {field.encode_name: values_of(field.type) for field in fields if field.required}
            left_out = {field.encode_name: values_of(field.type) for field in fields if not field.required}
            return st.fixed_dictionaries(given_fields, optional=left_out).map(lambda found: cls(**found))
        case inspect.IntType(ge=least, le=most):
            return st.integers(-LARGEST if least is None else least, LARGEST if most is None else most)
        case inspect.StrType(pattern=str(pattern)):
            shortest, longest = kind.min_length or 0, min(kind.max_length or 60, 60)
            return st.from_regex(pattern, fullmatch=True).filter(lambda text: shortest <= len(text) <= longest)
        case inspect.StrType():
            return st.text(min_size=kind.min_length or 0, max_size=min(kind.max_length or 60, 60))
        case inspect.VarTupleType(item_type=item):
            return st.lists(values_of(item), min_size=kind.min_length or 0, max_size=3).map(tuple)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(values_of(key), values_of(value), max_size=3)
        case inspect.UnionType(types=types):
            return st.one_of([values_of(one) for one in types])
        case inspect.LiteralType(values=allowed):
            return st.sampled_from(allowed)
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.AnyType():
            return st.text(max_size=60) | st.lists(st.integers(-LARGEST, LARGEST), max_size=3)
    raise NotImplementedError(kind)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=8)
HOSTILE = [
    b"",
    b"\xff\xfe",
    b'{"a": "\xff"}',
    b'{"title": "\\ud800"}',
    b'{"title": "\\u0000"}',
    b"1e999",
    b"-",
    b"NaN",
    b"9" * 10_000,
    b"[" * 1_000_000,
    b'{"unknown":' + b'{"deeper":' * 300_000,
    b'{"unknown":' + b"[" * 400_000 + b"]" * 400_000 + b"}",
]


def outcome(reader: Callable[[], object]) -> object:
    """What a reader returns, or its error where that is one of the two that a caller knows."""
    try:
        return reader()
    except (Malformed, Invalid) as error:
        return error


@pytest.mark.parametrize("kind", MESSAGES)
def test_what_is_dumped_is_parsed_back(kind: type[Any]) -> None:
    @QUICK
    @given(values_of(inspect.type_info(kind)))
    def check(message: object) -> None:
        assert parse(dump(message), kind) == message

    check()


@pytest.mark.parametrize("kind", MESSAGES)
def test_any_bytes_are_a_message_or_malformed_or_invalid(kind: type[Any]) -> None:
    fields = [field.encode_name for field in msgspec.structs.fields(kind)]
    near = st.dictionaries(st.sampled_from(fields), JSON) if fields else JSON

    @QUICK
    @given(st.one_of(st.binary(), JSON.map(msgspec.json.encode), near.map(msgspec.json.encode)))
    def check(data: bytes) -> None:
        assert isinstance(outcome(lambda: parse(data, kind)), kind | Malformed | Invalid)

    check()


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: repr(data[:20]))
@pytest.mark.parametrize("kind", [books.NewBook, purchasing.PlaceOrder, purchasing.HoldBatch, books.BookChange])
def test_hostile_bytes_are_malformed_or_invalid(kind: type[Any], data: bytes) -> None:
    with pytest.raises((Malformed, Invalid)):
        parse(data, kind)


@pytest.mark.parametrize("text", ["1.0", "1e1", "1E1", "10.0e0", "+1", "01", " 1", "1_0", "\N{FULLWIDTH DIGIT ONE}"])
def test_a_number_in_a_query_or_a_form_is_digits(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        convert({"subject": "history", "limit": text}, books.SubjectQuery)
    assert refused.value.field == "limit"


@pytest.mark.parametrize("kind", QUERIES)
def test_any_strings_are_a_query_or_invalid(kind: type[Any]) -> None:
    fields = [field.encode_name for field in msgspec.structs.fields(kind)]
    hostile = st.sampled_from(
        ["9" * 5000, "\N{ARABIC-INDIC DIGIT ONE}", "1_0", "+1", "0x1", "1e3", "1.0", "nan", "null", "true"]
    )

    @QUICK
    @given(st.dictionaries(st.sampled_from(fields) | st.text(), hostile | st.text(), max_size=4))
    def check(values: dict[str, str]) -> None:
        assert isinstance(outcome(lambda: convert(values, kind)), kind | Invalid)

    check()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"[]", ""),
        (b'{"title": 1}', "title"),
        (b'{"title": "T", "authors": ["A", 2], "subjects": []}', "authors.1"),
        (b'{"title": "T", "authors": [], "subjects": [], "price": {"amount": -1, "currency": "USD"}}', "price.amount"),
        (b'{"colour": "red"}', "colour"),
    ],
)
def test_invalid_names_the_field(data: bytes, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(data, books.NewBook)
    assert caught.value.field == field


def test_a_field_that_nobody_knows_is_refused_from_outside_and_passed_over_between_services() -> None:
    with pytest.raises(Invalid, match="title, authors, subjects, price, stock"):
        parse(b'{"colour": "red"}', books.NewBook)
    assert parse(b'{"number": 1, "item_number": 2, "version": 3, "later": []}', books.Change) == books.Change(
        number=1, item_number=2, version=3
    )
