"""``bazar catalogue``: books from a file, copies that arrived. It goes through the running catalog server."""

import csv
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import get_args

import click
from rich.progress import Progress

from bazar.chassis.certificates import MissingCertificates
from bazar.chassis.client import NeighbourRefused, NeighbourUnavailable, ServiceClient
from bazar.chassis.clock import Deadline
from bazar.chassis.logging import configure_logging
from bazar.cli.flags import takes_settings
from bazar.cli.generated_books import HEADINGS, MOST_TITLES, generated_rows
from bazar.cli.problems import settings, to_run, told_plainly
from bazar.contracts import calls, names
from bazar.contracts.books import (
    MOST_COPIES,
    BookChange,
    ChangeBook,
    ImportBooks,
    WithdrawSource,
)
from bazar.contracts.call import Answer, Call, Request
from bazar.contracts.catalogue_file import (
    BadCatalogueFile,
    BadRow,
    Columns,
    GoodRow,
    Prices,
    Reading,
    Row,
    count_rows,
    portions,
    read_rows,
)
from bazar.contracts.wire import LARGEST_JSON_INTEGER
from bazar.resources import neighbour
from bazar.settings import Settings

CALL_SECONDS = 5.0
#: For so long a catalog that is busy, or started again, is asked again in the middle of an import.
PATIENCE_SECONDS = 20.0
PAUSE_SECONDS = 0.5
FIELDS = tuple(field.name for field in fields(Columns))


@click.group()
def catalogue() -> None:
    """The books of the shop; the catalog server must be running, except to generate."""


def _read_mapping(_context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]) -> Columns:
    mapping = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or field not in FIELDS or not column:
            raise click.BadParameter(f"{pair!r} is not FIELD=COLUMN; fields are {', '.join(FIELDS)}")
        mapping[field] = column
    return Columns(**mapping)


@catalogue.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--map",
    "columns",
    multiple=True,
    callback=_read_mapping,
    metavar="FIELD=COLUMN",
    help=f"The file's column of a field, where it has another name. Fields: {', '.join(FIELDS)}.",
)
@click.option("--source", help="Name of the source that the ids belong to; the file's name unless given.")
@click.option("--price", type=click.IntRange(min=0), help="Price in minor units (cents) of rows without one.")
@click.option("--stock", type=click.IntRange(min=0), help="Copies of rows that do not say.")
@click.option(
    "--prices",
    type=click.Choice(get_args(Prices)),
    default="minor",
    show_default=True,
    help="How they are written in the file: decimal, 12.50, or in the minor unit, 1250.",
)
@click.option("--separator", default=";", show_default=True, help="Between several authors or subjects.")
@takes_settings
def import_file(
    *,
    file: Path,
    columns: Columns,
    source: str | None,
    price: int | None,
    stock: int | None,
    prices: Prices,
    separator: str,
) -> None:
    """Add the books of a CSV FILE (also .xz or .gz); commas, semicolons or tabs stand between its columns.

    Rows that are there already, by source and id, change nothing: running it twice is as good as once. Bad rows
    are told with their line, and left out; exit status 1 if that are all.
    """
    shop = settings()
    reading = Reading(currency=shop.currency, price_minor=price, stock=stock, separator=separator, prices=prices)
    with told_plainly(BadCatalogueFile), _told(shop), _catalog(shop) as catalog:
        catalog.get_raw("/healthz", Deadline.after(CALL_SECONDS))  # before a long file is looked through
        rows = read_rows(file, columns, reading)
        totals, known_from = _import(catalog, source or file.name.split(".")[0], rows, count_rows(file))
    for other in sorted(known_from):
        click.echo(f"If this is a later state of the list that came as {other}: --source {other}", err=True)
    click.echo(f"{totals['added']} added, {totals['present']} there already, {totals['bad']} left out")
    sys.exit(1 if totals["bad"] and not totals["added"] and not totals["present"] else 0)


@catalogue.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--titles", type=click.IntRange(1, MOST_TITLES), default=10_000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Another one, other books.")
@takes_settings
def generate(*, file: Path, titles: int, seed: int) -> None:
    """Write invented books into a CSV FILE that can be imported, to try the shop with as many.

    The same seed writes the same books. A file that is there already is left as it is.
    """
    try:
        with file.open("x", encoding="utf-8", newline="") as lines:
            rows = csv.writer(lines)
            rows.writerow(HEADINGS)
            rows.writerows(generated_rows(titles, seed))
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error
    click.echo(f"{titles} titles in {file}")


