"""Turns of request bodies: so many at a time, and so many of one address."""

from contextlib import ExitStack

import pytest

from bazar.chassis.bodies import TooManyBodies, Turns


def test_one_address_cannot_have_all_turns() -> None:
    turns = Turns(most=4, most_of_one=2)
    with ExitStack() as under_way:
        for _ in range(2):
            under_way.enter_context(turns.turn("greedy"))
        with pytest.raises(TooManyBodies):
            under_way.enter_context(turns.turn("greedy"))
        under_way.enter_context(turns.turn("modest"))


def test_all_addresses_together_have_so_many_turns() -> None:
    turns = Turns(most=2, most_of_one=2)
    with turns.turn("one"), turns.turn("other"), pytest.raises(TooManyBodies), turns.turn("third"):
        pytest.fail("a third turn of two")


def test_whoever_has_all_turns_of_an_address_does_not_even_wait() -> None:
    turns = Turns(most=4, most_of_one=1)

    def no_wait(*_arguments: object) -> bool:
        raise AssertionError("it waited")

    turns._changed.wait_for = no_wait  # type: ignore[method-assign, assignment]  # waiting shows
    with turns.turn("greedy"), pytest.raises(TooManyBodies), turns.turn("greedy"):
        pytest.fail("a second turn of one")


def test_a_turn_comes_back_whatever_happens_in_it() -> None:
    turns = Turns(most=1, most_of_one=1)
    with pytest.raises(ZeroDivisionError), turns.turn("one"):
        raise ZeroDivisionError
    with turns.turn("one"):
        pass
