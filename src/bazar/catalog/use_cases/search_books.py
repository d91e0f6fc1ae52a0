"""Search the catalogue by words, filters and facets."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from bazar.catalog.domain.errors import CatalogError
from bazar.contracts.books import (
    BookPage,
    BookSummary,
    FacetCount,
    FoundBooks,
    LowStockQuery,
    NewestQuery,
    SuggestedBook,
    Suggestions,
    SuggestQuery,
    WordsQuery,
)
from bazar.contracts.text import CURSOR, WORDS

#: Hits beyond this are counted but cannot be reached.
DEEPEST_HIT = 10_000

#: Of changes that the index has not yet; beyond it is behind by more than its usual rest.
MOST_CHANGES_LOOKED_THROUGH = 5_000

#: A cursor is the number of hits that were shown before.
_CURSOR = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(eq=False)
class BadQuery(CatalogError):
    """A field of the query does not fit."""

    field: str
    detail: str


@dataclass(eq=False)
class IndexNotReady(CatalogError):
    """The index is being built, or has not yet what whoever asks has seen; in a moment it can be searched."""


@dataclass(frozen=True)
class IndexEntry:
    """What the index has to know of a book that is sold. ``isbn``: 13 digits; ``added_at_us``: since 1970."""

    item_number: int
    title: str
    authors: tuple[str, ...]
    subjects: tuple[str, ...]
    isbn: str | None
    language: str | None
    year: int | None
    blurb: str
    price_minor: int
    stock: int
    added_at_us: int


@dataclass(frozen=True)
class Hits:
    """The books of one page in their order, the number of all hits, and the facets over all of them if asked for.

    ``mistaken``: words that were not found as they are written, instead of which others were taken.
    """

    item_numbers: tuple[int, ...]
    total: int
    facets: Mapping[str, tuple[FacetCount, ...]]
    mistaken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Beginnings:
    """What goes on like a text: books by their numbers, and names as they are written."""

    item_numbers: tuple[int, ...]
    authors: tuple[str, ...]
    subjects: tuple[str, ...]


class SearchIndex(Protocol):
    """Finds books; may lag behind the database by a second."""

    def wait_for(self, epoch: str, number: int) -> bool:
        """Wait until the index has that change; False where that takes too long."""
        ...

    def reached(self, epoch: str, number: int) -> int:
        """Up to which change of the epoch the index is, ``number`` at the most; 0 where it is of another epoch."""
        ...

    def find(self, query: WordsQuery, start: int, end: int, *, facets: bool = True) -> Hits:
        """Hits ``start`` up to, not including, ``end``; raises IndexNotReady. ``query.sort`` is set.

        ``facets``: count them, which costs more than the rest.
        """
        ...

    def low_stock(self, start: int, end: int) -> Hits:
        """Books of FEW_COPIES at the most, those with the fewest first; without facets. Raises IndexNotReady."""
        ...

    def begin_with(self, text: str, limit: int) -> Beginnings:
        """At most ``limit`` of each kind; raises IndexNotReady."""
        ...


class Shelf(Protocol):
    """The books as they are now."""

    def position(self) -> str: ...

    def lists_changed(self, after: int, up_to: int) -> bool:
        """Whether one of the changes after a number, up to another, was more than one of price and copies."""
        ...

    def summaries(self, item_numbers: Sequence[int]) -> Sequence[BookSummary]:
        """In the order asked for, without those that are not sold any more."""
        ...


class SearchBooks:
    """Which books are found is the index's word; what is shown of them, price and quantity, the database's."""

    def __init__(self, index: SearchIndex, shelf: Shelf) -> None:
        self._index = index
        self._shelf = shelf

    def search(self, query: WordsQuery, seen: tuple[str, int] | None = None) -> tuple[FoundBooks, str]:
        """A page of hits and the position it is seen at; raises BadQuery, IndexNotReady.

        ``seen``: epoch and number of a change that whoever asks has seen; the hits are not older, their facets may be.
        """
        asked = _checked(query)
        page, hits, position = self._page(asked, seen, lambda start, end: self._index.find(asked, start, end))
        found = FoundBooks(
            items=page.items, total=page.total, next=page.next, facets=dict(hits.facets), mistaken=hits.mistaken
        )
        return found, position

    def newest(self, query: NewestQuery, seen: tuple[str, int] | None = None) -> tuple[BookPage, str]:
        """A page of the books that came last, and its position; raises BadQuery, IndexNotReady."""
        asked = _checked(
            WordsQuery(
                subject=query.subject, author=query.author, limit=query.limit, cursor=query.cursor, sort="newest"
            )
        )
        page, _, position = self._page(
            asked, seen, lambda start, end: self._index.find(asked, start, end, facets=False)
        )
        return page, position

    def low_stock(self, query: LowStockQuery, seen: tuple[str, int] | None = None) -> tuple[BookPage, str]:
        """A page of the books that run low, and its position; raises BadQuery, IndexNotReady."""
        page, _, position = self._page(query, seen, self._index.low_stock)
        return page, position

    def suggest(self, query: SuggestQuery) -> Suggestions:
        """What the reader may be about to ask for; raises IndexNotReady."""
        found = self._index.begin_with(query.q, query.limit)
        return Suggestions(
            books=tuple(
                SuggestedBook(item_number=book.item_number, title=book.title, authors=book.authors)
                for book in self._shelf.summaries(found.item_numbers)
            ),
            authors=found.authors,
            subjects=found.subjects,
        )

    def _page(
        self,
        asked: WordsQuery | LowStockQuery,
        seen: tuple[str, int] | None,
        find: Callable[[int, int], Hits],
    ) -> tuple[BookPage, Hits, str]:
        position = self._position(asked, seen)
        start = _start(asked.cursor)
        end = min(start + asked.limit, DEEPEST_HIT)
        hits = find(start, end)
        page = BookPage(
            items=tuple(self._shelf.summaries(hits.item_numbers)),
            total=hits.total,
            next=str(end) if end < min(hits.total, DEEPEST_HIT) else None,
        )
        return page, hits, position

    def _position(self, asked: WordsQuery | LowStockQuery, seen: tuple[str, int] | None) -> str:
        """The position to tell, once the index has what was seen as far as the question asks for it.

        Raises IndexNotReady.
        """
        epoch, _, last = self._shelf.position().rpartition("-")
        # Which books are found is as old as the index: a position told from the database would be too new.
        reached = self._index.reached(epoch, int(last))
        # A change that there never was, of a database that is gone or made up, would be waited for in vain.
        if seen is not None and seen[0] == epoch and reached < seen[1] <= int(last):
            if not _is_of_offers(asked) and self._only_offers_changed(reached, seen[1]):
                return f"{epoch}-{seen[1]}"
            if not self._index.wait_for(*seen):
                raise IndexNotReady
            reached = self._index.reached(epoch, int(last))
        return f"{epoch}-{reached}"

    def _only_offers_changed(self, after: int, up_to: int) -> bool:
        """Prices and copies, which the database tells; False also where there is too much to look through."""
        return up_to - after <= MOST_CHANGES_LOOKED_THROUGH and not self._shelf.lists_changed(after, up_to)


def _is_of_offers(asked: WordsQuery | LowStockQuery) -> bool:
    """Whether prices and copies decide which books are found, or in which order. Their facets may lag (ADR 0008)."""
    if isinstance(asked, LowStockQuery):
        return True
    is_narrowed = asked.in_stock is not None or asked.min_price is not None or asked.max_price is not None
    return is_narrowed or asked.sort in {"price", "-price"}


def _checked(query: WordsQuery) -> WordsQuery:
    """The query with its sort set. A field that is blank, as forms send it, does not narrow."""
    blank = [
        name for name, value in msgspec.structs.asdict(query).items() if isinstance(value, str) and not value.strip()
    ]
    asked = msgspec.structs.replace(query, **dict.fromkeys(blank))
    if asked.min_price is not None and asked.max_price is not None and asked.min_price > asked.max_price:
        raise BadQuery("min_price", f"must not be above max_price, which is {asked.max_price}")
    if asked.sort == "relevance" and asked.q is None:
        raise BadQuery("sort", "relevance needs words in q; without them: title, newest, price, -price")
    if asked.sort is None:
        return msgspec.structs.replace(asked, sort="title" if asked.q is None else "relevance")
    return asked


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not _CURSOR.fullmatch(cursor):
        raise BadQuery("cursor", WORDS[CURSOR])
    return int(cursor)
