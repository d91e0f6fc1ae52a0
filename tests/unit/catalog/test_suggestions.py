"""What goes on like the text that somebody is typing."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bazar.catalog.search.index import BookIndex, Position
from bazar.catalog.use_cases.search_books import Beginnings, IndexEntry, IndexNotReady

NOTHING = Beginnings((), (), ())
TOWER, TWO_TOWERS, TOWERS_OF_HANOI, SNOW, LIGHT = range(1, 6)


def book(number: int, title: str, authors: tuple[str, ...], subjects: tuple[str, ...]) -> IndexEntry:
    return IndexEntry(
        item_number=number,
        title=title,
        authors=authors,
        subjects=subjects,
        isbn=None,
        language=None,
        year=None,
        blurb="towering ambition",
        price_minor=1000,
        stock=1,
        added_at_us=1_770_000_000_000_000 + number,
    )


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BookIndex]:
    with closing(BookIndex(tmp_path_factory.mktemp("search"))) as made:
        assert made.acquire()
        made.begin_rebuild()
        made.add(
            [
                book(TWO_TOWERS, "The Two Towers", ("J. R. R. Tolkien",), ("fantasy",)),
                book(TOWER, "The Tower", ("W. B. Yeats", "Thomas Parkinson"), ("poetry",)),
                book(TOWERS_OF_HANOI, "Towers of Hanoi", ("Andreas Hinz",), ("mathematics", "games of patience")),
                book(SNOW, "Kar", ("Orhan Pamuk",), ("Fiction",)),
                book(LIGHT, "Élan: Light of the Towers", ("Ann Tolman",), ("physics", "FICTION")),
            ]
        )
        made.commit(Position("epoch", 0))
        yield made


def titles(index: BookIndex, text: str, limit: int = 5) -> tuple[int, ...]:
    return index.begin_with(text, limit).item_numbers


def test_titles_that_begin_with_the_text_come_first_and_blurbs_do_not_count(index: BookIndex) -> None:
    found = titles(index, "tower")
    assert found[0] == TOWERS_OF_HANOI
    assert set(found) == {TOWER, TWO_TOWERS, TOWERS_OF_HANOI, LIGHT}
    assert len(titles(index, "tower", limit=2)) == 2


def test_the_last_word_may_be_unfinished_and_the_others_are_whole(index: BookIndex) -> None:
    assert titles(index, "two tow") == (TWO_TOWERS,)
    assert titles(index, "tw towers") == ()
    assert titles(index, "ELAN") == (LIGHT,)


def test_a_mistake_in_a_title_is_forgiven_where_nothing_fits_without(index: BookIndex) -> None:
    assert titles(index, "towres of han") == (TOWERS_OF_HANOI,)
    assert set(titles(index, "twoer")) >= {TOWER, TWO_TOWERS}
    assert titles(index, "twx") == ()


def test_only_the_author_who_has_the_name_is_named(index: BookIndex) -> None:
    assert index.begin_with("yea", 5).authors == ("W. B. Yeats",)
    assert index.begin_with("tol", 5).authors == ("Ann Tolman", "J. R. R. Tolkien")
    assert index.begin_with("orhan pa", 5).authors == ("Orhan Pamuk",)


def test_subjects_are_named_once_however_they_are_written(index: BookIndex) -> None:
    assert [name.lower() for name in index.begin_with("fic", 5).subjects] == ["fiction"]
    assert index.begin_with("games of pat", 5).subjects == ("games of patience",)


@pytest.mark.parametrize("text", ["", " ", "t", "!?", "\x00", '"'])
def test_a_single_letter_or_none_suggests_nothing(index: BookIndex, text: str) -> None:
    assert index.begin_with(text, 5) == NOTHING


@given(st.text(max_size=80))
def test_whatever_is_typed_is_answered(index: BookIndex, text: str) -> None:
    found = index.begin_with(text, 3)
    assert max(map(len, (found.item_numbers, found.authors, found.subjects))) <= 3


def test_without_an_index_it_is_said(tmp_path: Path) -> None:
    with closing(BookIndex(tmp_path)) as empty, pytest.raises(IndexNotReady):
        empty.begin_with("tower", 5)
