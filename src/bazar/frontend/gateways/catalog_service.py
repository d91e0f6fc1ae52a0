"""The catalog server as the front-end calls it."""

from collections.abc import Callable, Collection, Hashable
from typing import TypeVar

from bazar.chassis.client import ServiceClient
from bazar.contracts import books, calls, problems
from bazar.frontend.domain.errors import StaleVersion, StockBelowZero
from bazar.frontend.gateways.neighbours import Neighbour, Refusals
from bazar.frontend.use_cases.ports import Deadline, Memory, Seen

_REFUSALS: Refusals = {
    problems.STOCK_BELOW_ZERO: lambda problem: StockBelowZero(problem.detail, problem.position),
    problems.PRECONDITION_FAILED: lambda problem: StaleVersion(problem.detail, problem.position),
}

Answer = TypeVar("Answer")

#: Of many books, one is sold every moment: what was said of them together is not worth being remembered.
MOST_REMEMBERED_NUMBERS = 20


class CatalogService:
    """Implements the port Catalog. What several pages have in common is looked for in the memory first."""

    def __init__(self, client: ServiceClient, memory: Memory | None = None) -> None:
        self._neighbour = Neighbour(client, _REFUSALS)
        self._memory = memory

    def book(self, item_number: int, deadline: Deadline) -> Seen[books.Book]:
        return self._recall(
            (calls.GET_BOOK.path, item_number),
            lambda: self._neighbour.call(calls.GET_BOOK, books.Empty(), deadline, item_number=item_number),
            lambda _: [item_number],
        )

    def books_of_subject(self, query: books.SubjectQuery, deadline: Deadline) -> Seen[books.BookPage]:
        return self._neighbour.call(calls.BOOKS_BY_SUBJECT, query, deadline)

    def search(self, query: books.WordsQuery, deadline: Deadline) -> Seen[books.FoundBooks]:
        return self._neighbour.call(calls.SEARCH_BOOKS, query, deadline)

    def newest(self, query: books.NewestQuery, deadline: Deadline) -> Seen[books.BookPage]:
        return self._recall(
            query,
            lambda: self._neighbour.call(calls.NEWEST_BOOKS, query, deadline),
            lambda page: [book.item_number for book in page.items],
            is_list=True,
        )

    def low_stock(self, query: books.LowStockQuery, deadline: Deadline) -> Seen[books.BookPage]:
        return self._neighbour.call(calls.LOW_STOCK, query, deadline)

    def books_by_number(self, query: books.NumbersQuery, deadline: Deadline) -> Seen[books.BookPage]:
        def ask() -> Seen[books.BookPage]:
            return self._neighbour.call(calls.BOOKS_BY_NUMBER, query, deadline)

        is_few = len(query.item_numbers) <= MOST_REMEMBERED_NUMBERS
        return self._recall(query, ask, lambda _: query.item_numbers) if is_few else ask()

    def suggest(self, query: books.SuggestQuery, deadline: Deadline) -> Seen[books.Suggestions]:
        return self._neighbour.call(calls.SUGGEST, query, deadline)

    def subjects(self, deadline: Deadline) -> Seen[books.Subjects]:
        return self._recall(
            calls.SUBJECTS.path,
            lambda: self._neighbour.call(calls.SUBJECTS, books.Empty(), deadline),
            lambda _: (),
            is_list=True,
        )

    def add_book(self, request: books.AddBook, deadline: Deadline) -> Seen[books.Book]:
        return self._neighbour.call(calls.ADD_BOOK, request, deadline)

    def change_book(self, item_number: int, request: books.ChangeBook, deadline: Deadline) -> Seen[books.Book]:
        return self._neighbour.call(calls.CHANGE_BOOK, request, deadline, item_number=item_number)

    def withdraw_book(self, item_number: int, request: books.WithdrawBook, deadline: Deadline) -> Seen[books.Empty]:
        return self._neighbour.call(calls.WITHDRAW_BOOK, request, deadline, item_number=item_number)

    def import_books(self, request: books.ImportBooks, deadline: Deadline) -> Seen[books.ImportOutcome]:
        return self._neighbour.call(calls.IMPORT_BOOKS, request, deadline)

    def preview_import(self, request: books.ImportBooks, deadline: Deadline) -> Seen[books.ImportPreview]:
        return self._neighbour.call(calls.PREVIEW_IMPORT, request, deadline)

    def changes_after(self, number: int, deadline: Deadline) -> books.Changes:
        """The feed: what has changed after that number, in the order of the commits."""
        return self._neighbour.call(calls.CHANGES, books.ChangesQuery(after=number), deadline).answer

    def history(self, item_number: int, query: books.HistoryQuery, deadline: Deadline) -> Seen[books.History]:
        return self._neighbour.call(calls.BOOK_HISTORY, query, deadline, item_number=item_number)

    def journal(self, query: books.JournalQuery, deadline: Deadline) -> Seen[books.Journal]:
        return self._neighbour.call(calls.JOURNAL, query, deadline)

    def _recall(
        self,
        key: Hashable,
        ask: Callable[[], Seen[Answer]],
        items_of: Callable[[Answer], Collection[int]],
        *,
        is_list: bool = False,
    ) -> Seen[Answer]:
        return ask() if self._memory is None else self._memory.recall(key, ask, items_of, is_list=is_list)
