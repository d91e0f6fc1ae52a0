"""Pages that all visitors of a kind share: what is a visitor's own stands in places, filled for each (ADR 0020)."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from bazar.frontend.domain.accounts import Person, Role

#: Where the WSGI environ of a request says that its page will be shared: there stands a SharedPage.
ENVIRON_KEY = "bazar.shared_page"
_MARK_BYTES = 16


class Kind(StrEnum):
    """Visitors who are shown the same page but for its places."""

    ANYBODY = "anybody"  # nobody is signed in, no basket was begun: there are no places at all
    GUEST = "guest"  # a basket was begun
    CUSTOMER = "customer"
    STAFF = "staff"  # an admin too: their pages differ elsewhere


class Place(StrEnum):
    """What a page shows of the one visitor; the values are parts of marks."""

    CALLED = "called"
    COPIES = "copies"
    FORM_TOKEN = "token"  # noqa: S105 - the name of a place, no secret
    PURCHASE_KEY = "key"


@dataclass(frozen=True)
class Visitor:
    """Somebody of a kind, and what stands in the places for them."""

    kind: Kind
    values: Mapping[Place, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Marks:
    """What stands in the places until they are filled: nobody can guess ``prefix``, so no text of a book holds it."""

    prefix: str = field(default_factory=lambda: f"place-{secrets.token_hex(_MARK_BYTES)}")

    def of(self, place: Place) -> str:
        """The mark of a place; HTML and addresses leave it as it is."""
        return f"{self.prefix}-{place}-"


@dataclass(frozen=True)
class SharedPage:
    """The page to be made is for all visitors of the kind."""

    kind: Kind
    marks: Marks

    @property
    def person(self) -> Person | None:
        """Who stands for all of them: nobody's account, and a mark for a name."""
        role = _ROLES.get(self.kind)
        if role is None:
            return None
        called = self.marks.of(Place.CALLED)
        return Person(account_id="", email=called, name=called, role=role)


_ROLES = MappingProxyType({Kind.CUSTOMER: Role.CUSTOMER, Kind.STAFF: Role.STAFF})
