"""Who comes in below ``/staff``, and what hangs in the hall."""

from flask import Blueprint, request, url_for
from werkzeug.exceptions import NotFound

from bazar.frontend.domain.accounts import Person, Role
from bazar.frontend.pages.sessions import PageSessions

PREFIX = "/staff"
#: Endpoint and name of each page in the menu.
MENU = (
    ("pages.staff", "Today"),
    ("pages.staff_orders", "Orders"),
    ("pages.staff_books", "Books"),
    ("pages.staff_import", "Import"),
    ("pages.staff_journal", "Journal"),
)


class StaffDoor:
    """Lets booksellers in. A customer is told that there is no such page; whoever is not signed in may sign in."""

    def __init__(self, sessions: PageSessions) -> None:
        self._sessions = sessions

    def guard(self, pages: Blueprint) -> None:
        """Check every route of ``pages`` below the prefix, so that none can be forgotten."""
        pages.before_request(self._check)
        pages.add_app_template_global(_menu, "staff_menu")
        pages.add_app_template_global(works_here, "works_here")

    def bookseller(self) -> Person:
        """Who is at work; raises NotSignedIn, and NotFound for a customer."""
        person = self._sessions.signed_in()
        if not works_here(person):
            raise NotFound
        return person

    def _check(self) -> None:
        if request.url_rule is not None and f"{request.url_rule.rule}/".startswith(f"{PREFIX}/"):
            self.bookseller()


def works_here(person: Person | None) -> bool:
    """Whether this is a bookseller."""
    return person is not None and person.role.includes(Role.STAFF)


def _menu() -> list[tuple[str, str, bool]]:
    """Address and name of each page, and whether it or one below it is shown."""
    at = f"{request.endpoint}_"
    here = max((page for page, _ in MENU if at.startswith(f"{page}_")), key=len, default=None)
    return [(url_for(page), name, page == here) for page, name in MENU]
