"""What the model of the purchase is asked: who buys what (scenarios), and what is done wrong (mutants)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Scenario:
    """Buyers at a shelf; crashes of either server and messages lost, late and doubled are in each, without a bound.

    ``stock``: copies of each book. ``lines``: what the body (1 or 2) of a key asks for, as copies of each book.
    ``requests``: (key, body) of each request that can be under way at the same time; each is repeated for ever.
    ``declines``: a purchase may be refused although its copies are held (another price, no payment). ``given_up``: the
    order of key 0 may be decided CANCELLED, for body 1, though nobody holds copies for it: only so does a release
    arrive before its hold, or a decision differ from the hold (the order is then stuck: ``may_be_stuck``).
    """

    says: str
    stock: tuple[int, ...]
    lines: Mapping[tuple[int, int], tuple[int, ...]]
    requests: Sequence[tuple[int, int]]
    sweepers: int = 2
    cancels: bool = True
    declines: bool = True
    taken_in: int = 0
    taken_out: int = 0
    withdraws: bool = False
    given_up: bool = False
    may_be_stuck: bool = False

    @property
    def keys(self) -> int:
        """How many orders there can be."""
        return len({key for key, _ in self.lines})

    def smaller(self) -> "Scenario":
        """The same with one sweeper, and no request twice at once: seconds instead of minutes."""
        return replace(self, sweepers=1, requests=tuple(dict.fromkeys(self.requests)))


@dataclass(frozen=True)
class Mutant:
    """One thing done wrong, and the scenario in which it shows."""

    says: str
    scenario: str


SCENARIOS: Mapping[str, Scenario] = {
    "three-buyers": Scenario(
        "three buyers of the last copy",
        stock=(1,),
        lines={(0, 1): (1,), (1, 1): (1,), (2, 1): (1,)},
        requests=((0, 1), (1, 1), (2, 1)),
    ),
    "goods-in": Scenario(
        "two buyers, each twice at once; copies are taken in and out",
        stock=(1,),
        lines={(0, 1): (1,), (1, 1): (1,)},
        requests=((0, 1), (0, 1), (1, 1), (1, 1)),
        taken_in=2,
        taken_out=1,
    ),
    "two-lines": Scenario(
        "an order of two books, of which two others buy one each",
        stock=(1, 1),
        lines={(0, 1): (1, 1), (1, 1): (1, 0), (2, 1): (0, 1)},
        requests=((0, 1), (1, 1), (2, 1)),
    ),
    "two-bodies": Scenario(
        "a key used for one copy, twice at once, and for two; another buyer; copies are taken in",
        stock=(1,),
        lines={(0, 1): (1,), (0, 2): (2,), (1, 1): (1,)},
        requests=((0, 1), (0, 1), (0, 2), (1, 1)),
        taken_in=2,
    ),
    "withdrawal": Scenario(
        "two buyers, one twice at once; the book is withdrawn",
        stock=(1,),
        lines={(0, 1): (1,), (1, 1): (1,)},
        requests=((0, 1), (0, 1), (1, 1)),
        taken_in=1,
        withdraws=True,
    ),
    "given-up": Scenario(
        "an order may be given up before its hold arrives; its key is used for one copy and for two",
        stock=(2,),
        lines={(0, 1): (1,), (0, 2): (2,), (1, 1): (1,)},
        requests=((0, 1), (0, 2), (1, 1)),
        given_up=True,
        may_be_stuck=True,
    ),
}

MUTANTS: Mapping[str, Mutant] = {
    "HOLD_NOT_IDEMPOTENT": Mutant("a hold that is repeated takes the copies again", "goods-in"),
    "STOCK_NOT_CHECKED": Mutant("the hold takes copies that are not there", "three-buyers"),
    "READ_THEN_WRITE": Mutant("the stock is read, then written, instead of one conditional update", "three-buyers"),
    "SHORT_ORDER_TAKES_SOME": Mutant("an order that is partly short takes what there is", "two-lines"),
    "REFUSAL_NOT_KEPT": Mutant("a refusal leaves no row, so its key is free for another body", "two-bodies"),
    "HASH_NOT_COMPARED": Mutant("another body under the same key passes for a retry", "two-bodies"),
    "NO_TOMBSTONE": Mutant("the release of an unknown order leaves no row", "given-up"),
    "RELEASE_NOT_IDEMPOTENT": Mutant("a release that is repeated gives the copies back again", "three-buyers"),
    "CATALOG_EXPIRES_HOLDS": Mutant("the catalog frees holds by its own clock", "three-buyers"),
    "NOTHING_BACK_ONCE_WITHDRAWN": Mutant("a book that is withdrawn gets no copies back", "withdrawal"),
    "DECISION_BEFORE_HOLD": Mutant("the order is confirmed before its copies are held", "three-buyers"),
    "DECISION_OVERWRITTEN": Mutant("a decision replaces the one that is there", "three-buyers"),
    "ANSWER_NOT_FROM_ROW": Mutant("the buyer is told what was proposed, not what the row says", "three-buyers"),
    "SWEEPER_IGNORES_DECISION": Mutant("the sweeper releases what is open, whatever was decided", "three-buyers"),
    "NO_SWEEP": Mutant("nobody sweeps: what a crash interrupts stays open", "three-buyers"),
    "CANCEL_UNCHECKED": Mutant("what is not confirmed can be cancelled", "three-buyers"),
    "RETURN_NOT_IDEMPOTENT": Mutant("a return that is repeated gives the copies back again", "three-buyers"),
    "RETURN_NOT_REPEATED": Mutant("the return after a cancel is sent once", "three-buyers"),
    "MARKED_TOO_SOON": Mutant("a return counts as done before the catalog has said so", "three-buyers"),
    "SETTLE_REVIVES_RETURNED": Mutant("a late settle sells copies that were returned", "three-buyers"),
}