@catalogue.command(name="take-in")
@click.argument("item_number", type=click.IntRange(1, LARGEST_JSON_INTEGER))
@click.argument("copies", type=click.IntRange(1, MOST_COPIES))
@click.option("--reason", default="taken in", show_default=True, help="What the journal says.")
@takes_settings
def take_in(item_number: int, copies: int, reason: str) -> None:
    """Put COPIES of a book that have arrived into stock."""
    shop = settings()
    request = ChangeBook(
        actor=names.OPERATOR,
        change=BookChange(stock_change=copies, reason=reason),
        idempotency_key=secrets.token_hex(16),
    )
    with _told(shop), _catalog(shop) as catalog:
        reply = catalog.call(calls.CHANGE_BOOK, request, Deadline.after(CALL_SECONDS), item_number=item_number)
    click.echo(f"{reply.answer.title}: {reply.answer.quantity} copies in stock")


@catalogue.command()
@click.option("--source", required=True, help="That the books came from: sample, or the name of an imported file.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@takes_settings
def withdraw(source: str, *, yes: bool) -> None:
    """Take all books of a source out of the shop, the sample's say.

    They are no longer found or sold, and do not come back by another import; orders keep them.
    """
    shop = settings()
    if not yes:
        click.confirm(f"Take all books that came from {source} out of the shop for good?", abort=True)
    withdrawn = 0
    with _told(shop), _catalog(shop) as catalog:
        more = True
        while more:
            request = WithdrawSource(actor=names.OPERATOR, source=source)
            answer = _send(catalog, calls.WITHDRAW_SOURCE, request)
            withdrawn, more = withdrawn + answer.withdrawn, answer.more
    click.echo(f"{withdrawn} books withdrawn")


@contextmanager
def _told(shop: Settings) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, MissingCertificates) as error:
        raise click.ClickException(f"no certificates in {shop.certificates}: {to_run('up')} makes them") from error
    except OSError as error:
        raise click.ClickException(f"the certificates in {shop.certificates} cannot be used: {error}") from error
    except NeighbourUnavailable as error:
        raise click.ClickException(
            f"the {error.service} server does not answer ({error.detail}); start the shop, or ask {to_run('doctor')}"
        ) from error
    except NeighbourRefused as error:
        raise click.ClickException(error.problem.detail) from error


def _catalog(shop: Settings) -> "closing[ServiceClient]":
    configure_logging(names.OPERATOR, "text", "ERROR")  # what goes wrong is told in one line of our own
    return closing(neighbour(shop, names.OPERATOR, names.CATALOG))


def _import(catalog: ServiceClient, source: str, rows: Iterable[Row], expected: int) -> tuple[dict[str, int], set[str]]:
    totals = {"added": 0, "present": 0, "bad": 0}
    known_from: set[str] = set()
    with Progress(transient=True) as progress:
        task = progress.add_task("Importing", total=expected)

        def refuse(line: int, reason: str) -> None:
            totals["bad"] += 1
            progress.console.print(f"line {line}: {reason}", markup=False, highlight=False, soft_wrap=True)

        for portion in portions(_good(rows, refuse)):
            lines = {row.book.source_id: row.line for row in portion}
            books = tuple(row.book for row in portion)
            outcome = _send(catalog, calls.IMPORT_BOOKS, ImportBooks(actor=names.OPERATOR, source=source, rows=books))
            totals["added"] += outcome.added
            totals["present"] += outcome.present
            for row in outcome.rejected:
                refuse(lines.get(row.source_id, 0), row.detail)
                known_from |= {row.known_from} if row.known_from else set()
            progress.update(task, completed=sum(totals.values()))
    return totals, known_from


def _good(rows: Iterable[Row], refuse: Callable[[int, str], None]) -> Iterator[GoodRow]:
    for row in rows:
        if isinstance(row, BadRow):
            refuse(row.line, row.reason)
        else:
            yield row


def _send(catalog: ServiceClient, call: Call[Request, Answer], request: Request) -> Answer:
    """What is repeated changes nothing more, so a busy or restarting catalog is asked again."""
    patience = Deadline.after(PATIENCE_SECONDS)
    while True:
        try:
            return catalog.call(call, request, Deadline.after(CALL_SECONDS)).answer
        except NeighbourUnavailable:
            if patience.passed:
                raise
            time.sleep(PAUSE_SECONDS)
