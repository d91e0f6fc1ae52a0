"""The sample catalogue: the founders' seven first, then books that really exist."""

from collections import Counter
from importlib.resources import as_file, files

import pytest

from bazar.catalog.domain.isbn import isbn13
from bazar.contracts.books import NewBook
from bazar.contracts.catalogue_file import BadRow, Columns, GoodRow, Reading, Row, read_rows

DISTRIBUTED = ("distributed systems",)
UNDERGRADUATE = ("undergraduate school",)
SEVEN = [
    ("How to get a good grade in DOS in 40 minutes a day", DISTRIBUTED),
    ("RPCs for Noobs", DISTRIBUTED),
    ("Xen and the Art of Surviving Undergraduate School", UNDERGRADUATE),
    ("Cooking for the Impatient Undergrad", UNDERGRADUATE),
    ("How to finish Project 3 on time", DISTRIBUTED),
    ("Why theory classes are so hard", UNDERGRADUATE),
    ("Spring in the Pioneer Valley", UNDERGRADUATE),
]
FEWEST_BOOKS = 300
FEWEST_SUBJECTS = 12
#: A subject that a visitor looks through has at least so many.
FEWEST_OF_A_SUBJECT = 10


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with as_file(files("bazar.catalog") / "sample" / "books.csv") as path:
        return list(read_rows(path, Columns(), Reading(currency="USD")))


@pytest.fixture(scope="module")
def books(rows: list[Row]) -> list[NewBook]:
    return [row.book.book for row in rows if isinstance(row, GoodRow)]


def test_no_row_is_bad(rows: list[Row]) -> None:
    assert [row for row in rows if isinstance(row, BadRow)] == []


def test_items_1_to_7_are_the_founders_seven(books: list[NewBook]) -> None:
    assert [(book.title, book.subjects) for book in books[:7]] == SEVEN


def test_there_are_books_enough_of_subjects_enough(books: list[NewBook]) -> None:
    found = Counter(subject for book in books for subject in book.subjects)
    assert len(books) >= FEWEST_BOOKS
    assert sum(count >= FEWEST_OF_A_SUBJECT for count in found.values()) >= FEWEST_SUBJECTS


def test_every_isbn_is_valid_and_of_one_book(books: list[NewBook]) -> None:
    found = [isbn13(book.isbn) for book in books if book.isbn is not None]
    assert found
    assert len(found) == len(set(found))


def test_every_book_can_be_bought_and_has_a_blurb(books: list[NewBook]) -> None:
    assert [book.title for book in books if not (book.stock and book.price.amount and book.blurb.strip())] == []


def test_every_real_book_has_author_language_and_subject(books: list[NewBook]) -> None:
    # A year stands only where it is certain.
    assert [book.title for book in books[7:] if not (book.authors and book.language and book.subjects)] == []


def test_no_book_and_no_source_id_is_there_twice(rows: list[Row], books: list[NewBook]) -> None:
    source_ids = [row.book.source_id for row in rows if isinstance(row, GoodRow)]
    assert len(source_ids) == len(set(source_ids))
    titles = Counter((book.title.casefold(), book.authors) for book in books)
    assert [title for title, times in titles.items() if times > 1] == []
