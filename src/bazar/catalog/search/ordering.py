"""The hits in the order asked for, down to the last tie, so that no page repeats or omits a book of another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from tantivy import DocAddress, Order, Query, Searcher

from bazar.catalog.search.schema import TITLE_COLUMNS, numbers
from bazar.catalog.use_cases.search_books import DEEPEST_HIT
from bazar.contracts.books import Sort

#: So many hits beyond the page are fetched at first, to see where the ties at its end stop.
_LOOKAHEAD = 200


@dataclass(frozen=True)
class Ordering:
    """The index sorts by one ``column`` (None: by score); ``ties``, the columns after it, are sorted here."""

    column: str | None
    order: Order
    ties: tuple[str, ...] = ()


ORDERINGS: dict[Sort, Ordering] = {
    "relevance": Ordering(None, Order.Desc, ("item_number",)),
    "title": Ordering(TITLE_COLUMNS[0], Order.Asc, (*TITLE_COLUMNS[1:], "item_number")),
    "newest": Ordering("added_order", Order.Desc),
    "price": Ordering("price_order", Order.Asc),
    "-price": Ordering("price_order", Order.Desc),
}

FEWEST_FIRST = Ordering("copies_order", Order.Asc)

#: The key by which the index sorted a hit, and where in the index it lies.
_Hit = tuple[Any, DocAddress]


def page(searcher: Searcher, query: Query, ordering: Ordering, start: int, end: int) -> tuple[int, list[int]]:
    """The number of all hits, and the item numbers of hits ``start`` up to, not including, ``end``."""
    if not ordering.ties:
        total, hits = _fetch(searcher, query, ordering, end - start, start)
        return total, numbers(searcher, "item_number", [address for _, address in hits])
    fetched = min(end + _LOOKAHEAD, DEEPEST_HIT)
    total, hits = _fetch(searcher, query, ordering, fetched)
    if fetched < min(total, DEEPEST_HIT) and _key(hits, end - 1) == _key(hits, -1):
        # As many whatever the page: where even these do not reach the end of the tie, all pages cut it alike.
        total, hits = _fetch(searcher, query, ordering, DEEPEST_HIT)
    if start >= len(hits):
        return total, []
    first, last = _tied(hits, start, min(end, len(hits)))
    sorted_numbers = list(_sorted(searcher, hits[first:last], ordering.ties))
    return total, sorted_numbers[start - first : end - first]


def _fetch(
    searcher: Searcher, query: Query, ordering: Ordering, limit: int, offset: int = 0
) -> tuple[int, Sequence[_Hit]]:
    found = searcher.search(query, limit, offset=offset, order_by_field=ordering.column, order=ordering.order)
    total: int = found.count  # type: ignore[attr-defined] # its stub forgets the count
    return total, found.hits


def _key(hits: Sequence[_Hit], place: int) -> Any:
    return hits[place][0]


def _tied(hits: Sequence[_Hit], start: int, end: int) -> tuple[int, int]:
    """The span widened by the hits that tie with its first and its last."""
    while start > 0 and _key(hits, start - 1) == _key(hits, start):
        start -= 1
    while end < len(hits) and _key(hits, end) == _key(hits, end - 1):
        end += 1
    return start, end


def _sorted(searcher: Searcher, hits: Sequence[_Hit], ties: tuple[str, ...]) -> Iterator[int]:
    """The item numbers, which are the last of the columns."""
    addresses = [address for _, address in hits]
    columns = zip(*(numbers(searcher, column, addresses) for column in ties), strict=True)
    keyed = zip((key for key, _ in hits), columns, strict=True)
    for _, tied in groupby(keyed, key=itemgetter(0)):
        yield from (values[-1] for _, values in sorted(tied))
