"""What a question finds, in which order, and how the facets count it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bazar.catalog.domain.text import normalise, words
from bazar.catalog.search.answers import FEWEST_HITS_REMEMBERED
from bazar.catalog.search.index import BookIndex, Position
from bazar.catalog.use_cases.search_books import DEEPEST_HIT, IndexEntry, IndexNotReady
from bazar.contracts.books import Sort, WordsQuery

SORTS: tuple[Sort, ...] = ("title", "newest", "price", "-price")


def book(number: int, title: str, **other: Any) -> IndexEntry:
    facts: dict[str, Any] = {
        "authors": (),
        "subjects": (),
        "isbn": None,
        "language": "en",
        "year": None,
        "blurb": "",
        "price_minor": 1000,
        "stock": 1,
        "added_at_us": 1_770_000_000_000_000 + number,
    }
    return IndexEntry(item_number=number, title=title, **(facts | other))


@contextmanager
def index_of(first: Sequence[IndexEntry], *updates: Sequence[IndexEntry]) -> Iterator[BookIndex]:
    """A segment for each portion, and updates of what was there before."""
    with TemporaryDirectory() as folder, closing(BookIndex(Path(folder))) as index:
        assert index.acquire()
        index.begin_rebuild()
        index.add(first)
        index.commit(Position("epoch", 0))
        for portion in updates:
            if index.update([entry.item_number for entry in portion], portion):
                index.commit(Position("epoch", 0))
        yield index


def find(index: BookIndex, q: str, **other: Any) -> list[int]:
    return list(index.find(WordsQuery(q=q, sort="relevance", **other), 0, 100).item_numbers)


FICCIONES, LOTR, SHAKESPEARE, UNPRICED, FRENCH, WALKS = range(1, 7)
BOOKS = [
    book(
        FICCIONES,
        "Ficciones",
        authors=("Jorge Luis Borges",),
        subjects=("Short stories",),
        isbn="9780802130303",
        language="es",
    ),
    book(LOTR, "The Lord of the Rings", authors=("J. R. R. Tolkien",), blurb="A ring is thrown away."),
    book(SHAKESPEARE, "Complete Works", authors=("Shakespeare, William",), subjects=("Drama",), stock=0),
    book(UNPRICED, "Cyborgs", price_minor=0, blurb="How borg implants work. 紅樓夢"),
    book(FRENCH, "L'Élan du cœur", language="fr"),
    book(WALKS, "Walks with Shakespeare", authors=("Ring, A.",)),
]


@pytest.fixture(scope="module")
def shop() -> Iterator[BookIndex]:
    with index_of(BOOKS[:3], BOOKS[3:]) as index:
        yield index


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("borges ficciones", [FICCIONES]),
        ("  BÓRGES,   ficciónes!  ", [FICCIONES]),
        ("borges short", [FICCIONES]),
        ("elan coeur", [FRENCH]),
        ("shakespeare", [WALKS, SHAKESPEARE]),
        ("rings", [LOTR]),
        ("borges tolkien", []),
        ("jrr tolkien", [LOTR]),
        ("j.r.r. tolkien", [LOTR]),
        ("紅樓", [UNPRICED]),
        ("borg", [UNPRICED]),
        ("borges ficc", [FICCIONES]),
        ("works shakespaere", [SHAKESPEARE]),
        ("jorge borg", [FICCIONES]),
        ("shaxpere", []),
        ("shaksepaere", [WALKS, SHAKESPEARE]),
    ],
)
def test_every_word_must_be_there_as_it_is_written_or_nearly(shop: BookIndex, q: str, expected: list[int]) -> None:
    assert find(shop, q) == expected


@pytest.mark.parametrize(
    "isbn", ["9780802130303", "978-0-8021-3030-3", "0802130305", "0-8021-3030-5", " 0 8021 3030 5"]
)
def test_an_isbn_finds_its_book_however_it_is_written(shop: BookIndex, isbn: str) -> None:
    assert find(shop, isbn) == [FICCIONES]
    assert find(shop, "borges", isbn=isbn) == [FICCIONES]


@pytest.mark.parametrize("isbn", ["0802130304", "978-0-596-52068-7", "isbn"])
def test_an_isbn_that_no_book_has_finds_nothing(shop: BookIndex, isbn: str) -> None:
    assert find(shop, "borges", isbn=isbn) == []


@pytest.mark.parametrize(
    "q", ['"', "AND", "a OR", "NOT", "%", "_", "* title:", "(", "📚", "!?", "\x00", "\ud800", "'; DROP TABLE books"]
)
def test_what_looks_like_an_operator_is_a_word_or_nothing(shop: BookIndex, q: str) -> None:
    assert find(shop, q) == []


@pytest.mark.parametrize(
    "q", ["x" * 10_000, "borges " * 2_000, " ".join(f"wrod{n}" for n in range(2_000)), "%" * 10_000]
)
def test_a_question_of_ten_thousand_letters_is_answered(shop: BookIndex, q: str) -> None:
    assert find(shop, q) == ([FICCIONES] if "borges" in q else [])


@given(q=st.text(max_size=200))
def test_any_text_is_a_question(shop: BookIndex, q: str) -> None:
    find(shop, q)


LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyz")


@st.composite
def mistyped(draw: st.DrawFn, word: str) -> str:
    """The word with one letter too many, missing, wrong, or swapped with the next."""
    at = draw(st.integers(0, len(word) - 1))
    letter = draw(LETTERS)
    return draw(
        st.sampled_from(
            [
                word[:at] + letter + word[at:],
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
            ]
        )
    )


@given(data=st.data())
def test_a_typing_mistake_is_forgiven_and_two_in_a_long_word(shop: BookIndex, data: st.DataObject) -> None:
    assert LOTR in find(shop, f"{data.draw(mistyped('tolkien'))} lord")
    long_word = data.draw(mistyped("shake")) + data.draw(mistyped("speare"))
    assert SHAKESPEARE in find(shop, f"drama {long_word}")


@pytest.mark.parametrize(
    ("q", "mistaken"),
    [
        ("Tolkien lord", ()),
        ("tolkein lord", ("tolkein",)),
        ("Tolkeín lor", ("tolkein", "lor")),
        ("lord shakespear", None),
        ("drama shakespear", ("shakespear",)),
        ("nothing whatever like it", None),
        ("", None),
    ],
)
def test_what_is_found_by_forgiving_says_which_words_were_mistaken(
    shop: BookIndex, q: str, mistaken: tuple[str, ...] | None
) -> None:
    found = shop.find(WordsQuery(q=q, sort="relevance"), 0, 100)
    assert (found.mistaken if found.total else None) == mistaken


def test_where_every_word_is_known_but_no_book_has_all_any_may_be_mistaken() -> None:
    with index_of([book(1, "mark twein"), book(2, "marx sea")]) as index:
        assert index.find(WordsQuery(q="marx twein", sort="relevance"), 0, 9).mistaken == ("marx", "twein")
        assert index.find(WordsQuery(q="mark twein", sort="relevance"), 0, 9).mistaken == ()


def test_the_exact_word_ranks_above_a_mistaken_one() -> None:
    with index_of([book(1, "mark twein"), book(2, "marx twein"), book(3, "twain"), book(4, "else")]) as index:
        assert find(index, "marx twain") == [2, 1]


def test_a_title_ranks_above_author_subject_and_blurb() -> None:
    fields: list[dict[str, Any]] = [{"blurb": "sea"}, {"subjects": ("sea",)}, {"authors": ("sea",)}]
    shelf = [book(number, "other", **field) for number, field in enumerate(fields, 1)]
    with index_of([*shelf, book(4, "sea")]) as index:
        assert find(index, "sea") == [4, 3, 2, 1]


NAMES = st.lists(st.sampled_from(["War", "war", "PEACE", "Café", "cafe\u0301", "Sea  Stories"]), max_size=3).map(tuple)
ENTRIES = st.lists(
    st.builds(
        book,
        number=st.integers(1, 2**53 - 1),
        title=st.sampled_from(["The sea", "the Sea at war", "The sea at peace", "Élan", "Elan", "war", "War"]),
        authors=NAMES,
        subjects=NAMES,
        language=st.sampled_from(["en", "fr", "pt-BR", None]),
        price_minor=st.sampled_from([0, 499, 500, 501, 1999, 10**9]),
        stock=st.integers(0, 2),
    ),
    max_size=12,
    unique_by=lambda entry: entry.item_number % 2**34,
)
QUERIES = st.builds(
    WordsQuery,
    q=st.sampled_from([None, "sea", "WAR", "the sea"]),
    subject=st.sampled_from([None, "war", "CAFÉ", "sea stories", "sea"]),
    author=st.sampled_from([None, "Peace"]),
    language=st.sampled_from([None, "en", "pt-br"]),
    in_stock=st.sampled_from([None, True, False]),
    min_price=st.sampled_from([None, 0, 500]),
    max_price=st.sampled_from([None, 500, 10**9]),
    sort=st.sampled_from(SORTS),
)


def has(names: Sequence[str], wanted: str | None) -> bool:
    return wanted is None or normalise(wanted) in {normalise(name) for name in names}


def fits(entry: IndexEntry, query: WordsQuery) -> bool:
    text = words(" ".join([entry.title, *entry.authors, *entry.subjects]))
    return (
        all(word in text for word in words(query.q or ""))
        and has(entry.subjects, query.subject)
        and has(entry.authors, query.author)
        and has([entry.language or ""], query.language)
        and (query.in_stock is None or query.in_stock == (entry.stock > 0))
        and (query.min_price or 0) <= entry.price_minor <= (10**9 if query.max_price is None else query.max_price)
    )


def in_order(entries: Sequence[IndexEntry], sort: Sort | None) -> list[int]:
    tie = {entry.item_number: entry.item_number % 2**34 for entry in entries}
    keys: dict[Any, Any] = {
        "title": lambda entry: (" ".join(words(entry.title)), entry.item_number),
        "newest": lambda entry: (-(entry.added_at_us // 1_000_000), -tie[entry.item_number]),
        "price": lambda entry: (entry.price_minor, tie[entry.item_number]),
        "-price": lambda entry: (-entry.price_minor, -tie[entry.item_number]),
    }
    return [entry.item_number for entry in sorted(entries, key=keys[sort])]


def counted(entries: Sequence[IndexEntry], facet: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for entry in entries:
        language = [entry.language] if entry.language else []
        names = {"subject": entry.subjects, "author": entry.authors, "language": language}[facet]
        found.update({normalise(name) for name in names})
    return found


@settings(max_examples=40, deadline=None)
@given(entries=ENTRIES, queries=st.lists(QUERIES, min_size=1, max_size=8))
def test_filters_order_and_facets_agree_with_looking_at_every_book(
    entries: list[IndexEntry], queries: list[WordsQuery]
) -> None:
    with index_of(entries[:4], entries[4:]) as index:
        for query in queries:
            expected = [entry for entry in entries if fits(entry, query)]
            found = index.find(query, 0, 100)
            if query.q and not expected:
                continue  # a mistake is then forgiven, and more may be found
            assert list(found.item_numbers) == in_order(expected, query.sort)
            assert found.total == len(expected)
            for facet in ("subject", "author", "language"):
                named = {normalise(value.value): value.count for value in found.facets[facet]}
                assert named == counted(expected, facet)
                assert list(named.values()) == sorted(named.values(), reverse=True)
            stock = {value.value: value.count for value in found.facets["in_stock"]}
            assert stock == Counter("true" if entry.stock else "false" for entry in expected)
            for band in found.facets["price"]:
                lowest, _, highest = band.value.partition("-")
                last = int(highest or 10**9)
                assert band.count == sum(int(lowest) <= entry.price_minor <= last for entry in expected)
            assert sum(band.count for band in found.facets["price"]) == len(expected)


@pytest.mark.parametrize("sort", ["relevance", *SORTS])
def test_pages_cover_each_hit_once_where_many_are_equal(sort: Sort) -> None:
    alike = [book(number, "The same long title, volume one", added_at_us=0) for number in range(1, 1301)]
    with index_of(alike[::2], alike[1::3], alike) as index:
        query = WordsQuery(q="same", sort=sort)
        pages = [index.find(query, start, start + 70).item_numbers for start in range(0, 1400, 70)]
    seen = [number for page in pages for number in page]
    assert seen == sorted(range(1, 1301), reverse=sort in {"newest", "-price"})


def test_titles_alike_at_their_beginning_are_sorted_by_their_end() -> None:
    titles = ["History of the war, b", "History of the war, a", "History", "Historia de España", "History of the"]
    with index_of([book(number, title) for number, title in enumerate(titles, 1)]) as index:
        assert index.find(WordsQuery(sort="title"), 0, 9).item_numbers == (4, 3, 5, 2, 1)


def test_a_facet_has_the_twenty_most_frequent_by_count_then_by_name() -> None:
    often = [book(number, "x", subjects=(f"often {number % 15:02}",)) for number in range(1, 31)]
    once = [book(number, "x", subjects=(f"once {number}",)) for number in range(100, 130)]
    with index_of(once, often) as index:
        subjects = index.find(WordsQuery(q="x", sort="title"), 0, 1).facets["subject"]
    assert [(value.value, value.count) for value in subjects] == [
        *((f"often {number:02}", 2) for number in range(15)),
        *((f"once {number}", 1) for number in range(100, 105)),
    ]


def test_an_index_that_was_never_built_says_so(tmp_path: Path) -> None:
    index = BookIndex(tmp_path / "search")
    assert not index.ready
    with pytest.raises(IndexNotReady):
        index.find(WordsQuery(sort="title"), 0, DEEPEST_HIT)


def test_what_is_remembered_of_a_question_is_forgotten_when_the_index_changes() -> None:
    shelf = [book(number, "x", subjects=("sea",)) for number in range(1, FEWEST_HITS_REMEMBERED + 1)]
    added = book(len(shelf) + 1, "x", subjects=("sea",))
    with index_of(shelf) as index:
        for query in (WordsQuery(sort="title"), WordsQuery(q="x", sort="newest")):
            pages = [index.find(query, 0, 5), index.find(query, 5, 10), index.find(query, 0, 5)]
            assert pages[0] == pages[2] != pages[1]
            assert pages[1].facets == pages[0].facets
            assert index.find(query, 0, 5, facets=False).facets == {}
        assert index.update([added.item_number], [added])
        index.commit(Position("epoch", 1))
        for query in (WordsQuery(sort="title"), WordsQuery(q="x", sort="newest")):
            found = index.find(query, 0, 5)
            assert found.total == len(shelf) + 1
            assert [(value.value, value.count) for value in found.facets["subject"]] == [("sea", len(shelf) + 1)]


def test_words_that_are_right_are_not_read_as_mistaken_where_only_the_filters_leave_nothing() -> None:
    with index_of([book(1, "walks", language="en"), book(2, "walls", language="fr")]) as index:
        assert find(index, "walks", language="fr") == []
        assert find(index, "waljs", language="fr") == [2]
