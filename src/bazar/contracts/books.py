"""Messages about books: as the catalog answers them, and as staff change them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from bazar.contracts import text
from bazar.contracts.text import Currency, Cursor, Isbn, Language, Name, Reason, Sought, Subject, Text
from bazar.contracts.wire import DEFAULT_PAGE_SIZE, LARGEST_JSON_INTEGER, Message, PageSize, PublicRequest

MOST_COPIES = 1_000_000_000
#: Few enough that the total of the largest order is an integer that every JSON reader holds exactly.
MOST_COPIES_A_LINE = 10_000
HIGHEST_PRICE_MINOR = 1_000_000_000
MOST_SOURCE_CHARACTERS = 200
#: A book of which there are no more copies runs low.
FEW_COPIES = 3
#: Of so many books one question can be asked.
MOST_NUMBERS = 1_000

ItemNumber = Annotated[int, Meta(ge=1, le=LARGEST_JSON_INTEGER)]
Copies = Annotated[int, Meta(ge=0, le=MOST_COPIES)]
PriceMinor = Annotated[int, Meta(ge=0, le=HIGHEST_PRICE_MINOR)]
Authors = Annotated[tuple[Name, ...], Meta(max_length=50)]
SubjectNames = Annotated[tuple[Subject, ...], Meta(max_length=50)]
SourceName = Annotated[str, Meta(min_length=1, max_length=MOST_SOURCE_CHARACTERS, pattern=text.ANY)]
Year = Annotated[int, Meta(ge=-4000, le=9999)]


class Money(Message, frozen=True):
    """``amount`` in the currency's minor unit (cents, say); ``currency`` by ISO 4217."""

    amount: Annotated[int, Meta(ge=0)]
    currency: Currency


class Price(Money, frozen=True, forbid_unknown_fields=True):
    """What one copy is to cost."""

    amount: PriceMinor


class Book(Message, frozen=True):
    """A book as it is now. ``version`` grows by one with each visible change."""

    item_number: int
    title: str
    authors: tuple[str, ...]
    subjects: tuple[str, ...]
    isbn: str | None
    language: str | None
    year: int | None
    blurb: str
    price: Money
    quantity: int
    version: int


class BookSummary(Message, frozen=True):
    """A book in a list."""

    item_number: int
    title: str
    authors: tuple[str, ...]
    subjects: tuple[str, ...]
    price: Money
    quantity: int


#: Of more hits, the facets of very many values are estimated from a sample, and given to two digits.
MOST_HITS_COUNTED = 100_000
ESTIMATED_FACETS = ("subject", "author")


class FacetCount(Message, frozen=True):
    """How many hits have this value; about so many where it is a subject or an author of very many hits."""

    value: str
    count: int


class BookPage(Message, frozen=True):
    """A page of a list: ``total`` hits in all, ``next`` the cursor of the next page or None.

    The cursor of all lists but the one of a subject is the number of hits before the page.
    """

    items: tuple[BookSummary, ...]
    total: int
    next: str | None


class SearchPage(BookPage, frozen=True):
    """A page of a search; facets by name: subject, author, language, price, in_stock.

    A price is a band, ``500-999`` (both included) or ``10000-``, in minor units.
    """

    facets: dict[str, tuple[FacetCount, ...]]


class FoundBooks(SearchPage, frozen=True):
    """A page of a search, for the pages of the shop: the public API tells the page alone.

    ``mistaken``: words of the question, without case and accents, that no book has all of as they are written; what
    was found has words that are like them. Empty where it was found as it is written.
    """

    mistaken: tuple[str, ...] = ()

    @property
    def page(self) -> SearchPage:
        """What the public API tells."""
        return SearchPage(items=self.items, total=self.total, next=self.next, facets=self.facets)


MOST_SUBJECTS = 200


class SubjectCount(Message, frozen=True):
    """A subject and how many books it has."""

    subject: str
    books: int


class Subjects(Message, frozen=True):
    """The subjects with the most books first, MOST_SUBJECTS of them."""

    subjects: tuple[SubjectCount, ...]


class SubjectQuery(Message, frozen=True):
    """Books of one subject, matched whole and without case."""

    subject: Sought
    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


Sort = Literal["relevance", "title", "newest", "price", "-price"]


class WordsQuery(Message, frozen=True):
    """Words and filters; everything that is left out does not narrow."""

    q: Sought | None = None
    subject: Sought | None = None
    author: Sought | None = None
    isbn: Sought | None = None
    language: Sought | None = None
    in_stock: bool | None = None
    min_price: PriceMinor | None = None
    max_price: PriceMinor | None = None
    sort: Sort | None = None
    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class NewestQuery(Message, frozen=True):
    """The books that came last, of all, of one subject or of one author."""

    subject: Sought | None = None
    author: Sought | None = None
    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class LowStockQuery(Message, frozen=True):
    """The books of which there are FEW_COPIES at the most, those with the fewest first."""

    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class NumbersQuery(Message, frozen=True):
    """Those of the books that are sold and, where a subject is named, have it; in the order of the numbers."""

    item_numbers: Annotated[tuple[ItemNumber, ...], Meta(max_length=MOST_NUMBERS)]
    subject: Sought | None = None
    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class SuggestQuery(Message, frozen=True):
    """What somebody has typed so far."""

    q: Annotated[str, Meta(pattern=text.ANY, max_length=200)]
    limit: Annotated[int, Meta(ge=1, le=10)] = 5


