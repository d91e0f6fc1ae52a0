"""People and what they may do: addresses, roles, accounts, sign-ins."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Literal

from bazar.frontend.domain.errors import ShopError

#: How long a sign-in lasts, whatever is done with it: reading an account page writes nothing.
SIGN_IN_LIFETIME = timedelta(days=7)
MOST_EMAIL_CHARACTERS = 254
MOST_LOCAL_PART_CHARACTERS = 64
MOST_LABEL_CHARACTERS = 63
MOST_NAME_CHARACTERS = 200
#: What one subscriber of IPv6 is given at the least (RFC 6177): it counts as one address.
IPV6_SUBSCRIBER_PREFIX = 64

#: Of a name, beyond its first: people are found by the beginning of each.
MOST_WORDS_FOUND = 8
_BETWEEN_WORDS = re.compile(r"[\s-]+(?=[^\s-])")
#: Not seen, but some scripts are not written without them (zero width non-joiner and joiner).
_JOINERS = "\u200c\u200d"
_ATEXT_SYMBOLS = frozenset("!#$%&'*+-/=?^_`{|}~.")


@dataclass(eq=False)
class InvalidField(ShopError):
    """An address or a name is none."""

    field: Literal["email", "name"]
    detail: str


@dataclass(eq=False)
class WrongCredentials(ShopError):
    """No account has this address with this password; which of the two is wrong is not told."""


@dataclass(eq=False)
class AccountExists(ShopError):
    """The address has an account already."""

    email: str


@dataclass(eq=False)
class TooManyTries(ShopError):
    """The limit of the running minute is used up."""

    retry_after_seconds: int


@dataclass(eq=False)
class TooBusy(ShopError):
    """So many passwords are being checked that this one would have to wait too long. Nothing was done."""


class Role(StrEnum):
    """What a person may do; each role includes those before it.

    So staff and admin may buy as any customer does: a bookseller tries the shop out with the own account.
    """

    CUSTOMER = "customer"
    STAFF = "staff"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that ``other`` may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class SignInKind(StrEnum):
    """What a secret opens: the API (``Authorization: Bearer``) or the pages (cookie), never both."""

    TOKEN = "token"  # noqa: S105 - a kind, no secret
    SESSION = "session"


@dataclass(frozen=True)
class EmailAddress:
    """An address as it was written, and the key under which it is found: without case.

    Made by ``read``. Syntax is checked as far as it catches typing mistakes and tricks (RFC 5322 dot-atoms,
    RFC 6531 for other scripts; no quoted local parts, no address literals); only a mail proves more.
    """

    text: str
    key: str

    @classmethod
    def read(cls, text: str) -> "EmailAddress":
        """The address in ``text``; raises InvalidField."""
        written = unicodedata.normalize("NFC", text)
        if len(written) > MOST_EMAIL_CHARACTERS:
            raise InvalidField("email", f"An address has at most {MOST_EMAIL_CHARACTERS} characters.")
        local, at, domain = written.partition("@")
        if not at or "@" in domain:
            raise InvalidField("email", "An address has exactly one @.")
        if not 0 < len(local) <= MOST_LOCAL_PART_CHARACTERS or not all(map(_may_stand_before_at, local)):
            raise InvalidField("email", "What stands before the @ is no name of a mailbox.")
        labels = domain.split(".")
        if not all(map(_is_label, labels)) or (len(labels) == 1 and domain.casefold() != "localhost"):
            raise InvalidField("email", "What stands after the @ is no name of a host.")
        return cls(written, unicodedata.normalize("NFC", written.casefold()))

    def __str__(self) -> str:
        return self.text


def _may_stand_before_at(character: str) -> bool:
    return character in _ATEXT_SYMBOLS or _is_letter_or_digit(character)


def _is_label(label: str) -> bool:
    hyphenless = label.replace("-", "")
    return (
        0 < len(label) <= MOST_LABEL_CHARACTERS
        and not label.startswith("-")
        and not label.endswith("-")
        and all(map(_is_letter_or_digit, hyphenless))
    )


def _is_letter_or_digit(character: str) -> bool:
    # Marks belong to the letters of many scripts.
    return unicodedata.category(character)[0] in "LMN"


def read_name(text: str) -> str:
    """A person's name, without space around it; raises InvalidField. Empty is allowed."""
    name = unicodedata.normalize("NFC", text).strip()
    if len(name) > MOST_NAME_CHARACTERS:
        raise InvalidField("name", f"A name has at most {MOST_NAME_CHARACTERS} characters.")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in name):
        raise InvalidField("name", "A name is one line of text without control characters.")
    if any(unicodedata.category(character) == "Cf" and character not in _JOINERS for character in name):
        raise InvalidField("name", "A name has no characters that are not seen, or that turn the line around.")
    if name and not name.strip(_JOINERS):
        raise InvalidField("name", "A name has characters that are seen.")
    return name


def key_of_name(text: str) -> str:
    """A name, or how one begins, without case and space around it: what makes two alike."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).strip()


def later_words_of_name(text: str) -> list[str]:
    """The key of a name from its second word on, from its third on and so forth: a surname begins one of them."""
    key = key_of_name(text)
    return [key[found.end() :] for found in _BETWEEN_WORDS.finditer(key)][:MOST_WORDS_FOUND]


@dataclass(frozen=True)
class Person:
    """Who is signed in."""

    account_id: str
    email: str
    name: str
    role: Role
    #: Whether signing in takes a code besides the password.
    has_second_factor: bool = False

    @property
    def called(self) -> str:
        """By the address where no name is known."""
        return self.name or self.email

    @property
    def name_and_address(self) -> str:
        """For the counter."""
        return f"{self.name} ({self.email})" if self.name else self.email


@dataclass(frozen=True)
class Account:
    """A person with the right to sign in. ``account_id`` is random and never given out again."""

    account_id: str
    email: EmailAddress
    name: str
    role: Role
    password_hash: str = field(repr=False)
    created_at: datetime

    @property
    def person(self) -> Person:
        """What others may know of the account."""
        return Person(self.account_id, self.email.text, self.name, self.role)


@dataclass(frozen=True)
class SignIn:
    """A sign-in as it is stored: of its secret only the SHA-256 is kept."""

    secret_hash: str
    kind: SignInKind
    account_id: str
    created_at: datetime
    expires_at: datetime


def subscriber_of(client_address: str) -> str:
    """Who stands behind an IP address: itself, of IPv6 the /64 network; any other text stands for itself."""
    try:
        address = ip_address(client_address)
    except ValueError:
        return client_address
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(IPv6Network((int(address), IPV6_SUBSCRIBER_PREFIX), strict=False))
    return str(address)
