"""Books in lists, as HTML: each is drawn once and remembered for as long as it looks the same."""

from functools import lru_cache

from flask import Blueprint, current_app
from markupsafe import Markup
from msgspec.structs import replace

from bazar.contracts.books import BookSummary
from bazar.frontend.pages.limits import FEW_LEFT_BELOW
from bazar.frontend.pages.wording import locale

#: Of each look; a card is some 2 kB of text, a line half of one: 25 MB where a shop shows so many books in turn.
MOST_REMEMBERED = 10_000


class Cards:
    """The looks of books, by what is shown of them and the language: another price is another card.

    A sale out of many copies is none, since a card tells the number of the last few alone.
    """

    def __init__(self) -> None:
        self._card = lru_cache(MOST_REMEMBERED)(lambda book, _locale: _drawn("card", book))
        self._line = lru_cache(MOST_REMEMBERED)(lambda book, _locale: _drawn("line", book))

    def show(self, pages: Blueprint) -> None:
        """Tell all templates ``card_of(book)`` and ``line_of(book)``."""
        pages.add_app_template_global(self.card_of, "card_of")
        pages.add_app_template_global(self.line_of, "line_of")

    def card_of(self, book: BookSummary) -> Markup:
        """With its cover."""
        return self._card(_as_shown(book), locale())

    def line_of(self, book: BookSummary) -> Markup:
        """Without."""
        return self._line(_as_shown(book), locale())


def _as_shown(book: BookSummary) -> BookSummary:
    return replace(book, quantity=FEW_LEFT_BELOW) if book.quantity > FEW_LEFT_BELOW else book


def _drawn(look: str, book: BookSummary) -> Markup:
    # The macros of a module know no request: what they show depends on what they are given, and on the language.
    module = current_app.jinja_env.get_template("_cards.html").module
    drawn: Markup = getattr(module, look)(book)
    return drawn
