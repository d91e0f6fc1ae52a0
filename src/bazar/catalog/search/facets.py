"""How many of the hits have which subject, author and language, cost how much, are in stock."""

import json
from collections.abc import Mapping
from typing import Any

from tantivy import Occur, Query, Schema, Searcher

from bazar.catalog.search.schema import NAME_FIELDS, name_id
from bazar.contracts.books import ESTIMATED_FACETS, MOST_HITS_COUNTED, FacetCount

#: Of subjects, authors and languages the most frequent are given.
MOST_VALUES = 20
#: Lower ends of the price bands in minor units; a band ends before the next begins.
PRICE_BANDS = (0, 500, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000)

#: So many candidates are looked at, to sort those of equal count by name.
_CANDIDATES = 100
#: Each segment tells tantivy of so many values, its most frequent ones: each costs a microsecond.
_VALUES_OF_A_SEGMENT = 1_000
_TOLD_IN_FULL = 50_000
#: The most that a segment can be asked for.
_MOST_VALUES_OF_A_SEGMENT = 65_000
_NAMES_REMEMBERED = 10_000


class Facets:
    """Counts of hits. Thread-safe: what is remembered is the same whoever found it."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._names: dict[tuple[str, int], str] = {}

    def of(self, searcher: Searcher, query: Query, total: int) -> dict[str, tuple[FacetCount, ...]]:
        """Those of all ``total`` hits; of more than MOST_HITS_COUNTED the ESTIMATED_FACETS from a sample.

        A price is given as ``500-999`` (both included) or ``10000-``, in minor units; the rest as it is.
        """
        if total <= MOST_HITS_COUNTED:
            return self._counted(searcher, query, _AGGREGATIONS if total > _TOLD_IN_FULL else _IN_FULL)
        return self._estimated(searcher, query, total) | self._counted(searcher, query, _ALWAYS_COUNTED)

    def most_frequent(self, searcher: Searcher, query: Query, facet: str) -> tuple[FacetCount, ...]:
        """The names of one facet, subject or author or language, that most of the hits have."""
        counted = searcher.aggregate(query, {facet: _AGGREGATIONS[facet]})
        return self._named(searcher, facet, self._exact(searcher, query, facet, counted[facet]))

    def _counted(
        self, searcher: Searcher, query: Query, aggregations: dict[str, Any]
    ) -> dict[str, tuple[FacetCount, ...]]:
        counted = searcher.aggregate(query, aggregations)
        found = {
            facet: self._named(searcher, facet, self._exact(searcher, query, facet, counted[facet]))
            for facet in NAME_FIELDS
            if facet in aggregations
        }
        found["price"] = tuple(
            FacetCount(value=bucket["key"], count=bucket["doc_count"])
            for bucket in counted["price"]["buckets"]
            if bucket["doc_count"]
        )
        found["in_stock"] = tuple(
            FacetCount(value=bucket["key_as_string"], count=bucket["doc_count"])
            for bucket in sorted(counted["in_stock"]["buckets"], key=_in_stock_first)
        )
        return found

    def _estimated(self, searcher: Searcher, query: Query, total: int) -> dict[str, tuple[FacetCount, ...]]:
        """Those of the sample, times so many hits to one of it. Names that few of the hits have may be missing."""
        in_sample = Query.term_query(self._schema, "in_sample", True)
        # Each book is in stock or not: together these are the sample.
        asked = {facet: _AGGREGATIONS[facet] for facet in (*ESTIMATED_FACETS, "in_stock")}
        counted = searcher.aggregate(_unscored(in_sample, query), asked)
        hits_to_one = total / max(1, sum(bucket["doc_count"] for bucket in counted["in_stock"]["buckets"]))
        most = total - total % 10 ** max(0, len(str(total)) - 2)

        def estimated(value: FacetCount) -> FacetCount:
            return FacetCount(value=value.value, count=min(_two_digits(value.count * hits_to_one), most))

        sample = {facet: self._named(searcher, facet, _counts(counted[facet])) for facet in ESTIMATED_FACETS}
        return {facet: tuple(map(estimated, values)) for facet, values in sample.items()}

    def _named(self, searcher: Searcher, facet: str, counts: Mapping[int, int]) -> tuple[FacetCount, ...]:
        fewest = _fewest(counts)
        named = [
            FacetCount(value=self._name(searcher, facet, identifier), count=count)
            for identifier, count in counts.items()
            if count >= fewest
        ]
        return tuple(sorted(named, key=lambda value: (-value.count, value.value))[:MOST_VALUES])

    def _exact(self, searcher: Searcher, query: Query, facet: str, counted: Mapping[str, Any]) -> dict[int, int]:
        """The counts by id, those of the most frequent values among them, and right.

        A sum lacks what a segment did not tell of a value that is rare in it: at most ``unsaid``, over all segments.
        """
        counts = _counts(counted)
        unsaid = counted["doc_count_error_upper_bound"]
        if not unsaid:
            return counts
        fewest = _fewest(counts)
        values = sum(counts.values()) + counted["sum_other_doc_count"]
        if values <= _TOLD_IN_FULL or min(counts.values()) + unsaid >= fewest:
            # So few are sooner told than the question is asked anew for each name; or one that was left out may be
            # among the most frequent.
            again = searcher.aggregate(query, {facet: _names(NAME_FIELDS[facet], _MOST_VALUES_OF_A_SEGMENT)})
            return _counts(again[facet])
        return {
            identifier: self._count(searcher, query, facet, identifier)
            for identifier, count in counts.items()
            if count + unsaid >= fewest
        }

    def _count(self, searcher: Searcher, query: Query, facet: str, identifier: int) -> int:
        having = Query.term_query(self._schema, NAME_FIELDS[facet], identifier)
        found: int = searcher.search(_unscored(having, query), 1).count  # type: ignore[attr-defined] # its stub forgets the count
        return found

    def _name(self, searcher: Searcher, facet: str, identifier: int) -> str:
        """As it is written in some book that has it. Remembered: looking it up takes 50 µs."""
        known = self._names.get((facet, identifier))
        if known is not None:
            return known
        having = Query.term_query(self._schema, NAME_FIELDS[facet], identifier)
        [(_, address)] = searcher.search(having, 1, count=False).hits
        names: list[str] = json.loads(searcher.doc(address)["names"][0])[facet]
        name = next(name for name in names if name_id(name) == identifier)
        if len(self._names) >= _NAMES_REMEMBERED:
            self._names.clear()
        self._names[facet, identifier] = name
        return name


def _unscored(*queries: Query) -> Query:
    """What all of them find; without scores, which is cheaper."""
    return Query.boolean_query([(Occur.Must, Query.const_score_query(query, 0.0)) for query in queries])


def _two_digits(count: float) -> int:
    """``12000`` for 12,288: more would claim to be right."""
    whole = round(count)
    return round(whole, 2 - len(str(whole)))


def _counts(counted: Mapping[str, Any]) -> dict[int, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in counted["buckets"]}


def _fewest(counts: Mapping[int, int]) -> int:
    """What the last of the most frequent values has."""
    return min(sorted(counts.values(), reverse=True)[:MOST_VALUES], default=0)


def _in_stock_first(bucket: Mapping[str, Any]) -> bool:
    return not bucket["key"]


def _price_range(band: int) -> dict[str, Any]:
    lowest = PRICE_BANDS[band]
    if band + 1 == len(PRICE_BANDS):
        return {"key": f"{lowest}-", "from": lowest}
    beyond = PRICE_BANDS[band + 1]
    return {"key": f"{lowest}-{beyond - 1}", "from": lowest, "to": beyond}


def _names(field: str, values_of_a_segment: int) -> dict[str, Any]:
    return {"terms": {"field": field, "size": _CANDIDATES, "segment_size": values_of_a_segment}}


_AGGREGATIONS: dict[str, Any] = {
    **{facet: _names(field, _VALUES_OF_A_SEGMENT) for facet, field in NAME_FIELDS.items()},
    "price": {"range": {"field": "price", "ranges": [_price_range(band) for band in range(len(PRICE_BANDS))]}},
    "in_stock": {"terms": {"field": "in_stock"}},
}
_IN_FULL = _AGGREGATIONS | {facet: _names(field, _MOST_VALUES_OF_A_SEGMENT) for facet, field in NAME_FIELDS.items()}
_ALWAYS_COUNTED = {facet: asked for facet, asked in _AGGREGATIONS.items() if facet not in ESTIMATED_FACETS}
