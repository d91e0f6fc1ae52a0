"""What the front-end needs of its neighbours; gateways reach them over TLS, tests use stand-ins.

Every method takes the ``deadline`` of the request and raises NeighbourAway when no answer can be had in time;
whether what was asked for took effect is then unknown.
"""

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from bazar.contracts import books, counter, purchasing

Answer = TypeVar("Answer")


class Deadline(Protocol):
    """When the request is of no use any more."""

    def remaining_seconds(self) -> float: ...


@dataclass(frozen=True)
class Seen(Generic[Answer]):
    """An answer, and the position of the catalog that it shows (None where it shows no books)."""

    answer: Answer
    position: str | None


class Catalog(Protocol):
    """The catalog server. Methods about one book raise UnknownBook."""

    def book(self, item_number: int, deadline: Deadline) -> Seen[books.Book]: ...

    def books_of_subject(self, query: books.SubjectQuery, deadline: Deadline) -> Seen[books.BookPage]: ...

    def search(self, query: books.WordsQuery, deadline: Deadline) -> Seen[books.FoundBooks]: ...

    def newest(self, query: books.NewestQuery, deadline: Deadline) -> Seen[books.BookPage]: ...

    def low_stock(self, query: books.LowStockQuery, deadline: Deadline) -> Seen[books.BookPage]: ...

    def books_by_number(self, query: books.NumbersQuery, deadline: Deadline) -> Seen[books.BookPage]: ...

    def suggest(self, query: books.SuggestQuery, deadline: Deadline) -> Seen[books.Suggestions]: ...

    def subjects(self, deadline: Deadline) -> Seen[books.Subjects]: ...

    def add_book(self, request: books.AddBook, deadline: Deadline) -> Seen[books.Book]: ...

    def change_book(self, item_number: int, request: books.ChangeBook, deadline: Deadline) -> Seen[books.Book]: ...

    def withdraw_book(self, item_number: int, request: books.WithdrawBook, deadline: Deadline) -> Seen[books.Empty]: ...

    def import_books(self, request: books.ImportBooks, deadline: Deadline) -> Seen[books.ImportOutcome]: ...

    def preview_import(self, request: books.ImportBooks, deadline: Deadline) -> Seen[books.ImportPreview]: ...

    def history(self, item_number: int, query: books.HistoryQuery, deadline: Deadline) -> Seen[books.History]: ...

    def journal(self, query: books.JournalQuery, deadline: Deadline) -> Seen[books.Journal]: ...


class Memory(Protocol):
    """Remembers answers of the catalog for as long as nothing of them changes."""

    def recall(
        self,
        key: Hashable,
        ask: Callable[[], Seen[Answer]],
        items_of: Callable[[Answer], Collection[int]],
        *,
        is_list: bool = False,
    ) -> Seen[Answer]:
        """What is remembered under the key, or what ``ask`` says.

        ``items_of`` names the books whose change ends it; with ``is_list`` other books may belong to it, too.
        """
        ...


class Orders(Protocol):
    """The order server."""

    def place(self, request: purchasing.PlaceOrder, deadline: Deadline) -> Seen[purchasing.Order]:
        """Raises NotBought (final for the key), UnknownBook, KeyReused."""
        ...

    def cancel(self, order_id: str, request: purchasing.CancelOrder, deadline: Deadline) -> purchasing.Order:
        """Raises UnknownOrder, TooLateToCancel."""
        ...

    def settle(self, order_id: str, request: purchasing.SettleOrder, deadline: Deadline) -> purchasing.SettledOrder:
        """Raises UnknownOrder, NotStuck."""
        ...

    def stuck(self, query: purchasing.StuckQuery, deadline: Deadline) -> purchasing.StuckOrders: ...

    def list(self, query: purchasing.OrdersQuery, deadline: Deadline) -> purchasing.Orders: ...

    def best_sellers(self, query: purchasing.BestSellersQuery, deadline: Deadline) -> purchasing.BestSellers: ...

    def get(self, order_id: str, query: purchasing.OrderQuery, deadline: Deadline) -> purchasing.Order:
        """Raises UnknownOrder."""
        ...

    def at_counter(self, query: counter.CounterQuery, deadline: Deadline) -> counter.CounterOrders: ...

    def open_orders(self, query: counter.OpenOrdersQuery, deadline: Deadline) -> counter.CounterOrders: ...

    def life(self, order_id: str, query: purchasing.OrderQuery, deadline: Deadline) -> counter.OrderLife:
        """Raises UnknownOrder."""
        ...

    def move(self, order_id: str, request: counter.MoveOrder, deadline: Deadline) -> counter.CounterOrder:
        """Raises UnknownOrder, CannotMove."""
        ...

    def journal(self, query: counter.OrderJournalQuery, deadline: Deadline) -> counter.OrderJournal: ...

    def figures(self, query: counter.FiguresQuery, deadline: Deadline) -> counter.Figures: ...
