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
MENU_OF_ADMINS = (("pages.staff_accounts", "Accounts"),)


class StaffDoor:
    """Lets booksellers in. A customer is told that there is no such page; whoever is not signed in may sign in."""

    def __init__(self, sessions: PageSessions) -> None:
        self._sessions = sessions

    def guard(self, pages: Blueprint) -> None:
        """Check every route of ``pages`` below the prefix, so that none can be forgotten."""
        pages.before_request(self._check)
        pages.add_app_template_global(self._menu, "staff_menu")
        pages.add_app_template_global(works_here, "works_here")

    def bookseller(self) -> Person:
        """Who is at work; raises NotSignedIn, and NotFound for a customer."""
        person = self._sessions.signed_in()
        if not works_here(person):
            raise NotFound
        return person

    def is_open(self) -> bool:
        """Whether who asks is a bookseller."""
        return works_here(self._sessions.person())

    def _check(self) -> None:
        if request.url_rule is not None and f"{request.url_rule.rule}/".startswith(f"{PREFIX}/"):
            self.bookseller()

    def _menu(self) -> list[tuple[str, str, bool]]:
        """Address and name of each page, and whether it or one below it is shown."""
        is_admin = self._sessions.signed_in().role.includes(Role.ADMIN)
        pages = [(url_for(page), name) for page, name in (*MENU, *(MENU_OF_ADMINS if is_admin else ()))]
        above = (address for address, _ in pages if f"{request.path}/".startswith(f"{address}/"))
        here = max(above, key=len, default=None)
        return [(address, name, address == here) for address, name in pages]


def works_here(person: Person | None) -> bool:
    """Whether this is a bookseller."""
    return person is not None and person.role.includes(Role.STAFF)
