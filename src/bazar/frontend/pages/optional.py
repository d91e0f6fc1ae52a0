"""How long a page waits for what it can do without."""

from flask import g

from bazar.chassis.clock import Deadline

#: Nobody waits longer for a shelf, a hint or a warning.
OPTIONAL_SECONDS = 0.5
#: Booksellers wait a little longer for a figure.
OPTIONAL_FOR_STAFF_SECONDS = 1.0


def optional_deadline(seconds: float = OPTIONAL_SECONDS) -> Deadline:
    """``seconds`` from now, and never later than that of the page."""
    return Deadline.after(min(seconds, g.deadline.remaining_seconds()))
