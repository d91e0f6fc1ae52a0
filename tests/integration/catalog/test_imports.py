"""Books that come in files, on every database: each row once, a source withdrawn whole, a preview that is kept."""

from collections.abc import Sequence
from functools import partial

import msgspec
import pytest

from bazar.catalog.domain.errors import UnknownSource
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.look_up import LookUp
from bazar.chassis.database import Database
from bazar.contracts.books import (
    MOST_COPIES,
    ChangesQuery,
    ImportBooks,
    ImportedBook,
    ImportOutcome,
    NewBook,
    Price,
    SubjectQuery,
    WithdrawSource,
)
from shop_in_process import CURRENCY, add_book, books_out_of_balance
from together import together


def rows(count: int, first: int = 0) -> Sequence[ImportedBook]:
    """Rows of a file: their titles are their numbers."""
    return tuple(
        ImportedBook(
            source_id=f"row {number}",
            book=NewBook(
                title=str(number),
                authors=(),
                subjects=("imported", f"of {number % 3}"),
                price=Price(amount=100, currency=CURRENCY),
                stock=3,
            ),
        )
        for number in range(first, first + count)
    )


def import_rows(keep_stock: KeepStock, *imported: ImportedBook, source: str = "a file") -> ImportOutcome:
    return keep_stock.import_books(ImportBooks(actor="staff", source=source, rows=imported))[0]


def test_a_book_is_found_as_it_was_added(keep_stock: KeepStock, look_up: LookUp) -> None:
    new = NewBook(
        title="Ça \"déjà\" 'vu' \\ \U0001f4da ',--",
        authors=("Ann  Lee", "Ben"),
        subjects=("distributed systems",),
        price=Price(amount=10**9, currency=CURRENCY),
        stock=MOST_COPIES,
        isbn="0-306-40615-2",
        language="fr-CA",
        year=-4000,
        blurb="100 % :name %s\n\t{}",
    )
    item = import_rows(keep_stock, ImportedBook(source_id="1", book=new)).added
    book, _ = look_up.book(item)
    for name in ("title", "authors", "subjects", "language", "year", "blurb"):
        assert getattr(book, name) == getattr(new, name)
    assert book.price.amount == new.price.amount
    assert (book.isbn, book.quantity, book.version) == ("9780306406157", MOST_COPIES, 1)


def test_an_import_adds_its_rows_in_their_order_and_once(keep_stock: KeepStock, look_up: LookUp) -> None:
    first = import_rows(keep_stock, *rows(250), *rows(10))
    again = import_rows(keep_stock, *rows(260, first=0))
    assert [(done.added, done.present, done.rejected) for done in (first, again)] == [(250, 10, ()), (10, 250, ())]
    assert [look_up.book(number)[0].title for number in range(1, 261)] == [str(number) for number in range(260)]


def test_one_list_under_another_name_adds_no_book_twice(keep_stock: KeepStock) -> None:
    import_rows(keep_stock, *rows(3))
    (other,) = rows(1, first=7)
    under_a_known_id = ImportedBook(source_id="row 2", book=other.book)  # another book, whose list counts as ours does
    done = import_rows(keep_stock, *rows(2), under_a_known_id, *rows(1, first=3), source="a copy")
    assert (done.added, done.present) == (2, 0)
    assert [(row.source_id, row.known_from) for row in done.rejected] == [("row 0", "a file"), ("row 1", "a file")]
    assert done.rejected[0].detail == "'0' came under this id from the source 'a file' already"


def test_a_source_is_withdrawn_whole_and_nothing_else(
    keep_stock: KeepStock, look_up: LookUp, catalog_database: Database
) -> None:
    kept = add_book(keep_stock, 5).item_number
    import_rows(keep_stock, *rows(251))
    import_rows(keep_stock, *rows(1, first=500), source="another file")
    request = WithdrawSource(actor="staff", source="a file")
    done = [keep_stock.withdraw_source(request)[0] for _ in range(3)]
    assert [(one.withdrawn, one.more) for one in done] == [(250, True), (1, False), (0, False)]
    assert look_up.books_of_subject(SubjectQuery(subject="imported"))[0].total == 1
    assert look_up.book(kept)
    assert books_out_of_balance(catalog_database) == []
    assert import_rows(keep_stock, *rows(1)).present == 1  # it does not come back
    assert import_rows(keep_stock, *rows(1), source="a copy").added == 1  # unless as what it was not before


def test_a_source_that_is_none_is_refused_with_those_that_there_are(keep_stock: KeepStock) -> None:
    import_rows(keep_stock, *rows(1))
    with pytest.raises(UnknownSource) as refused:
        keep_stock.withdraw_source(WithdrawSource(actor="staff", source="sampel"))
    assert (refused.value.source, refused.value.known) == ("sampel", ("a file",))


def test_one_file_that_is_imported_twice_at_once_is_imported_once(
    keep_stock: KeepStock, look_up: LookUp, catalog_database: Database
) -> None:
    done = together(*[partial(import_rows, keep_stock, *rows(40))] * 4)
    assert sorted((one.added, one.present) for one in done) == [(0, 40), (0, 40), (0, 40), (40, 0)]
    assert look_up.books_of_subject(SubjectQuery(subject="imported"))[0].total == 40
    assert books_out_of_balance(catalog_database) == []


def test_a_preview_says_what_the_import_then_does_and_changes_nothing(keep_stock: KeepStock, look_up: LookUp) -> None:
    import_rows(keep_stock, *rows(2))
    import_rows(keep_stock, *rows(1, first=5), source="another file")
    wrong = rows(1, first=9)[0]
    wrong = msgspec.structs.replace(wrong, book=msgspec.structs.replace(wrong.book, isbn="1234567890"))
    request = ImportBooks(actor="staff", source="a file", rows=(*rows(6), *rows(1), wrong))
    before = look_up.changes(ChangesQuery())
    preview, position = keep_stock.preview_import(request)
    assert position == look_up.position()
    assert look_up.changes(ChangesQuery()) == before
    assert preview.new == ("row 2", "row 3", "row 4")
    assert preview.present == ("row 0", "row 1")
    outcome, position = keep_stock.import_books(request)
    assert position == look_up.position()
    assert outcome.rejected[0].detail.startswith("isbn: ")
    assert (outcome.added, outcome.rejected) == (3, preview.rejected)
    assert [(row.source_id, row.known_from) for row in outcome.rejected] == [("row 9", None), ("row 5", "another file")]
    after, _ = keep_stock.preview_import(request)
    assert (after.new, len(after.present), after.rejected) == ((), 5, preview.rejected)
