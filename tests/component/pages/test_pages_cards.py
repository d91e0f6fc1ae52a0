"""Books in lists are drawn once for as long as they look the same."""

import pytest
from markupsafe import Markup

from bazar.contracts.books import BookSummary, Money
from bazar.frontend.pages import cards
from bazar.frontend.pages.cards import Cards
from bazar.frontend.pages.limits import FEW_LEFT_BELOW
from shop_window import Shop


def book(copies: int, amount: int = 1250) -> BookSummary:
    price = Money(amount=amount, currency="USD")
    return BookSummary(item_number=2, title="Red", authors=("Ada Quill",), subjects=(), price=price, quantity=copies)


@pytest.mark.parametrize(
    ("before", "after", "times_drawn"),
    [
        (book(FEW_LEFT_BELOW + 9), book(FEW_LEFT_BELOW + 8), 1),
        (book(FEW_LEFT_BELOW + 1), book(FEW_LEFT_BELOW), 1),
        (book(FEW_LEFT_BELOW), book(FEW_LEFT_BELOW - 1), 2),
        (book(1), book(0), 2),
        (book(5), book(5, amount=1300), 2),
    ],
)
def test_a_book_is_drawn_anew_only_where_it_looks_different(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, before: BookSummary, after: BookSummary, times_drawn: int
) -> None:
    real, drawn = cards._drawn, []

    def draw(look: str, what: BookSummary) -> Markup:
        drawn.append(what)
        return real(look, what)

    monkeypatch.setattr(cards, "_drawn", draw)
    looks = Cards()
    with shop.app.test_request_context("/"):
        for look in (looks.card_of, looks.line_of):
            drawn.clear()
            seen = {look(shown) for shown in (before, after, after)}
            assert len(seen) == len(drawn) == times_drawn
