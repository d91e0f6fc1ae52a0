"""What an answer is made of, declared by who makes it: a cache before the application keeps only what is declared."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import request

ENVIRON_KEY = "bazar.made_of"
#: For caches on the way: ask again each time, or, where many share one, after a second at the latest.
PUBLIC = "public, max-age=0, s-maxage=1, must-revalidate"


@dataclass(frozen=True)
class MadeOf:
    """``items``: the numbers of those that are shown. ``lists``: which ones are shown may change, too.

    ``seconds``: how long the answer may be given where that is not told by the changes of its items; None: for ever.
    """

    items: frozenset[int]
    lists: bool = False
    seconds: float | None = None


def made_of(items: Iterable[int], *, lists: bool = False, seconds: float | None = None) -> None:
    """Declare that the answer to the request at hand is made of these, and is the same for everybody.

    Where a request declares several times, all of it holds.
    """
    before = request.environ.get(ENVIRON_KEY, MadeOf(frozenset()))
    times = [time for time in (before.seconds, seconds) if time is not None]
    request.environ[ENVIRON_KEY] = MadeOf(
        before.items | frozenset(items), before.lists or lists, min(times) if times else None
    )
