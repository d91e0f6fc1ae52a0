"""Import a file of books: what it would change is shown first, row by row; it is done when that is confirmed.

Between the two nothing is kept here: the form that confirms carries the file itself, so that what is imported is what
was shown. It is done by the call, and so by the rules, of ``bazar catalogue import``, and like that does nothing twice.
"""

import binascii
import csv
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from io import StringIO
from itertools import islice
from typing import Annotated, Any, TypeVar

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from msgspec import Meta
from werkzeug.exceptions import RequestEntityTooLarge

from bazar.contracts import problems
from bazar.contracts.amounts import amount_text, minor_digits, read_price
from bazar.contracts.books import MOST_COPIES, ImportBooks, Money, RejectedRow, SourceName
from bazar.contracts.catalogue_file import (
    BadCatalogueFile,
    BadRow,
    Columns,
    GoodRow,
    MissingColumns,
    Prices,
    Reading,
    portions,
    price_texts,
    rows_of,
)
from bazar.contracts.wire import Invalid, PublicRequest, convert
from bazar.frontend.domain.errors import BadRequest, NeighbourAway
from bazar.frontend.pages import positions
from bazar.frontend.pages.errors import page_or_document
from bazar.frontend.pages.staff.door import StaffDoor
from bazar.frontend.pages.staff.fields import Mistakes, gather, plain, read_copies
from bazar.frontend.pages.staff.refusals import Sent, ask_again, refused, unreadable
from bazar.frontend.use_cases.ports import Catalog, Seen

#: In the form that confirms a third more; a form's field may have 500,000 bytes.
LARGEST_FILE_BYTES = 256 * 1024
MOST_ROWS = 1_000
_WAY_OUT = "divide it, or use the command `bazar catalogue import`, which takes any"
_TOO_LARGE = f"is larger than {LARGEST_FILE_BYTES // 1024} KiB; {_WAY_OUT}"
FORM = "import"

Answer = TypeVar("Answer")


class SourceField(PublicRequest, frozen=True):
    """Which list the ids of the file belong to."""

    source: SourceName


class PricesField(PublicRequest, frozen=True):
    """How prices are written in the file; nobody says: as the file shows, where it does."""

    prices: Prices | None = None


class Outcome(PublicRequest, frozen=True):
    """How many books an import added, and how many rows were there already or could not be used."""

    added: Annotated[int, Meta(ge=0, le=MOST_COPIES)]
    present: Annotated[int, Meta(ge=0, le=MOST_COPIES)] = 0
    bad: Annotated[int, Meta(ge=0, le=MOST_COPIES)] = 0


@dataclass(frozen=True)
class ReadFile:
    """A file with its rows, and how its prices were read."""

    data: bytes
    source: str
    prices: Prices
    good: tuple[GoodRow, ...]
    bad: tuple[BadRow, ...]


@dataclass(frozen=True)
class Preview:
    """What would become of each row, in the order of the file; ``known_from``: sources that brought some of it."""

    new: tuple[GoodRow, ...]
    present: tuple[GoodRow, ...]
    bad: tuple[BadRow, ...]
    known_from: tuple[str, ...]


