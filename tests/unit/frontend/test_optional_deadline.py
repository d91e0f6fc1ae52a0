"""What a page can do without has a short time, and never more than the page itself."""

from flask import Flask, g

from bazar.chassis.clock import Deadline
from bazar.frontend.pages.optional import OPTIONAL_FOR_STAFF_SECONDS, OPTIONAL_SECONDS, optional_deadline


def test_what_is_optional_ends_before_the_page_does_and_never_after_it() -> None:
    with Flask(__name__).app_context():
        g.deadline = Deadline.after(60.0)
        soon, later = optional_deadline(), optional_deadline(OPTIONAL_FOR_STAFF_SECONDS)
        assert soon.remaining_seconds() <= OPTIONAL_SECONDS
        assert soon.at_seconds < later.at_seconds < g.deadline.at_seconds
        g.deadline = Deadline(g.deadline.monotonic() - 1.0)
        assert optional_deadline().passed
