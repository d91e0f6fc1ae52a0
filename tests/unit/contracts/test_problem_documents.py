"""Problem documents (RFC 9457): what one service writes, the other reads."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bazar.contracts.problems import OUT_OF_STOCK, PROBLEM_TYPES, ProblemType, read_problem
from bazar.contracts.wire import Malformed

#: Of the document itself, and of ``because``.
OTHERS = {"type", "title", "status", "detail", "retry_after_seconds"}
MEMBERS = st.dictionaries(
    st.text(min_size=1, max_size=10).filter(lambda name: name.isidentifier() and name not in OTHERS),
    st.integers(-(2**53), 2**53) | st.text() | st.lists(st.booleans()),
    max_size=3,
)


@given(st.sampled_from(sorted(PROBLEM_TYPES)), st.text(), MEMBERS)
def test_a_problem_is_read_back_with_its_type_detail_and_members(
    name: str, detail: str, members: dict[str, Any]
) -> None:
    sent = PROBLEM_TYPES[name].because(detail, **members)
    assert read_problem(sent.dump()) == sent


def test_the_document_has_what_the_rfc_names() -> None:
    document = msgspec.json.decode(OUT_OF_STOCK.because("No copies.", 3, lines=[]).dump())
    assert document == {
        "type": "/problems/out-of-stock",
        "title": OUT_OF_STOCK.title,
        "status": 409,
        "detail": "No copies.",
        "lines": [],
    }


@pytest.mark.parametrize("kind", PROBLEM_TYPES.values(), ids=lambda kind: kind.name)
def test_each_type_is_known_by_a_name_that_fits_an_address_and_says_what_it_means(kind: ProblemType) -> None:
    assert re.fullmatch("[a-z]+(-[a-z]+)*", kind.name)
    assert 400 <= kind.status < 600
    assert kind.title
    assert kind.meaning


@given(st.binary() | st.dictionaries(st.text() | st.just("type"), st.integers() | st.text()).map(msgspec.json.encode))
def test_any_bytes_are_a_problem_of_a_known_type_or_malformed(data: bytes) -> None:
    try:
        found = read_problem(data)
    except Malformed:
        return
    assert found.type in PROBLEM_TYPES.values()


@pytest.mark.parametrize(
    "data", [b"[]", b"{}", b'{"type": []}', b'{"type": "\\ud800"}', b"\xff", b'{"type":' + b"[" * 1_000_000]
)
def test_hostile_documents_are_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_problem(data)
