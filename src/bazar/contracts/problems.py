"""Problems (RFC 9457): the types, each with its page, and the document that carries one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bazar.contracts.wire import Malformed

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class ProblemType:
    """A kind of problem: its name in ``/problems/<name>``, status, title, and what its page says."""

    name: str
    status: int
    title: str
    meaning: str

    @property
    def uri(self) -> str:
        """The ``type`` of the document, relative to the shop's address."""
        return f"/problems/{self.name}"

    def because(self, detail: str, retry_after_seconds: int | None = None, **members: Any) -> "Problem":
        """A problem of this type; ``members`` are the extension members (RFC 9457 section 3.2)."""
        return Problem(self, detail, members, retry_after_seconds)


@dataclass(frozen=True)
class Problem:
    """One occurrence of a problem."""

    type: ProblemType
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    retry_after_seconds: int | None = None
    #: Sent as a header, not in the document.
    position: str | None = None

    def document(self) -> dict[str, Any]:
        """The document (RFC 9457 section 3)."""
        return {
            "type": self.type.uri,
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
            **self.members,
        }

    def dump(self) -> bytes:
        """The document as JSON."""
        return msgspec.json.encode(self.document())


MALFORMED = ProblemType(
    "malformed", 400, "The request cannot be read", "The body is no JSON, or its bytes are no UTF-8."
)
KEY_MISSING = ProblemType(
    "idempotency-key",
    400,
    "The Idempotency-Key is missing or cannot be used",
    "A purchase needs the header Idempotency-Key with 1 to 255 visible ASCII characters. Make a new random one for "
    "each purchase and send the same one again when you repeat it: you then buy once.",
)
UNAUTHENTICATED = ProblemType(
    "unauthenticated",
    401,
    "Please sign in",
    "The call needs `Authorization: Bearer <token>` with a token from POST /api/v1/tokens that has not ended.",
)
CODE_NEEDED = ProblemType(
    "code-needed",
    401,
    "The account asks for a code too",
    "The password is right, and the account has a second factor. Send `code` with e-mail and password: what the app on "
    "your device shows now, or one of the recovery codes. Each code works once.",
)
FORBIDDEN = ProblemType(
    "forbidden",
    403,
    "This is not for your role",
    "You are signed in, but your role does not include this call.",
)
NOT_FOUND = ProblemType("not-found", 404, "There is no such thing", "The address names nothing that you can see.")
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed",
    405,
    "The method does not fit",
    "The header Allow names the methods that this address takes.",
)
LENGTH_REQUIRED = ProblemType(
    "length-required",
    411,
    "The length of the body is missing",
    "A body comes with its Content-Length, so that one that was cut short on its way is never taken for the whole.",
)
PRECONDITION_FAILED = ProblemType(
    "precondition-failed",
    412,
    "It has changed since you read it",
    "If-Match names another version than the current one. Read it again and decide anew.",
)
TOO_LARGE = ProblemType("too-large", 413, "The request is too large", "A body may have at most 1 MiB.")
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type",
    415,
    "The body must be JSON",
    "Send the body with `Content-Type: application/json`.",
)
INVALID = ProblemType(
    "invalid",
    422,
    "Something in the request does not fit",
    "`errors` names each field that does not fit and what is allowed there.",
)
KEY_REUSED = ProblemType(
    "idempotency-key-reused",
    422,
    "This Idempotency-Key belongs to another request",
    "The key was used for another item or with another body. Use a new key for a new purchase.",
)
WEAK_PASSWORD = ProblemType(
    "weak-password",
    422,
    "Please choose a stronger password",
    "A password has at least 15 characters and is none of those that everybody guesses first. Any characters do.",
)
OUT_OF_STOCK = ProblemType(
    "out-of-stock",
    409,
    "Not enough copies in stock",
    "`lines` says for each book how many were asked for and how many there were. Nothing was bought. The answer is "
    "final for its Idempotency-Key: to try again, use a new one.",
)
PRICE_CHANGED = ProblemType(
    "price-changed",
    409,
    "The price has changed",
    "The total is not the `expected_total` that was sent. Nothing was bought. The answer is final for its key.",
)
ORDER_CANCELLED = ProblemType(
    "order-cancelled",
    409,
    "The order was given up",
    "The purchase was interrupted and given up when the shop recovered. Nothing was bought. The answer is final for "
    "its key.",
)
TOO_LATE = ProblemType(
    "too-late",
    409,
    "The time to cancel is over",
    "A customer can cancel an order for as long as the shop has set, and nobody can cancel one that has been "
    "collected. Please ask the shop.",
)
CANNOT_MOVE = ProblemType(
    "cannot-move",
    409,
    "The order goes no further",
    "An order that was cancelled is neither made ready nor collected. Only the pages of booksellers move orders.",
)
NOT_STUCK = ProblemType(
    "not-stuck",
    409,
    "The order needs no hand",
    "Only an order that recovery could not finish is settled by hand; `GET /api/v1/orders?status=stuck` lists them. "
    "This one is none of them, or is none any more.",
)
STOCK_BELOW_ZERO = ProblemType(
    "stock-below-zero", 409, "There are not so many copies", "The change would take the stock below zero."
)
TOO_MANY_REQUESTS = ProblemType(
    "too-many-requests", 429, "Too many tries", "Wait for the seconds that Retry-After gives, then try again."
)
LAST_ADMIN = ProblemType(
    "last-admin", 409, "The shop needs an admin", "This is the only admin's account. Make another admin first."
)
INTERNAL_ERROR = ProblemType(
    "internal-error",
    500,
    "Something went wrong here",
    "The mistake is ours, and it is in the log with the request's id.",
)
UNAVAILABLE = ProblemType(
    "unavailable",
    503,
    "A part of the shop is away",
    "Try again after the seconds that Retry-After gives. A purchase is repeated with the same Idempotency-Key: the "
    "outcome is then told, whatever it was.",
)

PROBLEM_TYPES: Mapping[str, ProblemType] = {
    value.name: value for value in list(globals().values()) if isinstance(value, ProblemType)
}


def invalid(field: str, detail: str) -> Problem:
    """The field that does not fit, and what is allowed there; an empty ``field`` is the whole body."""
    return INVALID.because(f"{field or 'body'}: {detail}", errors=[{"field": field, "detail": detail}])


def away(service: str, retry_after_seconds: int) -> Problem:
    """A server that does not answer."""
    return UNAVAILABLE.because(f"The {service} server does not answer.", retry_after_seconds)


def read_problem(data: bytes) -> Problem:
    """The problem in a neighbour's answer; raises Malformed where it is no document of a type that we know."""
    try:
        return problem_of(msgspec.json.decode(data, type=dict[str, Any]))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"no problem document: {error}") from None


def problem_of(document: Mapping[str, Any]) -> Problem:
    """The problem of a document; raises Malformed where it is none of a type that we know."""
    try:
        kind = PROBLEM_TYPES[str(document["type"]).removeprefix("/problems/")]
    except KeyError as error:
        raise Malformed(f"no problem document: {error}") from None
    members = {name: value for name, value in document.items() if name not in {"type", "title", "status", "detail"}}
    return Problem(kind, str(document.get("detail", "")), members)
