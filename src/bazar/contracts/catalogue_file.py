"""A catalogue as a CSV file (RFC 4180): its columns, what it lacks, and its rows as books to import.

Spreadsheets of many countries put semicolons for commas: the first line shows what stands between columns.
"""

import csv
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from io import BytesIO, TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, Any, Literal, cast

from bazar.contracts.amounts import read_price
from bazar.contracts.books import ImportedBook
from bazar.contracts.wire import Invalid, convert, dump

_OPENERS = {".xz": lzma.open, ".gz": gzip.open}
_UNREADABLE = (OSError, EOFError, lzma.LZMAError, zlib.error)
ISBN10_DIGITS = 10
#: What may stand between two columns; the first of them where the first line has none.
_DELIMITERS = ",;\t"
#: What is no UTF-8 becomes lone surrogates, so that one bad row is refused and not the file.
_AS_TEXT: Mapping[str, Any] = {"encoding": "utf-8-sig", "errors": "surrogateescape", "newline": ""}
_SAVE_IT_SO = "save it as CSV UTF-8"
ROWS_TOGETHER = 250
#: Half of what a server takes as one body.
BYTES_TOGETHER = 512 * 1024
#: What every row needs: the field, and that of Reading which says it for rows without.
_NEEDED = {"price": "price_minor", "stock": "stock"}
_WHOLE_NUMBERS = ("price", "stock", "year")
#: How prices stand in a file: ``12.50``, or in the currency's minor unit, ``1250``.
Prices = Literal["decimal", "minor"]


class BadCatalogueFile(Exception):
    """The file cannot be read as a catalogue at all; says what is missing."""


class MissingColumns(BadCatalogueFile):
    """Fields that every book has stand in no column; ``told`` says which, without the remedy of the command."""

    def __init__(self, told: str) -> None:
        super().__init__(
            f"{told} Name the columns with --map FIELD=COLUMN, and give --price and --stock where the file has none."
        )
        self.told = told