class ImportPages:
    """Mounts the pages."""

    def __init__(self, catalog: Catalog, door: StaffDoor, currency: str) -> None:
        self._catalog = catalog
        self._door = door
        self._currency = currency

    def mount(self, pages: Blueprint) -> None:
        """``/staff/import``, ``/staff/import/preview`` and ``/staff/import/sample.csv``."""
        pages.register_error_handler(RequestEntityTooLarge, self._too_large)

        @pages.get("/staff/import", endpoint="staff_import")
        def start() -> Response:
            return self._start()

        @pages.get("/staff/import/sample.csv", endpoint="staff_import_sample")
        def sample() -> Response:
            response = make_response(sample_file(self._currency))
            response.mimetype = "text/csv"
            response.headers["Content-Disposition"] = 'attachment; filename="sample.csv"'
            return response

        @pages.post("/staff/import/preview", endpoint="staff_import_preview")
        def preview() -> Response:
            sent = request.files.get("file")
            data = sent.stream.read(LARGEST_FILE_BYTES + 1) if sent else b""
            name = plain(request.form.get("source", "")) or (sent.filename or "" if sent else "").split(".")[0]
            try:
                return self._show(self._read(data, name))
            except (Mistakes, BadRequest) as error:
                return self._start(refused(FORM, error, ""))

        @pages.post("/staff/import", endpoint="staff_import_confirm")
        def confirm() -> Response:
            try:
                data = urlsafe_b64decode(request.form.get("file", "").encode())
            except binascii.Error:
                return self._start(unreadable(FORM))
            try:
                return self._import(self._read(data, request.form.get("source", "")))
            except (Mistakes, BadRequest) as error:
                return self._start(refused(FORM, error, ""))
            except NeighbourAway:
                return ask_again(request.path)

    def _too_large(self, _error: Exception) -> Response:
        # Larger than any body may be, so nobody reads what else the form says, and nothing is done by it.
        if request.path != url_for("pages.staff_import_preview") or not self._door.is_open():
            return page_or_document(problems.TOO_LARGE.because(""))
        status = problems.TOO_LARGE.status
        return self._start(Sent(FORM, "invalid", status, "", typed={}, mistakes={"file": _TOO_LARGE}))

    def _start(self, sent: Sent | None = None) -> Response:
        try:
            done = convert(request.args.to_dict(), Outcome) if request.args and not sent else None
        except Invalid:
            done = None
        page = render_template(
            "staff_import.html",
            sent=sent,
            done=done,
            nothing={"source": "", "price": "", "stock": ""},
            currency=self._currency,
            ways=_ways(self._currency),
            most_rows=MOST_ROWS,
            largest_bytes=LARGEST_FILE_BYTES,
            too_large=_TOO_LARGE,
        )
        return make_response(page, sent.status if sent else 200)

    def _show(self, file: ReadFile) -> Response:
        new: set[str] = set()
        rejected: list[RejectedRow] = []
        for seen in self._portions(file, self._catalog.preview_import):
            new.update(seen.answer.new)
            rejected += seen.answer.rejected
        why = {row.source_id: row.detail for row in rejected}
        unfit = [BadRow(row.line, why[row.book.source_id]) for row in file.good if row.book.source_id in why]
        others = [row for row in file.good if row.book.source_id not in why]
        preview = Preview(
            new=tuple(row for row in others if row.book.source_id in new),
            present=tuple(row for row in others if row.book.source_id not in new),
            bad=tuple(sorted((*file.bad, *unfit), key=lambda row: row.line)),
            known_from=tuple(sorted({row.known_from for row in rejected if row.known_from})),
        )
        fields = {
            "file": urlsafe_b64encode(file.data).decode(),
            "source": file.source,
            "prices": file.prices,
            **{name: request.form.get(name, "") for name in ("price", "stock")},
        }
        unit = 10 ** minor_digits(self._currency)
        page = render_template(
            "staff_import_preview.html",
            preview=preview,
            file=file,
            fields=fields,
            way=_ways(self._currency).get(file.prices),
            unit=Money(amount=unit, currency=self._currency),
            low=sum(row.book.book.price.amount < unit for row in preview.new),
        )
        return make_response(page)

    def _import(self, file: ReadFile) -> Response:
        added = present = 0
        bad = len(file.bad)
        for seen in self._portions(file, self._catalog.import_books):
            positions.note(seen.position)
            added, present = added + seen.answer.added, present + seen.answer.present
            bad += len(seen.answer.rejected)
        address = url_for("pages.staff_import", added=added, present=present, bad=bad)
        return make_response(redirect(address, 303))

    def _portions(self, file: ReadFile, call: Callable[[ImportBooks, Any], Seen[Answer]]) -> list[Seen[Answer]]:
        """The answers to the rows in portions, each in a call of its own."""
        actor = self._door.bookseller().account_id
        return [
            call(
                ImportBooks(actor=actor, source=file.source, rows=tuple(row.book for row in portion)),
                g.deadline,
            )
            for portion in portions(file.good)
        ]

    def _read(self, data: bytes, name: str) -> ReadFile:
        """The file with what the form says of it; raises Mistakes."""
        read = gather(
            {
                "source": lambda: convert({"source": name}, SourceField).source,
                "price": lambda: self._price(request.form),
                "stock": lambda: _copies(request.form),
                "prices": lambda: convert({"prices": request.form.get("prices") or None}, PricesField).prices,
            }
        )
        if not data or len(data) > LARGEST_FILE_BYTES:
            raise Mistakes({"file": _TOO_LARGE if data else "is empty or was not chosen"})
        try:
            prices = read["prices"] or self._prices_of(data)
            reading = Reading(currency=self._currency, price_minor=read["price"], stock=read["stock"], prices=prices)
            rows = list(islice(rows_of(data, Columns(), reading), MOST_ROWS + 1))
        except MissingColumns as error:
            raise Mistakes({"file": error.told}) from None
        except BadCatalogueFile as error:
            raise Mistakes({"file": str(error)}) from None
        if len(rows) > MOST_ROWS:
            raise Mistakes({"file": f"has more than {MOST_ROWS} rows; {_WAY_OUT}"})
        good = tuple(row for row in rows if isinstance(row, GoodRow))
        return ReadFile(data, read["source"], prices, good, tuple(row for row in rows if isinstance(row, BadRow)))

    def _prices_of(self, data: bytes) -> Prices:
        """As the file shows that its prices are written; raises Mistakes where it does not, BadCatalogueFile."""
        texts = list(islice(price_texts(data, Columns()), MOST_ROWS + 1))
        if any("." in text or "," in text for text in texts):
            return "decimal"
        if texts and minor_digits(self._currency):
            ways = " or ".join(_ways(self._currency).values())
            raise Mistakes({"prices": f"is not to be seen in the file, whose prices are whole numbers: say {ways}"})
        return "minor"

    def _price(self, typed: Mapping[str, str]) -> int | None:
        text = typed.get("price", "").strip()
        return read_price(text, self._currency).amount if text else None


def sample_file(currency: str) -> bytes:
    """A list of two books, as a spreadsheet would save it; with the mark by which spreadsheets know UTF-8."""
    lines = StringIO(newline="")
    rows = csv.DictWriter(lines, [field.name for field in fields(Columns)])
    rows.writeheader()
    price = amount_text(Money(amount=1250, currency=currency))
    rows.writerow(
        {
            "source_id": "A1",
            "title": "A Sample of Tea",
            "authors": "Ann Author; Ben Writer",
            "subjects": "cooking; tea",
            "language": "en",
            "year": "1999",
            "blurb": "What the back of the book says.",
            "price": price,
            "stock": "3",
        }
    )
    rows.writerow({"source_id": "A2", "title": "A Sample of Milk", "price": price, "stock": "1"})
    return lines.getvalue().encode("utf-8-sig")


def _ways(currency: str) -> dict[Prices, str]:
    """The same price in each way of writing it; none where there is but one way."""
    price = Money(amount=1250, currency=currency)
    return {"decimal": amount_text(price), "minor": str(price.amount)} if minor_digits(currency) else {}


def _copies(typed: Mapping[str, str]) -> int | None:
    text = typed.get("stock", "").strip()
    return read_copies(text) if text else None
