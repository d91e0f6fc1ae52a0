"""What was done to books, and by whom, as booksellers read it."""

from dataclasses import dataclass
from typing import TypeVar

import msgspec
from flask import g

from bazar.contracts.books import History, HistoryEntry, HistoryQuery, Journal, JournalLine, JournalQuery, Money
from bazar.frontend.pages import positions
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.ports import Catalog

ENTRIES_ON_A_PAGE = 20
#: Changes of the price that the line shows, the newest.
MOST_PRICES = 100

Entry = TypeVar("Entry", bound=HistoryEntry)


@dataclass(frozen=True)
class PriceStep:
    """A price and when it was set."""

    at: str
    price: Money


class Chronicle:
    """Reads history and journal; accounts are told by their address, what is no account's by its id."""

    def __init__(self, catalog: Catalog, accounts: Accounts) -> None:
        self._catalog = catalog
        self._accounts = accounts

    def history(self, item_number: int, cursor: str | None) -> History:
        """What happened to the book, its sales too, newest first; raises UnknownBook (not for a withdrawn one)."""
        query = HistoryQuery(limit=ENTRIES_ON_A_PAGE, cursor=cursor)
        seen = self._catalog.history(item_number, query, g.deadline)
        positions.note(seen.position)
        return History(items=self._named(seen.answer.items), next=seen.answer.next)

    def prices(self, item_number: int) -> tuple[PriceStep, ...]:
        """The prices that the book had, the oldest first; of very many the newest."""
        query = JournalQuery(item_number=item_number, prices_only=True, limit=MOST_PRICES)
        lines = self._catalog.journal(query, g.deadline).answer.items
        return tuple(PriceStep(line.at, line.price) for line in reversed(lines) if line.price is not None)

    def journal(self, item_number: int | None, cursor: str | None) -> Journal:
        """What booksellers did, newest first."""
        query = JournalQuery(item_number=item_number, limit=ENTRIES_ON_A_PAGE, cursor=cursor)
        seen = self._catalog.journal(query, g.deadline)
        positions.note(seen.position)
        return Journal(items=self._named(seen.answer.items), next=seen.answer.next)

    def last_line(self, item_number: int) -> JournalLine | None:
        """The newest entry of a book, from which its title is known when it is out of the shop."""
        found = self._catalog.journal(JournalQuery(item_number=item_number, limit=1), g.deadline).answer.items
        return found[0] if found else None

    def _named(self, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        names = self._accounts.names_of({entry.who for entry in entries})
        return tuple(msgspec.structs.replace(entry, who=names.get(entry.who, entry.who)) for entry in entries)
