"""Baskets: what is in them, what joins them, and what has changed of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bazar.contracts.books import MOST_COPIES_A_LINE, BookSummary, Money
from bazar.frontend.domain.basket import (
    MOST_TITLES,
    Basket,
    BasketFull,
    BasketLine,
    LineState,
    checked,
)

ITEMS = st.integers(1, 150)
COPIES = st.integers(1, MOST_COPIES_A_LINE)


def usd(amount: int) -> Money:
    return Money(amount=amount, currency="USD")


def line(item_number: int, quantity: int = 1, price: int = 1000) -> BasketLine:
    return BasketLine(item_number, quantity, f"Volume {item_number}", usd(price))


def shelved(item_number: int, quantity: int = 10, price: int = 1000) -> BookSummary:
    return BookSummary(
        item_number=item_number,
        title=f"Volume {item_number}",
        authors=(),
        subjects=(),
        price=usd(price),
        quantity=quantity,
    )


def basket(*lines: BasketLine, key: str = "key") -> Basket:
    return Basket(key, lines)


BASKETS = st.dictionaries(ITEMS, COPIES, max_size=MOST_TITLES).map(
    lambda copies: basket(*(line(item, quantity) for item, quantity in copies.items()))
)


def test_a_book_that_is_put_in_again_is_one_line_as_it_was_seen_last() -> None:
    twice = basket(line(1, 2), line(2)).put(line(1, 3, price=1200))
    assert twice.lines == (line(1, 5, price=1200), line(2))
    assert twice.copies == 6


@given(BASKETS, ITEMS, COPIES)
def test_a_basket_never_holds_more_than_an_order_can(before: Basket, item_number: int, quantity: int) -> None:
    try:
        after = before.put(line(item_number, quantity))
    except BasketFull:
        assert len(before.lines) == MOST_TITLES
        assert not before.quantity_of(item_number)
        return
    assert len(after.lines) <= MOST_TITLES
    assert after.quantity_of(item_number) == min(before.quantity_of(item_number) + quantity, MOST_COPIES_A_LINE)


def test_what_is_put_in_at_least_is_not_more_than_a_line_can_have() -> None:
    own = basket(line(1, 2), line(2, 5), line(3))
    wanted = [line(1, 3, price=1200), line(2, 4, price=1200), line(4, MOST_COPIES_A_LINE + 1)]
    together = basket(line(1, 3, price=1200), line(2, 5), line(3), line(4, MOST_COPIES_A_LINE))
    assert own.put_at_least(wanted) == together
    assert together.put_at_least(wanted) == together


def test_numbers_are_changed_only_of_what_is_there_and_none_takes_it_out() -> None:
    changed = basket(line(1), line(2), line(3)).set({1: 7, 2: 0, 99: 4})
    assert changed.lines == (line(1, 7), line(3))


@given(BASKETS, BASKETS)
def test_a_joined_basket_has_the_larger_number_of_each(own: Basket, brought: Basket) -> None:
    joined = own.joined_by(brought)
    assert joined.purchase_key == own.purchase_key
    assert len({one.item_number for one in joined.lines}) == len(joined.lines) <= MOST_TITLES
    for one in joined.lines:
        assert one.quantity == max(own.quantity_of(one.item_number), brought.quantity_of(one.item_number))
    assert {one.item_number for one in own.lines} <= {one.item_number for one in joined.lines}
    assert joined.joined_by(brought) == joined


def test_joining_fills_up_what_there_is_room_for() -> None:
    own = basket(*(line(number) for number in range(1, MOST_TITLES)))
    joined = own.joined_by(basket(line(500), line(1, 9), line(501)))
    assert (joined.quantity_of(500), joined.quantity_of(1), joined.quantity_of(501)) == (1, 9, 0)


def test_what_was_bought_is_taken_out_once() -> None:
    before = basket(line(1, 3), line(2))
    after = before.bought({1: 2, 2: 1}, "key", "another")
    assert after == basket(line(1, 1), key="another")
    assert after.bought({1: 2, 2: 1}, "key", "a third") == after


def test_a_refused_purchase_leaves_the_books_and_takes_the_key() -> None:
    before = basket(line(1))
    assert before.refused("key", "another") == basket(line(1), key="another")
    assert before.refused("an older key", "another") == before


@pytest.mark.parametrize(
    ("wanted", "on_shelf", "state", "available"),
    [
        (2, 2, LineState.FINE, 2),
        (3, 2, LineState.TOO_FEW, 2),
        (1, 0, LineState.SOLD_OUT, 0),
        (1, None, LineState.WITHDRAWN, 0),
    ],
)
def test_each_line_says_what_keeps_it_from_being_bought(
    wanted: int, on_shelf: int | None, state: LineState, available: int
) -> None:
    books = () if on_shelf is None else (shelved(1, on_shelf),)
    (found,) = checked(basket(line(1, wanted)), books).lines
    assert (found.state, found.available) == (state, available)
    assert checked(basket(line(1, wanted)), books).can_be_bought is (state is LineState.FINE)


def test_the_total_is_of_the_prices_of_now_and_the_former_ones_are_told() -> None:
    found = checked(basket(line(1, 2), line(2, 3)), (shelved(1, price=1100), shelved(2)))
    assert found.total == usd(2 * 1100 + 3 * 1000)
    assert [one.former_price for one in found.lines] == [usd(1000), None]
    assert found.copies == 5


def test_an_empty_basket_cannot_be_bought_and_costs_nothing() -> None:
    empty = checked(basket(), ())
    assert (empty.can_be_bought, empty.total) == (False, None)
