"""What an answer is made of, declared by who makes it: a cache before the application keeps only what is declared."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import request

from bazar.chassis.position import read_position

ENVIRON_KEY = "bazar.made_of"
#: What a search finds may be so old; what it shows of it is current.
LONGEST_LAG_SECONDS = 1.0
#: For caches on the way: ask again each time, or, where many share one, after a second at the latest.
PUBLIC = "public, max-age=0, s-maxage=1, must-revalidate"


@dataclass(frozen=True)
class MadeOf:
    """``items``: the numbers of those that are shown. ``lists``: which ones are shown may change, too.

    ``position``: (epoch, number) at which the oldest part was read; None where that is not known. ``seconds``: how long
    the answer may be given where that is not told by the changes of its items; None: for ever.
    """

    items: frozenset[int]
    position: tuple[str, int] | None
    lists: bool = False
    seconds: float | None = None


def made_of(items: Iterable[int], position: str | None, *, lists: bool = False, seconds: float | None = None) -> None:
    """Declare that the answer to the request at hand is made of these, and is the same for everybody.

    Where a request declares several times, all of it holds.
    """
    part = MadeOf(frozenset(items), read_position(position), lists, seconds)
    before: MadeOf | None = request.environ.get(ENVIRON_KEY)
    request.environ[ENVIRON_KEY] = part if before is None else _together(before, part)


def _together(one: MadeOf, other: MadeOf) -> MadeOf:
    times = [part.seconds for part in (one, other) if part.seconds is not None]
    oldest = None
    if one.position and other.position and one.position[0] == other.position[0]:
        oldest = min(one.position, other.position)
    return MadeOf(
        items=one.items | other.items,
        position=oldest,
        lists=one.lists or other.lists,
        seconds=min(times) if times else None,
    )
