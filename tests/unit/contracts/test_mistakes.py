"""Whoever sends what does not fit is told where, what is wrong, and what is allowed."""

from contextlib import suppress
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bazar.contracts.books import BookChange, NewBook, WordsQuery
from bazar.contracts.text import WORDS
from bazar.contracts.wire import Invalid, Malformed, PublicRequest, convert, parse


class Leaf(PublicRequest, frozen=True):
    size: int = 0
    colour: Literal["red", "green"] = "red"


class Tree(PublicRequest, frozen=True):
    name: str
    leaves: tuple[Leaf, ...] = ()
    highest: Leaf | None = None
    alive: bool = True


def mistake(body: bytes, kind: type[object] = Tree) -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        parse(body, kind)
    return caught.value.field, caught.value.detail


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        (b"1", "", "Expected `object`, got `int`; allowed: name, leaves, highest, alive"),
        (b"{}", "name", "is missing; allowed: text"),
        (b'{"name":1}', "name", "Expected `str`, got `int`; allowed: text"),
        (b'{"name":"x","age":1}', "age", "unknown field; allowed: name, leaves, highest, alive"),
        (b'{"name":"x","alive":1}', "alive", "Expected `bool`, got `int`; allowed: true, false"),
        (b'{"name":"x","leaves":1}', "leaves", "Expected `array`, got `int`; allowed: a list long"),
        (b'{"name":"x","leaves":[{},{"size":"1"}]}', "leaves.1.size", "Expected `int`, got `str`; allowed: an integer"),
        (b'{"name":"x","leaves":[{"age":1}]}', "leaves.0.age", "unknown field; allowed: size, colour"),
        (
            b'{"name":"x","highest":{"colour":"blue"}}',
            "highest.colour",
            "Invalid enum value 'blue'; allowed: green, red",
        ),
        (b'{"name":"x","name":"y"}', "name", "is there more than once"),
        (b'{"name":"x","highest":{"size":1,"size":2}}', "size", "is there more than once"),
    ],
)
def test_a_mistake_says_where_what_and_what_is_allowed(body: bytes, field: str, detail: str) -> None:
    assert mistake(body) == (field, detail)


@pytest.mark.parametrize("name", ["", "x`y", "a - at `$.b`", "\\u0000", "unknown field `z`", "$[0]"])
def test_an_unknown_field_may_have_any_name(name: str) -> None:
    field, detail = mistake(f'{{"name":"x","{name}":1}}'.encode())
    assert (field, detail) == (name.replace("\\u0000", "\0"), "unknown field; allowed: name, leaves, highest, alive")


def test_a_pattern_is_told_in_words_and_none_is_without() -> None:
    for body, kind in (
        (b'{"title":" "}', BookChange),
        (b'{"isbn":"x"}', BookChange),
        (b'{"language":"x"}', BookChange),
        (b'{"price":{"amount":1,"currency":"x"}}', BookChange),
        (b'{"reason":"\\u0000"}', BookChange),
    ):
        _, detail = mistake(body, kind)
        assert any(words in detail for words in WORDS.values())
        assert "regex" not in detail


def test_what_python_and_json_readers_see_differently_is_refused() -> None:
    """Python's ``$`` would let a last newline through."""
    for field in ('"language":"en\\n"', '"isbn":"0306406152\\n"', '"price":{"amount":1,"currency":"USD\\n"}'):
        mistake(f"{{{field}}}".encode(), BookChange)
    with pytest.raises(Invalid):
        convert({"cursor": "1\n"}, WordsQuery)


@given(st.binary() | st.text().map(str.encode))
def test_whatever_the_bytes_nothing_else_is_raised(data: bytes) -> None:
    for kind in (Tree, NewBook, BookChange):
        with suppress(Invalid, Malformed):
            parse(data, kind)
