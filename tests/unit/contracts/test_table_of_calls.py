"""The table of calls: who may call what, by which path."""

import re
from importlib import import_module

import msgspec
import pytest

from bazar.chassis.converters import Base32Id, PositiveInteger
from bazar.contracts.call import Call
from bazar.contracts.calls import CALLS
from bazar.contracts.names import CATALOG, FRONTEND, OPERATOR, ORDER

#: Placeholder → the converter under that name in the services' applications.
CONVERTERS = {"item_number": PositiveInteger, "order_id": Base32Id}
SAMPLES = {"item_number": 9007199254740991, "order_id": "a" * 32}

every_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.service} {call.method} {call.path}")


def placeholders(call: Call[object, object]) -> list[str]:
    return re.findall(r"\{(\w+)\}", call.path)


def test_no_two_calls_of_a_service_share_method_and_path() -> None:
    addresses = [(call.service, call.method, re.sub(r"\{\w+\}", "{}", call.path)) for call in CALLS]
    assert len(addresses) == len(set(addresses)) > 0


def test_the_table_holds_every_call_that_the_module_names() -> None:
    named = [value for value in vars(import_module("bazar.contracts.calls")).values() if isinstance(value, Call)]
    assert list(CALLS) == named


@every_call
def test_each_placeholder_has_a_converter_that_takes_what_the_caller_writes(call: Call[object, object]) -> None:
    for name in placeholders(call):
        assert re.fullmatch(CONVERTERS[name].regex, str(SAMPLES[name]))
    path = call.path_for(**{name: SAMPLES[name] for name in placeholders(call)})
    assert not set("{}<> ") & set(path)


@every_call
def test_the_callers_are_services_that_may_call_this_one(call: Call[object, object]) -> None:
    allowed = {CATALOG: {FRONTEND, ORDER, OPERATOR}, ORDER: {FRONTEND}}
    assert call.callers
    assert call.callers <= allowed[call.service]


@every_call
def test_a_get_asks_with_a_flat_query_and_changes_nothing(call: Call[object, object]) -> None:
    assert issubclass(call.request, msgspec.Struct)
    if call.method == "GET":
        assert call.repeatable
        kinds = [field.type for field in msgspec.inspect.type_info(call.request).fields]  # type: ignore[attr-defined]  # a Struct
        assert not [kind for kind in kinds if isinstance(kind, msgspec.inspect.StructType)]


def test_only_what_may_be_done_twice_is_repeated() -> None:
    once = {(call.service, call.method, call.path) for call in CALLS if not call.repeatable}
    assert once == {
        (CATALOG, "POST", "/books"),
        (CATALOG, "PATCH", "/books/{item_number}"),
        (CATALOG, "DELETE", "/books/{item_number}"),
    }
