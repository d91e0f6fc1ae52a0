"""The states of a hold, none at all being None, and what may follow what. Doing it twice is as good as once."""

from dataclasses import dataclass
from enum import StrEnum


class HoldState(StrEnum):
    """Where the copies of an order are."""

    HELD = "held"
    REFUSED = "refused"
    RELEASED = "released"
    SETTLED = "settled"
    RETURNED = "returned"


@dataclass(frozen=True)
class Step:
    """The hold goes to ``to``; with ``copies_come_back`` its copies return to the shelf."""

    to: HoldState
    copies_come_back: bool = False


@dataclass(frozen=True)
class Unchanged:
    """Done before, or nothing to do."""


@dataclass(frozen=True)
class Conflict:
    """It contradicts what was done: nothing changes, and the order needs a hand."""

    reason: str


Transition = Step | Unchanged | Conflict


def settle(state: HoldState | None) -> Transition:
    """The order is confirmed: the copies are sold."""
    match state:
        case HoldState.HELD:
            return Step(HoldState.SETTLED)
        case HoldState.SETTLED | HoldState.RETURNED:
            return Unchanged()
        case HoldState.REFUSED | HoldState.RELEASED | None:
            return Conflict(f"a hold that is {state or 'not there'} cannot be settled")


def release(state: HoldState | None) -> Transition:
    """The order is not to be: the copies go back. An unknown hold gets a tombstone that refuses a late one."""
    match state:
        case None:
            return Step(HoldState.RELEASED)
        case HoldState.HELD:
            return Step(HoldState.RELEASED, copies_come_back=True)
        case HoldState.REFUSED | HoldState.RELEASED:
            return Unchanged()
        case HoldState.SETTLED | HoldState.RETURNED:
            return Conflict(f"a hold that is {state} cannot be released")


def return_(state: HoldState | None) -> Transition:
    """The confirmed order was cancelled: its copies go back, whether they were settled before or not."""
    match state:
        case HoldState.HELD | HoldState.SETTLED:
            return Step(HoldState.RETURNED, copies_come_back=True)
        case HoldState.RETURNED:
            return Unchanged()
        case HoldState.REFUSED | HoldState.RELEASED | None:
            return Conflict(f"a hold that is {state or 'not there'} has no copies to return")
