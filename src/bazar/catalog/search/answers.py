"""What questions find in the index as it is; dear answers are remembered until it changes."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
from tantivy import Query, Schema, Searcher

from bazar.catalog.search import ordering, query
from bazar.catalog.search.facets import Facets
from bazar.catalog.use_cases.search_books import Hits
from bazar.contracts.books import FacetCount, WordsQuery
from bazar.contracts.wire import DEFAULT_PAGE_SIZE

#: With fewer hits an answer costs a millisecond, and would only push out others.
FEWEST_HITS_REMEMBERED = 1_000
#: Of each kind: with a hundred names the facets of one question take some 10 kB.
_MOST_REMEMBERED = 500

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class _Memory(dict[_Key, _Value], Generic[_Key, _Value]):
    """Begins anew when it is full."""

    def keep(self, key: _Key, value: _Value) -> None:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[key] = value


@dataclass(frozen=True)
class _Page:
    """Hits of one page, the number of all, and the reading of the question that found them."""

    reading: query.Reading
    total: int
    item_numbers: tuple[int, ...]


class Answers:
    """Those of one state of the index. Thread-safe: what is remembered is the same whoever found it."""

    def __init__(self, schema: Schema, facets: Facets) -> None:
        self._schema = schema
        self._facets = facets
        self._pages: _Memory[tuple[WordsQuery, int, int], _Page] = _Memory()
        self._counts: _Memory[WordsQuery, Mapping[str, tuple[FacetCount, ...]]] = _Memory()

    def find(self, searcher: Searcher, asked: WordsQuery, start: int, end: int, *, facets: bool) -> Hits:
        """Hits ``start`` up to, not including, ``end``. ``asked.sort`` is set; its limit and cursor do not count."""
        question = msgspec.structs.replace(asked, limit=DEFAULT_PAGE_SIZE, cursor=None)
        page = self._pages.get((question, start, end))
        if page is None:
            page = self._page(searcher, question, start, end)
            if page.total >= FEWEST_HITS_REMEMBERED:
                self._pages.keep((question, start, end), page)
        counts = self._counted(searcher, question, page) if facets else {}
        return Hits(page.item_numbers, page.total, counts, page.reading.mistaken)

    def _page(self, searcher: Searcher, question: WordsQuery, start: int, end: int) -> _Page:
        order = ordering.ORDERINGS[question.sort or "relevance"]
        for reading in query.readings(searcher, self._schema, question):
            total, item_numbers = ordering.page(searcher, reading.query, order, start, end)
            if total:
                return _Page(reading, total, tuple(item_numbers))
        return _Page(query.Reading(Query.empty_query()), 0, ())

    def _counted(self, searcher: Searcher, question: WordsQuery, page: _Page) -> Mapping[str, tuple[FacetCount, ...]]:
        """The facets of all hits, which are the same on each page and however they are sorted."""
        key = msgspec.structs.replace(question, sort=None)
        counts = self._counts.get(key)
        if counts is None:
            counts = self._facets.of(searcher, page.reading.query, page.total)
            if page.total >= FEWEST_HITS_REMEMBERED:
                self._counts.keep(key, counts)
        return counts
