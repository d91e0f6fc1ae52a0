"""Searching: what is asked of the index, and what is shown."""

from collections.abc import Sequence

import pytest

from bazar.catalog.use_cases.search_books import (
    DEEPEST_HIT,
    MOST_CHANGES_LOOKED_THROUGH,
    BadQuery,
    Beginnings,
    Hits,
    IndexNotReady,
    SearchBooks,
)
from bazar.contracts.books import BookSummary, FacetCount, LowStockQuery, Money, NewestQuery, SuggestQuery, WordsQuery


class FakeIndex:
    """Finds the books 1 to ``total`` in their order, whatever is asked, and remembers what was."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.asked: list[WordsQuery] = []
        self.counted: list[bool] = []
        self.last_change = 7
        self.waited_for: list[tuple[str, int]] = []

    def wait_for(self, epoch: str, number: int) -> bool:
        self.waited_for.append((epoch, number))
        return epoch != "e" or number <= self.last_change

    def reached(self, epoch: str, number: int) -> int:
        return min(number, self.last_change) if epoch == "e" else 0

    def find(self, query: WordsQuery, start: int, end: int, *, facets: bool = True) -> Hits:
        self.asked.append(query)
        self.counted.append(facets)
        found = tuple(range(start + 1, min(end, self.total) + 1))
        return Hits(found, self.total, {"subject": (FacetCount(value="poetry", count=self.total),)} if facets else {})

    def low_stock(self, start: int, end: int) -> Hits:
        return self.find(WordsQuery(), start, end, facets=False)

    def begin_with(self, text: str, limit: int) -> Beginnings:
        return Beginnings((3, 1)[:limit], (f"{text} Author",), (f"{text} subject",))


class FakeShelf:
    """Sells every book except those withdrawn. All its changes were such that lists have other books than before."""

    changes_are_of_offers = False

    def __init__(self, withdrawn: frozenset[int] = frozenset()) -> None:
        self.withdrawn = withdrawn
        self.calls: list[str] = []

    def position(self) -> str:
        self.calls.append("position")
        return "e-8"

    def lists_changed(self, after: int, up_to: int) -> bool:
        return after < up_to and not self.changes_are_of_offers

    def summaries(self, item_numbers: Sequence[int]) -> list[BookSummary]:
        self.calls.append("summaries")
        return [
            BookSummary(
                item_number=number,
                title=f"Book {number}",
                authors=(),
                subjects=(),
                price=Money(amount=100, currency="EUR"),
                quantity=1,
            )
            for number in item_numbers
            if number not in self.withdrawn
        ]


def test_the_pages_together_are_all_hits() -> None:
    search = SearchBooks(FakeIndex(45), FakeShelf())
    shown: list[int] = []
    cursor: str | None = None
    for _ in range(3):
        page, _ = search.search(WordsQuery(q="x", cursor=cursor))
        assert page.total == 45
        shown += [item.item_number for item in page.items]
        cursor = page.next
    assert shown == list(range(1, 46))
    assert cursor is None


def test_hits_beyond_the_deepest_are_counted_but_not_reached() -> None:
    search = SearchBooks(FakeIndex(DEEPEST_HIT + 500), FakeShelf())
    page, _ = search.search(WordsQuery(q="x", cursor=str(DEEPEST_HIT - 10)))
    assert page.total == DEEPEST_HIT + 500
    assert len(page.items) == 10
    assert page.next is None


def test_a_withdrawn_book_is_not_shown() -> None:
    page, _ = SearchBooks(FakeIndex(3), FakeShelf(frozenset({2}))).search(WordsQuery(q="x"))
    assert [item.item_number for item in page.items] == [1, 3]


def test_what_is_shown_is_not_older_than_the_position() -> None:
    shelf, index = FakeShelf(), FakeIndex(3)
    index.last_change = 9
    _, position = SearchBooks(index, shelf).search(WordsQuery(q="x"))
    assert position == "e-8"
    assert shelf.calls == ["position", "summaries"]


def test_what_an_index_that_lags_has_found_is_told_to_be_as_old_as_the_index() -> None:
    """Else a list without the newest book would be kept as if it had it."""
    _, position = SearchBooks(FakeIndex(3), FakeShelf()).newest(NewestQuery())
    assert position == "e-7"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (WordsQuery(sort="relevance"), "sort"),
        (WordsQuery(q=" \t", sort="relevance"), "sort"),
        (WordsQuery(min_price=2, max_price=1), "min_price"),
        *(
            (WordsQuery(cursor=cursor), "cursor")
            for cursor in ("0", "-1", "01", "10000", "1.5", "x", "20 ", "२", "9" * 5000, "'; DROP TABLE")
        ),
    ],
)
def test_what_does_not_fit_is_named(query: WordsQuery, field: str) -> None:
    with pytest.raises(BadQuery) as caught:
        SearchBooks(FakeIndex(3), FakeShelf()).search(query)
    assert caught.value.field == field
    assert caught.value.detail


@pytest.mark.parametrize(
    "query", [WordsQuery(min_price=1), WordsQuery(max_price=1), WordsQuery(min_price=1, max_price=1)]
)
def test_a_price_may_have_one_bound_or_two_that_are_equal(query: WordsQuery) -> None:
    index = FakeIndex(3)
    assert SearchBooks(index, FakeShelf()).search(query)[0].total == 3
    assert (index.asked[0].min_price, index.asked[0].max_price) == (query.min_price, query.max_price)


def test_a_search_tells_the_facets_of_all_hits() -> None:
    page, _ = SearchBooks(FakeIndex(45), FakeShelf()).search(WordsQuery(q="x"))
    assert page.facets == {"subject": (FacetCount(value="poetry", count=45),)}


def test_a_blank_field_does_not_narrow() -> None:
    index = FakeIndex(3)
    SearchBooks(index, FakeShelf()).search(WordsQuery(q=" ", subject="", author="\t", isbn="", language="", cursor=""))
    assert index.asked == [WordsQuery(sort="title")]


@pytest.mark.parametrize(
    ("query", "sort"),
    [
        (WordsQuery(), "title"),
        (WordsQuery(q="x"), "relevance"),
        (WordsQuery(q="x", sort="-price"), "-price"),
        (WordsQuery(sort="newest"), "newest"),
    ],
)
def test_words_are_sorted_by_relevance_and_lists_by_title(query: WordsQuery, sort: str) -> None:
    index = FakeIndex(3)
    SearchBooks(index, FakeShelf()).search(query)
    assert [asked.sort for asked in index.asked] == [sort]


def test_hits_are_never_older_than_what_was_seen() -> None:
    search = SearchBooks(FakeIndex(3), FakeShelf())
    assert search.search(WordsQuery(), ("e", 7))[0].total == 3
    with pytest.raises(IndexNotReady):
        search.search(WordsQuery(), ("e", 8))


@pytest.mark.parametrize("seen", [("e", 9), ("e", 999_999_999), ("another", 1)])
def test_nobody_waits_for_a_change_that_there_never_was(seen: tuple[str, int]) -> None:
    index = FakeIndex(3)
    assert SearchBooks(index, FakeShelf()).search(WordsQuery(), seen)[0].total == 3
    assert index.waited_for == []


class ShelfThatSells(FakeShelf):
    """All its changes were of prices and copies."""

    changes_are_of_offers = True


@pytest.mark.parametrize("query", [WordsQuery(q="x"), WordsQuery(subject="poetry"), WordsQuery(sort="newest")])
def test_nobody_waits_for_prices_and_copies_which_the_database_tells(query: WordsQuery) -> None:
    index = FakeIndex(3)
    found, position = SearchBooks(index, ShelfThatSells()).search(query, ("e", 8))
    assert (found.total, position, index.waited_for) == (3, "e-8", [])


def test_what_is_told_is_what_was_seen_not_what_came_after() -> None:
    index = FakeIndex(3)
    index.last_change = 2
    assert SearchBooks(index, ShelfThatSells()).search(WordsQuery(), ("e", 5))[1] == "e-5"


def test_an_index_that_is_far_behind_is_waited_for() -> None:
    class Busy(ShelfThatSells):
        def position(self) -> str:
            return f"e-{7 + MOST_CHANGES_LOOKED_THROUGH + 1}"

    search = SearchBooks(FakeIndex(3), Busy())
    assert search.search(WordsQuery(), ("e", 7 + MOST_CHANGES_LOOKED_THROUGH))[0].total == 3
    with pytest.raises(IndexNotReady):
        search.search(WordsQuery(), ("e", 7 + MOST_CHANGES_LOOKED_THROUGH + 1))


@pytest.mark.parametrize(
    "query",
    [
        WordsQuery(in_stock=True),
        WordsQuery(in_stock=False),
        WordsQuery(min_price=0),
        WordsQuery(max_price=0),
        WordsQuery(sort="price"),
        WordsQuery(q="x", sort="-price"),
    ],
)
def test_where_prices_and_copies_decide_what_is_found_the_index_must_have_them(query: WordsQuery) -> None:
    index = FakeIndex(3)
    with pytest.raises(IndexNotReady):
        SearchBooks(index, ShelfThatSells()).search(query, ("e", 8))
    with pytest.raises(IndexNotReady):
        SearchBooks(index, ShelfThatSells()).low_stock(LowStockQuery(), ("e", 8))
    assert index.waited_for == [("e", 8), ("e", 8)]


def test_the_newest_are_a_search_without_words_and_without_facets() -> None:
    index = FakeIndex(45)
    query = NewestQuery(subject="poetry", author="Ann Lee", limit=15, cursor="15")
    page, position = SearchBooks(index, FakeShelf()).newest(query)
    assert index.asked == [WordsQuery(subject="poetry", author="Ann Lee", limit=15, cursor="15", sort="newest")]
    assert index.counted == [False]
    assert ([book.item_number for book in page.items], page.total, page.next) == (list(range(16, 31)), 45, "30")
    assert position == "e-7"


def test_what_runs_low_comes_page_by_page_and_is_never_older_than_what_was_seen() -> None:
    page, position = SearchBooks(FakeIndex(45), FakeShelf()).low_stock(LowStockQuery(limit=20, cursor="40"))
    assert ([book.item_number for book in page.items], page.total, page.next) == (list(range(41, 46)), 45, None)
    assert position == "e-7"
    with pytest.raises(BadQuery):
        SearchBooks(FakeIndex(45), FakeShelf()).low_stock(LowStockQuery(cursor="x"))
    with pytest.raises(IndexNotReady):
        SearchBooks(FakeIndex(45), FakeShelf()).low_stock(LowStockQuery(), ("e", 8))


def test_newest_books_are_never_older_than_what_was_seen() -> None:
    with pytest.raises(IndexNotReady):
        SearchBooks(FakeIndex(45), FakeShelf()).newest(NewestQuery(), ("e", 8))


def test_suggested_books_are_those_that_are_sold() -> None:
    found = SearchBooks(FakeIndex(45), FakeShelf(withdrawn=frozenset({3}))).suggest(SuggestQuery(q="po"))
    assert [(book.item_number, book.title) for book in found.books] == [(1, "Book 1")]
    assert (found.authors, found.subjects) == (("po Author",), ("po subject",))


def test_no_more_is_suggested_than_was_asked_for() -> None:
    found = SearchBooks(FakeIndex(45), FakeShelf()).suggest(SuggestQuery(q="po", limit=1))
    assert [book.item_number for book in found.books] == [3]
