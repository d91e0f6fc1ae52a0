"""What is seldom meant: before it is saved a bookseller is asked once more.

The form comes back with what is doubted in a hidden field; sent again with that, it counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bazar.contracts.books import BookSummary, Money, WordsQuery
from bazar.frontend.domain.errors import NeighbourAway
from bazar.frontend.pages.optional import optional_deadline
from bazar.frontend.use_cases.ports import Catalog

#: The hidden field.
SURE = "sure"
#: Books of one ISBN that are named.
MOST_NAMED = 3


@dataclass(frozen=True)
class Doubt:
    """``mark``: by what the form says that it is meant all the same."""

    kind: Literal["free", "price", "isbn"]
    mark: str
    was: Money | None = None
    now: Money | None = None
    others: tuple[BookSummary, ...] = ()


class NotSure(Exception):
    """Somebody should look again first."""

    def __init__(self, doubts: tuple[Doubt, ...]) -> None:
        super().__init__(doubts)
        self.doubts = doubts


def of_price(now: Money, was: Money | None = None) -> tuple[Doubt, ...]:
    """Of one that is nothing, or that is more than half of the former one away from it."""
    if now == was:
        return ()
    if now.amount == 0:
        return (Doubt("free", "free"),)
    if was is not None and was.amount and 2 * abs(now.amount - was.amount) > was.amount:
        return (Doubt("price", f"price:{now.amount}", was=was, now=now),)
    return ()


def of_isbn(catalog: Catalog, isbn: str | None, own: int | None = None) -> tuple[Doubt, ...]:
    """Of one that another book than ``own`` has; of none where the search does not answer soon."""
    if not isbn:
        return ()
    soon = optional_deadline()
    try:
        found = catalog.search(WordsQuery(isbn=isbn, limit=MOST_NAMED + 1), soon).answer.items
    except NeighbourAway:
        return ()
    others = tuple(book for book in found if book.item_number != own)[:MOST_NAMED]
    return (Doubt("isbn", f"isbn:{re.sub('[^0-9Xx]', '', isbn)}", others=others),) if others else ()


def ask_about(doubts: tuple[Doubt, ...], typed: Mapping[str, str]) -> None:
    """Raise NotSure unless the form says that all of it is meant."""
    meant = typed.get(SURE, "").split()
    if any(doubt.mark not in meant for doubt in doubts):
        raise NotSure(doubts)
