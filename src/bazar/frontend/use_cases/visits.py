"""Who looks at a page, as far as every page shows it: who is signed in, and how full the basket is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bazar.frontend.domain.accounts import Person, SignInKind
from bazar.frontend.use_cases.baskets import Owner
from bazar.frontend.use_cases.secret_texts import sha256


@dataclass(frozen=True)
class Visit:
    """Somebody who is signed in, or None for a guest, who has a basket; ``copies`` are those in the basket."""

    person: Person | None
    copies: int


class VisitStore(Protocol):
    """Each method is one look at the database; raises StorageUnavailable."""

    def signed_in(self, secret_hash: str, kind: SignInKind, now: datetime) -> Visit | None: ...

    def copies(self, owner: Owner) -> int:
        """0 where there is no basket."""
        ...


class Visits:
    """Asks the front-end's own database, once for a page."""

    def __init__(self, store: VisitStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def of(self, session_secret: str | None, basket_secret: str | None) -> Visit | None:
        """Whose secrets these are; None where nobody is signed in and no basket was begun."""
        found = None
        if session_secret:
            found = self._store.signed_in(sha256(session_secret), SignInKind.SESSION, self._clock())
        if found is None and basket_secret:
            return Visit(None, self._store.copies(Owner.guest(basket_secret)))
        return found
