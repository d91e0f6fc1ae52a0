"""What goes on like the text that somebody is typing: titles, authors, subjects."""

from tantivy import Occur, Query, Schema, Searcher

from bazar.catalog.domain.text import words
from bazar.catalog.search.facets import Facets
from bazar.catalog.search.query import LONGEST_MISTAKEN, ONE_MISTAKE_LETTERS
from bazar.catalog.search.schema import LONGEST_WORD, TITLE_COLUMNS, folded, numbers
from bazar.catalog.use_cases.search_books import Beginnings

#: One letter begins a tenth of all words.
FEWEST_LETTERS = 2
MOST_WORDS = 8
#: So many titles are looked at, to find those that begin with the text.
_CANDIDATES = 200
_LETTERS_IN_COLUMN = 8


def begin_with(searcher: Searcher, schema: Schema, facets: Facets, text: str, limit: int) -> Beginnings:
    """At most ``limit`` of each kind; the last word may be unfinished, in titles one word may have a mistake."""
    sought = [word[:LONGEST_WORD] for word in words(text)[:MOST_WORDS]]
    if len("".join(sought)) < FEWEST_LETTERS:
        return Beginnings((), (), ())

    def names(facet: str, field: str) -> tuple[str, ...]:
        counted = facets.most_frequent(searcher, _going_on(schema, field, sought, mistakes=0), facet)
        return tuple(name.value for name in counted if _goes_on(name.value, sought))[:limit]

    return Beginnings(
        _titles(searcher, schema, sought, limit), names("author", "authors"), names("subject", "subjects")
    )


def _titles(searcher: Searcher, schema: Schema, sought: list[str], limit: int) -> tuple[int, ...]:
    for mistakes in (0, 1):
        query = _going_on(schema, "title", sought, mistakes)
        addresses = [address for _, address in searcher.search(query, _CANDIDATES, count=False).hits]
        if addresses:
            break
    else:
        return ()
    beginnings = numbers(searcher, TITLE_COLUMNS[0], addresses)
    item_numbers = numbers(searcher, "item_number", addresses)
    letters = " ".join(sought).encode()[:_LETTERS_IN_COLUMN]
    # Stable: what has the words elsewhere in the title follows in the order of the hits.
    ranked = sorted(
        zip(beginnings, item_numbers, strict=True),
        key=lambda title: not title[0].to_bytes(_LETTERS_IN_COLUMN).startswith(letters),
    )
    return tuple(item_number for _, item_number in ranked[:limit])


def _going_on(schema: Schema, field: str, sought: list[str], mistakes: int) -> Query:
    return Query.boolean_query(
        [
            (Occur.Must, _word(schema, field, word, mistakes, is_last=place == len(sought)))
            for place, word in enumerate(sought, start=1)
        ]
    )


def _word(schema: Schema, field: str, word: str, mistakes: int, *, is_last: bool) -> Query:
    distance = mistakes if ONE_MISTAKE_LETTERS <= len(word) <= LONGEST_MISTAKEN else 0
    if distance or is_last:
        return Query.fuzzy_term_query(schema, field, word, distance, prefix=is_last)
    return Query.term_query(schema, field, word, "freq")


def _goes_on(name: str, sought: list[str]) -> bool:
    """Whether this name has the words, and not another author or subject of the same book."""
    own = folded(name).split()
    return all(word in own for word in sought[:-1]) and any(word.startswith(sought[-1]) for word in own)
