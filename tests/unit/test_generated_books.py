"""``bazar catalogue generate``: the same books for the same seed, and an import takes all of them."""

from collections import Counter
from pathlib import Path

from stdnum import isbn

from bazar.cli.generated_books import generated_rows, isbn13
from bazar.contracts.catalogue_file import Columns, GoodRow, Reading, read_rows
from command import run_here


def test_what_is_generated_can_be_imported_and_every_isbn_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    said = run_here("catalogue", "generate", str(file), "--titles", "500", "--seed", "7")
    assert said.stdout == f"500 titles in {file}\n"
    rows = list(read_rows(file, Columns(), Reading(currency="USD")))
    books = [row.book.book for row in rows if isinstance(row, GoodRow)]
    assert len(books) == len(rows) == 500
    assert all(isbn.is_valid(book.isbn or "") for book in books)
    assert len({book.isbn for book in books}) == 500


def test_a_seed_gives_the_same_books_and_fewer_are_the_beginning_of_more() -> None:
    many = list(generated_rows(50, seed=3))
    assert list(generated_rows(20, seed=3)) == many[:20]
    assert list(generated_rows(20, seed=4)) != many[:20]


def test_words_are_as_frequent_as_zipf_says() -> None:
    words = Counter(word for row in generated_rows(2_000, seed=1) for word in row[7].rstrip(".").lower().split())
    (_, first), *_, (_, tenth) = words.most_common(10)
    assert 5 < first / tenth < 20


def test_the_check_digit_is_that_of_a_printed_book() -> None:
    assert isbn13(30_640_615) == "9780306406157"
    assert isbn.is_valid(isbn13(0))


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("mine")
    said = run_here("catalogue", "generate", str(file))
    assert said.exit_code == 1
    assert "File exists" in said.stderr
    assert file.read_text() == "mine"
