"""What a reader asks for as a query of the index, built by hand: a query language would see operators in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from tantivy import FieldType, Occur, Query, Schema, Searcher

from bazar.catalog.domain.errors import InvalidBook
from bazar.catalog.domain.isbn import isbn13
from bazar.catalog.domain.text import words
from bazar.catalog.search.schema import LONGEST_WORD, NAME_FIELDS, WORD_FIELDS, name_id
from bazar.contracts.books import WordsQuery

#: Of a longer question only so many different words are looked for.
MOST_WORDS = 32
#: In so many words of a question a typing mistake is forgiven.
MOST_SUSPECTS = 4
#: From so many letters on a word may have one mistake, and two.
ONE_MISTAKE_LETTERS = 4
TWO_MISTAKES_LETTERS = 8
#: In longer words, which no language spells by hand, mistakes are too dear to look for.
LONGEST_MISTAKEN = 32
#: From so many letters on the last word may be unfinished.
UNFINISHED_LETTERS = 3

#: What a field adds to the worth of a word that another field has more weightily.
_LESSER_FIELDS = 0.1
#: A mistaken word in the title is worth less than the exact one in the blurb.
_MISTAKEN = 0.01


@dataclass(frozen=True)
class Reading:
    """A way to understand a question. ``mistaken``: its words that need not be there as they are written."""

    query: Query
    mistaken: tuple[str, ...] = ()


def readings(searcher: Searcher, schema: Schema, asked: WordsQuery) -> Iterator[Reading]:
    """The ways to understand what is asked for, the strictest first: the first that finds something is meant.

    So what is written right is never drowned in what is written alike, and costs nothing extra. The cost is bounded:
    by MOST_WORDS, MOST_SUSPECTS and the number of words known.
    """
    filters = [(Occur.Must, Query.const_score_query(part, 0.0)) for part in _filters(schema, asked)]
    if asked.q is None:
        yield Reading(Query.boolean_query(filters) if filters else Query.all_query())
        return
    for question in _questions(searcher, schema, asked.q):
        yield (
            replace(question, query=Query.boolean_query([*filters, (Occur.Must, question.query)]))
            if filters
            else question
        )
        if filters and searcher.search(question.query, 1, count=False).hits:
            # The words are right, it is the filters that leave nothing.
            return


def _filters(schema: Schema, asked: WordsQuery) -> Iterator[Query]:
    for facet, name in (("subject", asked.subject), ("author", asked.author), ("language", asked.language)):
        if name is not None:
            yield Query.term_query(schema, NAME_FIELDS[facet], name_id(name))
    if asked.isbn is not None:
        yield _isbn(schema, asked.isbn) or Query.empty_query()
    if asked.in_stock is not None:
        yield Query.term_query(schema, "in_stock", asked.in_stock)
    if asked.min_price is not None or asked.max_price is not None:
        yield Query.range_query(schema, "price", FieldType.Unsigned, asked.min_price, asked.max_price)


def _isbn(schema: Schema, text: str) -> Query | None:
    try:
        return Query.term_query(schema, "isbn", isbn13(text), "basic")
    except InvalidBook:
        return None


def _questions(searcher: Searcher, schema: Schema, text: str) -> Iterator[Reading]:
    """An ISBN, or words that must all be there, as they are written and then with mistakes."""
    by_isbn = _isbn(schema, text)
    if by_isbn is not None:
        yield Reading(by_isbn)
        return
    sought = list(dict.fromkeys(word[:LONGEST_WORD] for word in words(text)))[:MOST_WORDS]
    if not sought:
        yield Reading(Query.empty_query())
        return
    question = _Words(searcher, schema, sought)
    yield question.exact()
    yield question.one_mistake()
    yield question.two_mistakes()


class _Words:
    """The ways to read the words of a question."""

    def __init__(self, searcher: Searcher, schema: Schema, sought: list[str]) -> None:
        self._searcher = searcher
        self._schema = schema
        self._sought = sought

    def exact(self) -> Reading:
        """As it is written."""
        return Reading(_all_of(self._exact(word) for word in self._sought))

    def one_mistake(self) -> Reading:
        """With a letter too many, missing, wrong or swapped with the next; the last word perhaps unfinished."""
        return self._forgiving(1)

    def two_mistakes(self) -> Reading:
        """As before, with two such letters in long words."""
        return self._forgiving(2)

    def _forgiving(self, mistakes: int) -> Reading:
        suspects = (self._unknown or self._sought)[:MOST_SUSPECTS]
        meant = _all_of(
            self._mistaken(word, mistakes) if word in suspects else self._exact(word) for word in self._sought
        )
        return Reading(meant, tuple(self._unknown or self._sought))

    @cached_property
    def _unknown(self) -> list[str]:
        """The words that no book has. Where there are books for each word but not for all, any may be mistaken."""
        return [word for word in self._sought if not any(self._searcher.doc_freq(field, word) for field in WORD_FIELDS)]

    def _exact(self, word: str) -> Query:
        return _in_any_field(lambda field: Query.term_query(self._schema, field, word, "freq"))

    def _mistaken(self, word: str, mistakes: int) -> Query:
        readings = [self._exact(word)]
        distance = min(mistakes, (len(word) >= ONE_MISTAKE_LETTERS) + (len(word) >= TWO_MISTAKES_LETTERS))
        if distance and len(word) <= LONGEST_MISTAKEN:
            readings.append(self._alike(word, distance, prefix=False))
        if word == self._sought[-1] and len(word) >= UNFINISHED_LETTERS:
            readings.append(self._alike(word, 0, prefix=True))
        return Query.disjunction_max_query(readings)

    def _alike(self, word: str, distance: int, *, prefix: bool) -> Query:
        alike = _in_any_field(lambda field: Query.fuzzy_term_query(self._schema, field, word, distance, prefix=prefix))
        return Query.boost_query(alike, _MISTAKEN)


def _in_any_field(in_field: Callable[[str], Query]) -> Query:
    return Query.disjunction_max_query(
        [Query.boost_query(in_field(field), weight) for field, weight in WORD_FIELDS.items()], _LESSER_FIELDS
    )


def _all_of(queries: Iterator[Query]) -> Query:
    return Query.boolean_query([(Occur.Must, query) for query in queries])
