"""Search: words and filters in the address, facets with counts, and what the reader may be about to type."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, render_template, request, url_for
from msgspec.structs import replace

from bazar.chassis.freshness import LONGEST_LAG_SECONDS, made_of
from bazar.chassis.web import json_response
from bazar.contracts.books import (
    ESTIMATED_FACETS,
    MOST_HITS_COUNTED,
    BookSummary,
    FacetCount,
    Money,
    SearchPage,
    SuggestQuery,
    WordsQuery,
)
from bazar.contracts.wire import convert
from bazar.frontend.domain.errors import NeighbourAway
from bazar.frontend.pages import positions
from bazar.frontend.pages.browse import BOOKS_ON_A_PAGE, Shelves
from bazar.frontend.pages.optional import optional_deadline
from bazar.frontend.pages.paging import asked_place
from bazar.frontend.use_cases.ports import Catalog

#: Filters that the address of a search can have, in the order in which they are shown.
FILTERS = ("subject", "author", "language", "in_stock", "isbn", "min_price", "max_price")
FACETS = ("subject", "author", "language")
VALUES_OF_A_FACET = 10
#: Where no book has all words, each is left out once: so many questions more.
MOST_WORDS_LEFT_OUT = 6
SUGGESTED_BOOKS, SUGGESTED_NAMES = 5, 3
#: The same for everybody; a shop's titles do not change by the minute.
SUGGESTIONS_KEPT = "private, max-age=60"


@dataclass(frozen=True)
class PriceBand:
    """Prices from ``low`` to ``high``, both included; None where there is no end. ``count``: hits in it."""

    low: Money | None
    high: Money | None
    count: int = 0

    @property
    def filters(self) -> dict[str, int | None]:
        """As the address has them; nothing costs less than nothing."""
        return {
            "min_price": self.low.amount if self.low and self.low.amount else None,
            "max_price": self.high.amount if self.high else None,
        }


@dataclass(frozen=True)
class AlmostFound:
    """What was found where one word was left out, since no book has all of them."""

    left_out: str
    words: str
    books: SearchPage


def add_search_pages(pages: Blueprint, catalog: Catalog, shelves: Shelves) -> None:
    """``/search`` and ``/suggest``."""

    @pages.get("/search")
    def search() -> str:
        # An empty field of a form does not narrow.
        asked = {name: value for name, value in request.args.items() if value.strip()}
        if not asked.get("q") and asked.get("sort") == "relevance":
            del asked["sort"]
        query = convert({**asked, "limit": BOOKS_ON_A_PAGE}, WordsQuery)
        seen = catalog.search(query, g.deadline)
        positions.note(seen.position)
        books = seen.answer
        made_of((item.item_number for item in books.items), seen.position, lists=True, seconds=LONGEST_LAG_SECONDS)
        kept = {name: asked[name] for name in ("q", *FILTERS, "sort") if name in asked}
        return render_template(
            "search.html",
            query=query,
            kept=kept,
            filters=[name for name in FILTERS if name in kept and not name.endswith("_price")],
            price=_price_asked(query, books.items),
            facets={name: books.facets.get(name, ())[:VALUES_OF_A_FACET] for name in FACETS if name not in kept},
            bands=_bands(books),
            in_stock=_count(books.facets.get("in_stock", ()), "true"),
            estimated=ESTIMATED_FACETS if books.total > MOST_HITS_COUNTED else (),
            books=books,
            place=asked_place(books, BOOKS_ON_A_PAGE),
            subjects=() if books.total else shelves.subjects(),
            almost=None if books.total else almost_found(query),
            most_values=VALUES_OF_A_FACET,
        )

    def almost_found(query: WordsQuery) -> AlmostFound | None:
        """The best of what is found without one of the words; None where that is nothing, or nobody can tell soon."""
        words = (query.q or "").split()
        if not 1 < len(words) <= MOST_WORDS_LEFT_OUT or query.cursor:
            return None
        soon, found = optional_deadline(), []
        for place, word in enumerate(words):
            others = " ".join([*words[:place], *words[place + 1 :]])
            try:
                seen = catalog.search(replace(query, q=others, sort=None), soon)
            except NeighbourAway:
                return None
            positions.note(seen.position)
            numbers = (item.item_number for item in seen.answer.items)
            made_of(numbers, seen.position, lists=True, seconds=LONGEST_LAG_SECONDS)
            found.append(AlmostFound(word, others, seen.answer))
        best = max(found, key=lambda one: one.books.total)
        return best if best.books.total else None

    @pages.get("/suggest")
    def suggest() -> Response:
        asked = convert({"q": request.args.get("q", ""), "limit": SUGGESTED_BOOKS}, SuggestQuery)
        found = catalog.suggest(asked, g.deadline).answer
        items = [
            *(
                _suggestion("book", book.title, "pages.book", item_number=book.item_number)
                | {"by": ", ".join(book.authors[:2])}
                for book in found.books
            ),
            *(_suggestion("author", name, "pages.search", author=name) for name in found.authors[:SUGGESTED_NAMES]),
            *(_suggestion("subject", name, "pages.subject", subject=name) for name in found.subjects[:SUGGESTED_NAMES]),
        ]
        return json_response({"items": items}, Cache_Control=SUGGESTIONS_KEPT)


def _suggestion(kind: str, text: str, page: str, **values: Any) -> dict[str, str]:
    return {"kind": kind, "text": text, "address": url_for(page, **values)}


def _bands(books: SearchPage) -> list[PriceBand]:
    """The bands of the facet; none on a page without a book, from which alone the currency is known."""
    if not books.items:
        return []
    currency = books.items[0].price.currency
    bands = []
    for counted in books.facets.get("price", ()):
        low, _, high = counted.value.partition("-")
        bands.append(PriceBand(_money(low, currency), _money(high, currency) if high else None, counted.count))
    return bands


def _price_asked(query: WordsQuery, books: tuple[BookSummary, ...]) -> PriceBand | None:
    if query.min_price is None and query.max_price is None:
        return None
    currency = books[0].price.currency if books else ""
    low = None if query.min_price is None else Money(amount=query.min_price, currency=currency)
    high = None if query.max_price is None else Money(amount=query.max_price, currency=currency)
    return PriceBand(low, high)


def _money(text: str, currency: str) -> Money:
    return Money(amount=int(text), currency=currency)


def _count(counts: tuple[FacetCount, ...], value: str) -> int:
    return next((one.count for one in counts if one.value == value), 0)
