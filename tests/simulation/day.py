"""What kind of day a seed makes of it: who comes, which servers there are, what is on the shelves."""

from dataclasses import dataclass
from random import Random

from bazar.contracts.names import CATALOG, FRONTEND, ORDER

BOOKS = 3
#: What is asked for most, where one book is.
BEST_SELLER = 1


@dataclass(frozen=True)
class Day:
    """Drawn first, so that no two days are alike: full of customers, or of booksellers, or of servers."""

    #: Copies of book 1, 2 and so on.
    stock: tuple[int, ...]
    #: Names of servers; each begins with its service. Two order servers are two sweepers at once.
    servers: tuple[str, ...]
    customers: int
    booksellers: int
    one_book_is_wanted: bool
    all_come_at_once: bool
    #: Whether the front-end keeps answers, and follows the feed of changes; then there are people who only look.
    has_cache: bool
    #: Whether the order server has compared its decisions with the catalog. After a restore it does so while people
    #: come and faults strike.
    is_compared: bool

    @classmethod
    def draw(cls, random: Random) -> "Day":
        """The day of a seed."""
        is_for_booksellers = random.random() < 0.15
        is_big = is_for_booksellers or random.random() < 0.5
        services = (FRONTEND, ORDER, CATALOG)
        chance = 1.0 if is_big else 0.2
        return cls(
            stock=tuple(random.randint(1, 5) for _ in range(BOOKS)),
            servers=(*services, *(f"{service} 2" for service in services if random.random() < chance)),
            customers=1 if is_for_booksellers else 3 if is_big else 2,
            booksellers=3 if is_for_booksellers else random.choice((0, 1, 1)),
            one_book_is_wanted=random.random() < 0.6,
            all_come_at_once=random.random() < 0.6,
            has_cache=is_for_booksellers or random.random() < 0.1,
            is_compared=random.random() < 0.85,
        )

    def some_book(self, random: Random) -> int:
        """A book that somebody is interested in."""
        return BEST_SELLER if self.one_book_is_wanted and random.random() < 0.8 else random.randint(1, BOOKS)
