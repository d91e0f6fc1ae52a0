"""What is done to accounts after they were made: one-time links, roles, and who wrote what down."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bazar.frontend.domain.accounts import Role
from bazar.frontend.domain.errors import ShopError

#: How long a link for a lost password can be used, once.
LINK_LIFETIME = timedelta(minutes=30)
#: How long the code may come after the password.
HALF_SIGN_IN_LIFETIME = timedelta(minutes=5)
#: Who acts, where it is whoever runs the shop, by a command.
OPERATOR = "operator"

#: 128 random bits in base 32.
_ACCOUNT_ID = re.compile(r"[a-z2-7]{26}")


@dataclass(eq=False)
class UnknownAccount(ShopError):
    """No account has this address, or this number."""


@dataclass(eq=False)
class LastAdmin(ShopError):
    """The shop would be left without an admin."""


@dataclass(eq=False)
class NotForOneself(ShopError):
    """An admin's session alone must not weaken that admin's own account: another admin, or the operator, does it."""


@dataclass(eq=False)
class LinkEnded(ShopError):
    """The link was used, is older than LINK_LIFETIME, was replaced by another, or never was one."""


class Purpose(StrEnum):
    """What a secret that works once is for."""

    NEW_PASSWORD = "new-password"  # noqa: S105 - a purpose, no secret
    SECOND_STEP = "second-step"


@dataclass(frozen=True)
class OneTimeSecret:
    """A secret that works once, as it is stored: only its SHA-256 is kept."""

    secret_hash: str
    purpose: Purpose
    account_id: str
    expires_at: datetime
    made_by: str | None = None
    """Whose account made it for another: what is ended of the one ends it too."""


class Deed(StrEnum):
    """What the journal of accounts tells."""

    MADE = "made"
    ROLE_CHANGED = "role-changed"
    SESSIONS_ENDED = "sessions-ended"
    LINK_MADE = "link-made"
    LINK_USED = "link-used"
    FACTOR_ON = "second-factor-on"
    FACTOR_OFF = "second-factor-off"
    DELETED = "deleted"


@dataclass(frozen=True)
class JournalLine:
    """Who did what to whose account. ``actor``: an account id or OPERATOR; ``role``: the account's from then on."""

    at: datetime
    actor: str
    account_id: str
    deed: Deed
    role: Role


def is_account_id(text: str) -> bool:
    """Whether an account can have this id: what else stands in an address names none."""
    return _ACCOUNT_ID.fullmatch(text) is not None


def may_help(actor: Role, whose: Role) -> bool:
    """Whether who has the first role may let the owner of an account choose a new password.

    Staff only help customers: else anybody of the staff could become admin.
    """
    return actor is Role.ADMIN or (actor is Role.STAFF and whose is Role.CUSTOMER)
