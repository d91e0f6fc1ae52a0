"""A basket: books that somebody means to buy, with what was said of them when they were put in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bazar.contracts.books import MOST_COPIES_A_LINE, BookSummary, Money
from bazar.contracts.purchasing import MOST_LINES
from bazar.frontend.domain.errors import ShopError
from bazar.frontend.domain.money import times

#: As many titles as one order can have.
MOST_TITLES = MOST_LINES


@dataclass(eq=False)
class BasketFull(ShopError):
    """There are as many titles in the basket as one order can have."""

    most: int = MOST_TITLES


@dataclass(frozen=True)
class BasketLine:
    """So many copies of a book; ``title`` and ``price`` are those that the reader last saw."""

    item_number: int
    quantity: int
    title: str
    price: Money


@dataclass(frozen=True)
class Basket:
    """In the order in which the books were put in. ``purchase_key``: what buying it is known by (see ``bought``)."""

    purchase_key: str
    lines: tuple[BasketLine, ...] = ()

    @property
    def copies(self) -> int:
        """Of all books together."""
        return sum(line.quantity for line in self.lines)

    def quantity_of(self, item_number: int) -> int:
        """Copies of one book, 0 where it is not in the basket."""
        return next((line.quantity for line in self.lines if line.item_number == item_number), 0)

    def put(self, line: BasketLine) -> "Basket":
        """With these copies more, MOST_COPIES_A_LINE of a book at the most; raises BasketFull."""
        together = self.quantity_of(line.item_number) + line.quantity
        return self._with(replace(line, quantity=min(together, MOST_COPIES_A_LINE)))

    def put_at_least(self, lines: Iterable[BasketLine]) -> "Basket":
        """With so many copies of each at the least, MOST_COPIES_A_LINE at the most; raises BasketFull.

        What has as many stays as it is.
        """
        changed = self
        for line in lines:
            wanted = min(line.quantity, MOST_COPIES_A_LINE)  # an order adds up the lines of a book
            if wanted > changed.quantity_of(line.item_number):
                changed = changed._with(replace(line, quantity=wanted))
        return changed

    def set(self, quantities: Mapping[int, int]) -> "Basket":
        """As many copies of what is in it as told; none takes a book out."""
        changed = tuple(
            replace(line, quantity=quantity)
            for line in self.lines
            if (quantity := quantities.get(line.item_number, line.quantity)) > 0
        )
        return replace(self, lines=changed)

    def joined_by(self, other: "Basket") -> "Basket":
        """With the books of another basket; of one that is in both, the larger number. What is too much is left out."""
        joined = self
        for line in other.lines:
            if line.quantity > joined.quantity_of(line.item_number):
                try:
                    joined = joined._with(line)
                except BasketFull:
                    break
        return joined

    def bought(self, quantities: Mapping[int, int], purchase_key: str, new_key: str) -> "Basket":
        """Without what was bought under ``purchase_key``, unless that was taken out before: then its key is another.

        So a confirmation that comes twice, by Back and a resend say, empties the basket once.
        """
        if purchase_key != self.purchase_key:
            return self
        left = {line.item_number: line.quantity - quantities.get(line.item_number, 0) for line in self.lines}
        return replace(self.set(left), purchase_key=new_key)

    def refused(self, purchase_key: str, new_key: str) -> "Basket":
        """After a final refusal its key can buy nothing any more."""
        return replace(self, purchase_key=new_key) if purchase_key == self.purchase_key else self

    def _with(self, new: BasketLine) -> "Basket":
        if any(line.item_number == new.item_number for line in self.lines):
            lines = tuple(new if line.item_number == new.item_number else line for line in self.lines)
        elif len(self.lines) >= MOST_TITLES:
            raise BasketFull
        else:
            lines = (*self.lines, new)
        return replace(self, lines=lines)


class LineState(StrEnum):
    """What keeps a line from being bought, if anything does."""

    FINE = "fine"
    TOO_FEW = "too-few"
    SOLD_OUT = "sold-out"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class CheckedLine:
    """A line as the shelves are now; ``book`` is None where it is not sold any more."""

    line: BasketLine
    book: BookSummary | None

    @property
    def state(self) -> LineState:
        """Whether it can be bought."""
        if self.book is None:
            return LineState.WITHDRAWN
        if self.book.quantity == 0:
            return LineState.SOLD_OUT
        return LineState.TOO_FEW if self.book.quantity < self.line.quantity else LineState.FINE

    @property
    def available(self) -> int:
        """As many of the wanted copies as there are."""
        return min(self.line.quantity, self.book.quantity) if self.book else 0

    @property
    def former_price(self) -> Money | None:
        """What a copy cost when the reader last saw it, where that is another price than now."""
        return self.line.price if self.book and self.book.price != self.line.price else None

    @property
    def sum(self) -> Money:
        """What the copies cost now."""
        return times(self.book.price if self.book else self.line.price, self.line.quantity)


@dataclass(frozen=True)
class CheckedBasket:
    """A basket held against the shelves: what can be bought, and what has changed."""

    lines: tuple[CheckedLine, ...]
    purchase_key: str

    @property
    def total(self) -> Money | None:
        """What all of it costs now; None where there is nothing."""
        if not self.lines:
            return None
        sums = [line.sum for line in self.lines]
        return Money(amount=sum(one.amount for one in sums), currency=sums[0].currency)

    @property
    def can_be_bought(self) -> bool:
        """Whether there is something in it, and all of it can be had."""
        return bool(self.lines) and all(line.state is LineState.FINE for line in self.lines)

    @property
    def copies(self) -> int:
        """Of all books together."""
        return sum(line.line.quantity for line in self.lines)


def checked(basket: Basket, books: Iterable[BookSummary]) -> CheckedBasket:
    """The basket beside the books that are sold of it."""
    sold = {book.item_number: book for book in books}
    return CheckedBasket(
        tuple(CheckedLine(line, sold.get(line.item_number)) for line in basket.lines), basket.purchase_key
    )
