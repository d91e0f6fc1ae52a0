"""Catalogues as they really are: exported by spreadsheets, cut off, in the wrong encoding, with holes."""

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bazar.contracts.books import NewBook
from bazar.contracts.catalogue_file import (
    BadCatalogueFile,
    BadRow,
    Columns,
    GoodRow,
    Reading,
    Row,
    count_rows,
    read_rows,
)

HEADER = "source_id,title,authors,subjects,isbn,language,year,blurb,price,stock\n"
WHOLE = Reading(currency="USD")
DEFAULTS = Reading(currency="USD", price_minor=1500, stock=3)

Read = Callable[..., list[Row]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Rows of a file of this content, text as UTF-8."""

    def read_content(
        content: str | bytes, columns: Columns | None = None, reading: Reading = WHOLE, name: str = "books.csv"
    ) -> list[Row]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return list(read_rows(path, columns or Columns(), reading))

    return read_content


def book_of(row: Row) -> NewBook:
    assert isinstance(row, GoodRow), row
    return row.book.book


def reason_of(row: Row) -> str:
    assert isinstance(row, BadRow), row
    return row.reason


def only(rows: list[Row]) -> NewBook:
    assert len(rows) == 1
    return book_of(rows[0])


def a_row(**values: str) -> str:
    """A line that is good but for what is given."""
    fields = {"source_id": "7", "title": "RPCs for Noobs", "price": "2199", "stock": "5", **values}
    return ",".join(fields.get(name, "") for name in HEADER.strip().split(",")) + "\n"


def test_every_column_becomes_a_field(read: Read) -> None:
    line = "7,RPCs for Noobs,A. Noob; B. Noob,computing;networks,9780201835953,en,1995,From the beginning.,2199,5\n"
    (row,) = read(HEADER + line)
    assert isinstance(row, GoodRow)
    assert (row.line, row.book.source_id) == (2, "7")
    book = row.book.book
    assert (book.title, book.authors, book.subjects) == (
        "RPCs for Noobs",
        ("A. Noob", "B. Noob"),
        ("computing", "networks"),
    )
    assert (book.isbn, book.language, book.year, book.blurb) == ("9780201835953", "en", 1995, "From the beginning.")
    assert (book.price.amount, book.price.currency, book.stock) == (2199, "USD", 5)


def test_a_byte_order_mark_is_no_part_of_the_first_column(read: Read) -> None:
    assert only(read(b"\xef\xbb\xbf" + (HEADER + a_row()).encode())).title == "RPCs for Noobs"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(read: Read, end: str) -> None:
    assert len(read((HEADER + a_row() + a_row()).replace("\n", end))) == 2


def test_quoted_fields_hold_commas_quotes_and_line_breaks(read: Read) -> None:
    rows = read(HEADER + a_row(title='"Yes, ""no"" and\nperhaps"') + a_row())
    assert book_of(rows[0]).title == 'Yes, "no" and\nperhaps'
    assert [row.line for row in rows] == [3, 4]


def test_blank_lines_are_no_rows(read: Read) -> None:
    assert len(read(HEADER + "\n" + a_row() + "\n\n")) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (a_row(title="").encode(), "title"),
        (a_row(title="   ").encode(), "title"),
        (a_row(source_id="").encode(), "source_id"),
        (a_row(title="Caf\xe9").encode("latin-1"), "no UTF-8"),
        (a_row(title="a\0b").encode(), "title"),
        (a_row(title='"a"b').encode(), "no CSV"),
        (a_row(price="-1").encode(), "price: "),
        (
            a_row(price="21.99").encode(),
            "price: '21.99' is no whole number; prices are in the currency's minor unit, cents say: 2199",
        ),
        (a_row(price='"0,50"').encode(), "cents say: 50"),
        (a_row(price="cheap").encode(), "price: 'cheap' is no whole number"),
        (a_row(price="").encode(), "price: "),
        (a_row(price="1" + "0" * 30).encode(), "price: "),
        (a_row(source_id="1", title="Another").encode(), "source_id: '1' is that of line 2"),
        (a_row(stock="many").encode(), "stock: 'many' is no whole number"),
        (a_row(stock="-1").encode(), "stock"),
        (a_row(year="MCM").encode(), "year"),
        (a_row(year="1995.5").encode(), "year"),
        (a_row(isbn="none").encode(), "isbn"),
        (a_row(language="English!").encode(), "language"),
        (a_row(title="x" * 2_001).encode(), "title"),
        (a_row(blurb="x" * 200_000).encode(), "no CSV"),
        (a_row().replace("\n", ",more\n").encode(), "more or fewer fields"),
        (b"7,RPCs for Noobs\n", "more or fewer fields"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_rest_is_read(read: Read, line: bytes, reason: str) -> None:
    rows = read((HEADER + a_row(source_id="1")).encode() + line + a_row(source_id="2").encode())
    assert [row.line for row in rows] == [2, 3, 4]
    assert reason in reason_of(rows[1])
    assert [row.book.source_id for row in rows if isinstance(row, GoodRow)] == ["1", "2"]


def test_a_quote_that_never_ends_spoils_what_follows_and_nothing_before(read: Read) -> None:
    rows = read(HEADER + a_row() + a_row(title='"open') + a_row())
    assert isinstance(rows[0], GoodRow)
    assert "no CSV" in reason_of(rows[-1])


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("isbn", "201835953", "0201835953"),  # a spreadsheet took the zero away
        ("isbn", "0-201-83595-9", "0-201-83595-9"),
        ("isbn", "", None),
        ("isbn", "0", None),
        ("isbn", "0000000000000", None),
        ("year", "2008.0", 2008),
        ("year", "-750", -750),
        ("year", "", None),
        ("language", "en/fr", "en"),
        ("language", "", None),
        ("language", "pt-BR", "pt-BR"),
        ("authors", "", ()),
        ("authors", " A ;; B;A", ("A", "B")),
        ("price", "0", 0),
        ("stock", "0", 0),
    ],
)
def test_values_are_read_as_they_are_written(read: Read, field: str, text: str, value: object) -> None:
    book = only(read(HEADER + a_row(**{field: text})))
    assert (book.price.amount if field == "price" else getattr(book, field)) == value


def test_a_row_without_price_or_stock_gets_what_was_told(read: Read) -> None:
    rows = read(HEADER + a_row(price="", stock="") + a_row(source_id="8", price="99", stock="0"), reading=DEFAULTS)
    assert [(book_of(row).price.amount, book_of(row).stock) for row in rows] == [(1500, 3), (99, 0)]


def test_a_free_book_of_which_there_is_none_yet_is_a_default_too(read: Read) -> None:
    book = only(read("source_id,title\n1,T\n", reading=Reading(currency="EUR", price_minor=0, stock=0)))
    assert (book.price.amount, book.price.currency, book.stock) == (0, "EUR", 0)


def test_another_separator_stands_between_authors(read: Read) -> None:
    reading = Reading(currency="USD", price_minor=1, stock=1, separator=" & ")
    assert only(read("source_id,title,authors\n1,T,Tom & Jerry; Ltd\n", reading=reading)).authors == (
        "Tom",
        "Jerry; Ltd",
    )


def test_columns_of_other_names_are_mapped_and_one_may_serve_twice(read: Read) -> None:
    columns = Columns(source_id="ISBN", isbn="ISBN", title="Titel")
    (row,) = read("Titel,ISBN,Farbe\nFaust,9783150000014,rot\n", columns, DEFAULTS)
    assert isinstance(row, GoodRow)
    assert (row.book.source_id, row.book.book.title, row.book.book.isbn) == ("9783150000014", "Faust", "9783150000014")


@pytest.mark.parametrize(
    ("content", "columns", "reading", "missing"),
    [
        ("title\nT\n", Columns(), DEFAULTS, "no column source_id; there are title"),
        ("a,b\n", Columns(), DEFAULTS, "no column source_id, title; there are a, b"),
        ("source_id,title\n", Columns(), WHOLE, "no column price, stock"),
        ("source_id,title\n", Columns(), Reading(currency="USD", price_minor=1), "no column stock"),
        ("source_id,title\n", Columns(authors="Autor"), DEFAULTS, "no column Autor"),
        ("", Columns(), DEFAULTS, "there are none"),
        ('"a"b,title\n', Columns(), DEFAULTS, "first line is no CSV"),
        ("source_id,title\n".encode("utf-16"), Columns(), DEFAULTS, "first line is no UTF-8"),
    ],
)
def test_a_file_that_is_no_catalogue_says_what_is_missing(
    read: Read, content: str | bytes, columns: Columns, reading: Reading, missing: str
) -> None:
    with pytest.raises(BadCatalogueFile, match=missing) as caught:
        read(content, columns, reading)
    str(caught.value).encode()  # a terminal can show it


def test_missing_columns_come_with_the_way_to_mend_it(read: Read) -> None:
    with pytest.raises(BadCatalogueFile, match=r"--map FIELD=COLUMN.*--price and --stock"):
        read("a,b\n")


@pytest.mark.parametrize(("suffix", "pack"), [(".xz", lzma.compress), (".gz", gzip.compress)])
def test_a_packed_file_is_read_like_a_plain_one(
    read: Read, tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    name = f"books.csv{suffix}"
    assert len(read(pack((HEADER + a_row() * 3).encode()), name=name)) == 3
    assert count_rows(tmp_path / name) == 3


@pytest.mark.parametrize("spoil", [lambda data: data[:-20], lambda data: data[:20] + b"\xff" * 40, lambda _: b"no"])
@pytest.mark.parametrize(("suffix", "pack"), [(".xz", lzma.compress), (".gz", gzip.compress)])
def test_a_damaged_file_is_said_to_be_unreadable(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes], spoil: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"books.csv{suffix}"
    path.write_bytes(spoil(pack((HEADER + a_row() * 500).encode())))
    with pytest.raises(BadCatalogueFile, match="cannot be read"):
        list(read_rows(path, Columns(), WHOLE))
    with pytest.raises(BadCatalogueFile, match="cannot be read"):
        count_rows(path)


def test_a_file_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadCatalogueFile, match="cannot be read"):
        list(read_rows(tmp_path / "none.csv", Columns(), WHOLE))


def test_of_one_source_id_the_first_row_that_is_a_book_counts(read: Read) -> None:
    rows = read(HEADER + a_row(price="") + a_row(title="Good") + a_row(title="Late"))
    assert reason_of(rows[0]).startswith("price: ")
    assert book_of(rows[1]).title == "Good"
    assert reason_of(rows[2]) == "source_id: '7' is that of line 3"


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_semicolons_or_tabs_may_stand_between_columns(read: Read, delimiter: str) -> None:
    line = delimiter.join(["7", "Yes, no", '"A. Noob, Jr.;B. Noob"', "", "", "", "", "", "2199", "5"])
    book = only(read(HEADER.replace(",", delimiter) + line + "\n"))
    assert (book.title, book.authors, book.stock) == ("Yes, no", ("A. Noob, Jr.", "B. Noob"), 5)


def test_a_mistake_is_told_by_the_name_that_the_column_has_in_the_file(read: Read) -> None:
    columns = Columns(isbn="EAN", price="Preis")
    rows = read("source_id,title,EAN,Preis,stock\n1,T,none,100,1\n2,T,,1.00,1\n", columns)
    assert reason_of(rows[0]).startswith("EAN: ")
    assert reason_of(rows[1]).startswith("Preis: '1.00' is no whole number")


@pytest.mark.parametrize(("content", "rows"), [("", 0), (HEADER, 0), (HEADER + a_row() * 2, 2)])
def test_rows_are_counted_about(tmp_path: Path, content: str, rows: int) -> None:
    path = tmp_path / "books.csv"
    path.write_text(content)
    assert count_rows(path) == rows


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text('abc,";\r\n\0é', max_size=60).map(str.encode))
def test_whatever_the_bytes_each_row_is_good_or_bad(tmp_path_factory: Any, content: bytes) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"source_id,title\n" + content)
    assert all(isinstance(row, GoodRow | BadRow) for row in read_rows(path, Columns(), DEFAULTS))


def test_headings_may_have_other_capitals(read: Read) -> None:
    book = only(read("Source_ID, TITLE ,Price,stock\n1,Tea,1250,3\n"))
    assert (book.title, book.price.amount, book.stock) == ("Tea", 1250, 3)
    exact = only(read("Title,source_id,title,price,stock\nMilk,1,Tea,1250,3\n"))
    assert exact.title == "Tea"


def test_a_price_is_read_as_it_is_written(read: Read) -> None:
    reading = Reading(currency="USD", prices="decimal")
    rows = read("source_id,title,price,stock\n1,A,12.50,1\n2,B,15,1\n3,C,1.250,1\n4,D,,1\n", reading=reading)
    assert [book_of(row).price.amount for row in rows[:2]] == [1250, 1500]
    assert reason_of(rows[2]) == "price: is no price in USD; write it like 1234.56"
    assert reason_of(rows[3]) == "price: is empty, and nothing was said for such rows"


def test_an_empty_title_is_told_as_that(read: Read) -> None:
    (row,) = read("source_id,title,price,stock\n1,,1250,3\n")
    assert reason_of(row) == "title: is empty"
