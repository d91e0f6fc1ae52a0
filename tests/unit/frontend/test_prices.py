"""Prices in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bazar.contracts.books import HIGHEST_PRICE_MINOR, Money
from bazar.frontend.domain.money import minor_digits, price_text, times


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (4000, "USD", "$40.00"),
        (5, "USD", "$0.05"),
        (123456789, "EUR", "€1,234,567.89"),
        (1200, "JPY", "¥1,200"),
        (0, "JPY", "¥0"),
        (3500, "KWD", "KWD\N{NO-BREAK SPACE}3.500"),
        (1, "CLF", "CLF\N{NO-BREAK SPACE}0.0001"),
        (999, "CAD", "CAD\N{NO-BREAK SPACE}9.99"),
    ],
)
def test_prices_have_the_digits_of_their_currency(amount: int, currency: str, text: str) -> None:
    assert price_text(Money(amount=amount, currency=currency)) == text


@given(st.integers(0, HIGHEST_PRICE_MINOR), st.sampled_from(["USD", "JPY", "KWD", "CLF", "SEK"]))
def test_no_minor_unit_is_lost_in_words(amount: int, currency: str) -> None:
    text = price_text(Money(amount=amount, currency=currency))
    assert int("".join(filter(str.isdigit, text))) == amount
    assert len(text.partition(".")[2]) == minor_digits(currency)


def test_several_copies_cost_as_many_times_the_price() -> None:
    assert times(Money(amount=1250, currency="USD"), 3) == Money(amount=3750, currency="USD")
