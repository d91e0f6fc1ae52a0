"""Messages about people: what they send to register and to sign in, and what they are told."""

from typing import Annotated

from msgspec import Meta

from bazar.contracts import text
from bazar.contracts.wire import Message, PublicRequest

#: Longer than anything that the shop accepts, so that the domain can say what is wrong with a value.
ShortText = Annotated[str, Meta(pattern=text.ANY, max_length=1_000)]


class Registration(PublicRequest, frozen=True):
    """Someone asks for an account."""

    email: ShortText
    password: ShortText
    name: ShortText = ""


class Credentials(PublicRequest, frozen=True):
    """Someone signs in; ``code``: of the second factor, where the account has one."""

    email: ShortText
    password: ShortText
    code: ShortText | None = None


class Registered(Message, frozen=True):
    """The address that can sign in, as the shop writes it."""

    email: str


class Token(Message, frozen=True):
    """The secret for ``Authorization: Bearer``, told this once. ``expires_at``: RFC 3339 UTC."""

    token: str
    expires_at: str


class Me(Message, frozen=True):
    """The person who is signed in; ``name`` is empty where none was given."""

    email: str
    name: str
    role: str