@dataclass(frozen=True)
class Columns:
    """The column of each field of a book."""

    source_id: str = "source_id"
    title: str = "title"
    authors: str = "authors"
    subjects: str = "subjects"
    isbn: str = "isbn"
    language: str = "language"
    year: str = "year"
    blurb: str = "blurb"
    price: str = "price"
    stock: str = "stock"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How values are read, and what a row that has none gets.

    ``separator`` stands between several authors or subjects. ``prices``: how those of the file are written.
    """

    currency: str
    price_minor: int | None = None
    stock: int | None = None
    separator: str = ";"
    prices: Prices = "minor"


@dataclass(frozen=True)
class BadRow:
    """A row that is no book; ``line`` is where it ends in the file."""

    line: int
    reason: str


@dataclass(frozen=True)
class GoodRow:
    """A row that can be imported."""

    line: int
    book: ImportedBook


Row = GoodRow | BadRow


def count_rows(path: Path) -> int:
    """About how many rows there are: lines but the first. Raises BadCatalogueFile."""
    with _opened(path) as lines:
        return max(0, sum(1 for _ in lines) - 1)


def read_rows(path: Path, columns: Columns, reading: Reading) -> Iterator[Row]:
    """The rows in the order of the file, one at a time; raises BadCatalogueFile.

    Of several with one source_id, the first that is a book counts.
    """
    with _opened(path) as lines:
        yield from _rows(lines, columns, reading)


def rows_of(data: bytes, columns: Columns, reading: Reading) -> Iterator[Row]:
    """As read_rows, of a file that is at hand."""
    with TextIOWrapper(BytesIO(data), **_AS_TEXT) as lines:
        yield from _rows(lines, columns, reading)


def price_texts(data: bytes, columns: Columns) -> Iterator[str]:
    """The prices as they are written, where there are any; raises BadCatalogueFile."""
    with TextIOWrapper(BytesIO(data), **_AS_TEXT) as lines:
        reader = _reader(lines, columns)
        while True:
            try:
                text = (next(reader).get(columns.price) or "").strip()
            except StopIteration:
                return
            except csv.Error:
                continue
            if text:
                yield text


def portions(rows: Iterable[GoodRow]) -> Iterator[tuple[GoodRow, ...]]:
    """The rows, so many together as fit into one request to the catalog."""
    portion: list[GoodRow] = []
    size = 0
    for row in rows:
        portion.append(row)
        size += len(dump(row.book))
        if len(portion) == ROWS_TOGETHER or size >= BYTES_TOGETHER:
            yield tuple(portion)
            portion, size = [], 0
    if portion:
        yield tuple(portion)


def _rows(lines: Iterator[str], columns: Columns, reading: Reading) -> Iterator[Row]:
    known: dict[str, int] = {}
    reader = _reader(lines, columns)
    _check_columns(reader.fieldnames or (), columns, reading)
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # The inner reader's number: DictReader's own stands still when a row fails.
            yield BadRow(reader.reader.line_num, f"no CSV: {error}")
            continue
        row = _row(reader.line_num, values, columns, reading)
        if isinstance(row, GoodRow) and known.setdefault(row.book.source_id, row.line) != row.line:
            source_id = row.book.source_id
            row = BadRow(row.line, f"{columns.source_id}: {source_id!r} is that of line {known[source_id]}")
        yield row


def _reader(lines: Iterator[str], columns: Columns) -> "csv.DictReader[str]":
    """Of the rows by the names of ``columns``: in the first line these may have other capitals and spaces around."""
    first = next(lines, "")
    reader = csv.DictReader(chain([first], lines), delimiter=max(_DELIMITERS, key=first.count), strict=True)
    names = list(_first_line(reader))
    for wanted in (getattr(columns, field.name) for field in fields(columns)):
        alike = [place for place, name in enumerate(names) if name.strip().casefold() == wanted.casefold()]
        if alike and wanted not in names:
            names[alike[0]] = wanted
    reader.fieldnames = names
    return reader


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    opener = cast(Callable[..., IO[str]], _OPENERS.get(path.suffix, open))
    try:
        with opener(path, "rt", **_AS_TEXT) as lines:
            yield lines
    except _UNREADABLE as error:
        raise BadCatalogueFile(f"{path} cannot be read: {error}") from error


def _first_line(reader: "csv.DictReader[str]") -> Sequence[str]:
    try:
        names = reader.fieldnames or ()
    except csv.Error as error:
        raise BadCatalogueFile(f"the first line is no CSV: {error}") from error
    if any(_is_no_utf8(name) for name in names):
        raise BadCatalogueFile(f"the first line is no UTF-8: {_SAVE_IT_SO}")
    return names


def _check_columns(present: Sequence[str], columns: Columns, reading: Reading) -> None:
    needed = [columns.source_id, columns.title]
    needed += [columns.price] if reading.price_minor is None else []
    needed += [columns.stock] if reading.stock is None else []
    needed += [
        getattr(columns, field.name) for field in fields(columns) if getattr(columns, field.name) != field.default
    ]
    missing = [name for name in dict.fromkeys(needed) if name not in present]
    if missing:
        raise MissingColumns(f"there is no column {', '.join(missing)}; there are {', '.join(present) or 'none'}.")


def _row(line: int, values: Mapping[str | None, Any], columns: Columns, reading: Reading) -> Row:
    if None in values or None in values.values():
        return BadRow(line, "it has more or fewer fields than the first line")
    text = {field.name: (values.get(getattr(columns, field.name)) or "").strip() for field in fields(columns)}
    why = _why_unusable(text, columns, reading)
    if why:
        return BadRow(line, why)
    try:
        book = {
            "title": text["title"],
            "authors": _several(text["authors"], reading.separator),
            "subjects": _several(text["subjects"], reading.separator),
            "price": {"amount": _amount(text["price"], reading), "currency": reading.currency},
            "stock": text["stock"] or reading.stock,
            "isbn": _isbn(text["isbn"]),
            # "en/fr": of several languages the first
            "language": text["language"].split("/")[0].strip() or None,
            "year": text["year"].removesuffix(".0") or None,
            "blurb": text["blurb"],
        }
        return GoodRow(line, convert({"source_id": text["source_id"], "book": book}, ImportedBook))
    except Invalid as error:
        field = error.field.removeprefix("book.").partition(".")[0]
        return BadRow(line, f"{getattr(columns, field, field)}: {error.detail}")


def _why_unusable(text: Mapping[str, str], columns: Columns, reading: Reading) -> str:
    """What is wrong with a row before it is taken for a book; nothing: an empty text."""
    if any(_is_no_utf8(value) for value in text.values()):
        return f"it is no UTF-8: {_SAVE_IT_SO}"
    if not text["title"]:
        return f"{columns.title}: is empty"
    for field in _WHOLE_NUMBERS:
        number = text[field].removesuffix(".0") if field == "year" else text[field]
        if not number and field in _NEEDED and getattr(reading, _NEEDED[field]) is None:
            return f"{getattr(columns, field)}: is empty, and nothing was said for such rows"
        is_read_as_written = field == "price" and reading.prices == "decimal"
        if number and not is_read_as_written and not re.fullmatch("-?[0-9]+", number):
            return f"{getattr(columns, field)}: {number[:40]!r} is no whole number{_hint(field, number)}"
    return ""


def _amount(text: str, reading: Reading) -> str | int | None:
    """In the minor unit; raises Invalid."""
    if text and reading.prices == "decimal":
        return read_price(text, reading.currency).amount
    return text or reading.price_minor


def _hint(field: str, number: str) -> str:
    """A price as people write it, and how it is written here."""
    if field == "price" and re.fullmatch("[0-9]+[.,][0-9]{2}", number):
        return f"; prices are in the currency's minor unit, cents say: {re.sub('[.,]', '', number).lstrip('0') or 0}"
    return ""


def _several(text: str, separator: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(separator) if part.strip()))


def _is_no_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a surrogate
        return True
    return False


def _isbn(text: str) -> str | None:
    """A spreadsheet takes the leading zeros of an ISBN-10 away; its check digit tells whether we guessed right.

    Nothing but zeros, whose check digit is right as well, is how a source says that there is none.
    """
    return text.rjust(ISBN10_DIGITS, "0") if text.strip("0") else None