class SuggestedBook(Message, frozen=True):
    """A book whose title goes on like that."""

    item_number: int
    title: str
    authors: tuple[str, ...]


class Suggestions(Message, frozen=True):
    """Titles, authors and subjects that go on like that, the likeliest first."""

    books: tuple[SuggestedBook, ...]
    authors: tuple[str, ...]
    subjects: tuple[str, ...]


class NewBook(PublicRequest, frozen=True):
    """A book to be sold from now on. ``stock``: copies on the shelf."""

    title: Name
    authors: Authors
    subjects: SubjectNames
    price: Price
    stock: Copies
    isbn: Isbn | None = None
    language: Language | None = None
    year: Year | None = None
    blurb: Text = ""


class BookChange(PublicRequest, frozen=True):
    """What staff change of a book; what is left out stays. ``stock_change`` is added to the stock."""

    price: Price | UnsetType = UNSET
    stock_change: Annotated[int, Meta(ge=-MOST_COPIES, le=MOST_COPIES)] | UnsetType = UNSET
    title: Name | UnsetType = UNSET
    authors: Authors | UnsetType = UNSET
    subjects: SubjectNames | UnsetType = UNSET
    isbn: Isbn | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    year: Year | UnsetType | None = UNSET
    blurb: Text | UnsetType = UNSET
    reason: Reason | UnsetType = UNSET


class AddBook(Message, frozen=True):
    """A staff member adds a book; with a key, a repetition adds no other."""

    actor: str
    book: NewBook
    idempotency_key: str | None = None


class ChangeBook(Message, frozen=True):
    """A staff member changes a book; with a key, a repetition changes nothing more.

    ``expected_versions``: those that If-Match names, None where any version will do. ``is_count``: somebody has counted
    the copies, which the journal tells also where there are as many as expected.
    """

    actor: str
    change: BookChange
    idempotency_key: str | None = None
    expected_versions: tuple[int, ...] | None = None
    is_count: bool = False


class WithdrawBook(Message, frozen=True):
    """A staff member takes a book out of the shop."""

    actor: str


class WithdrawSource(Message, frozen=True):
    """All books that were imported from a source, or the next of them, go out of the shop."""

    actor: str
    source: SourceName


class SourceWithdrawn(Message, frozen=True):
    """How many books were withdrawn; ``more``: there may be others, for another call."""

    withdrawn: int
    more: bool


class HistoryEntry(Message, frozen=True):
    """One price change, stock movement or change of details. ``who`` is an account, or "operator".

    ``kind``: added, price, stock, counted (as many as expected), details, withdrawn, sold or returned. ``price`` is the
    new price or that of the sale, ``stock_change`` the copies that came or went.
    """

    at: str
    who: str
    kind: str
    reason: str
    price: Money | None = None
    stock_change: int | None = None
    order_id: str | None = None


class History(Message, frozen=True):
    """A page of a book's history."""

    items: tuple[HistoryEntry, ...]
    next: str | None


class HistoryQuery(Message, frozen=True):
    """Which page of a book's history."""

    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class JournalLine(HistoryEntry, frozen=True, kw_only=True):
    """What staff did to a book, with the title that it has now; what was sold is in none."""

    item_number: int
    title: str


class Journal(Message, frozen=True):
    """A page of the journal of all books."""

    items: tuple[JournalLine, ...]
    next: str | None


class JournalQuery(Message, frozen=True):
    """Which page of the journal; of one book, and only what set a price, if that is asked."""

    item_number: ItemNumber | None = None
    prices_only: bool = False
    limit: PageSize = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None


class Empty(Message, frozen=True):
    """Nothing to say."""


class ImportedBook(Message, frozen=True):
    """A row of a file: ``source_id`` names it within its source."""

    source_id: Annotated[str, Meta(min_length=1, max_length=200, pattern=text.ANY)]
    book: NewBook


class ImportBooks(Message, frozen=True):
    """Rows to import; a row whose (source, source_id) is there already changes nothing."""

    actor: str
    source: SourceName
    rows: Annotated[tuple[ImportedBook, ...], Meta(max_length=1000)]


class RejectedRow(Message, frozen=True):
    """A row that was not imported, and why; ``known_from``: the other source that has brought it already."""

    source_id: str
    detail: str
    known_from: str | None = None


class ImportPreview(Message, frozen=True):
    """What an import of rows would do, by their ids: add a book, nothing, or refuse the row."""

    new: tuple[str, ...]
    present: tuple[str, ...]
    rejected: tuple[RejectedRow, ...]


class ImportOutcome(Message, frozen=True):
    """How many rows were added, how many were there already, and which were refused."""

    added: int
    present: int
    rejected: tuple[RejectedRow, ...]


#: Changes of one message.
MOST_CHANGES_TOGETHER = 1000


class ChangesQuery(Message, frozen=True):
    """The feed after change number ``after`` of ``epoch``."""

    after: Annotated[int, Meta(ge=0, le=LARGEST_JSON_INTEGER)] = 0
    limit: Annotated[int, Meta(ge=1, le=MOST_CHANGES_TOGETHER)] = MOST_CHANGES_TOGETHER


class Change(Message, frozen=True):
    """One visible change of a book; ``offer_only``: nothing of it has changed but its price and its copies."""

    number: int
    item_number: int
    version: int
    offer_only: bool = False


class Changes(Message, frozen=True):
    """Changes in commit order. Another ``epoch`` than before: the follower drops everything it knows."""

    epoch: str
    last: int
    changes: tuple[Change, ...]
