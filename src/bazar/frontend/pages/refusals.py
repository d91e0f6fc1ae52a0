"""What keeps somebody from what an account's form asks for, said on the page with the form."""

from collections.abc import Mapping
from typing import Any

from flask import Response, make_response, render_template

from bazar.chassis.web import RETRY_AFTER_SECONDS
from bazar.contracts import problems
from bazar.contracts.wire import Invalid
from bazar.frontend.domain.account_care import LastAdmin, LinkEnded, NotForOneself, UnknownAccount
from bazar.frontend.domain.accounts import AccountExists, InvalidField, TooBusy, TooManyTries, WrongCredentials
from bazar.frontend.domain.errors import NotAllowed
from bazar.frontend.domain.passwords import WeakPassword
from bazar.frontend.domain.second_factor import HalfSignInEnded, WrongCode

#: By what word ``_refusal.html`` knows each; of a field it says the field's own reason.
WORDS: Mapping[type[Exception], str] = {
    Invalid: "field",
    InvalidField: "field",
    WeakPassword: "field",
    WrongCredentials: "wrong-credentials",
    TooManyTries: "too-many-tries",
    TooBusy: "too-busy",
    WrongCode: "wrong-code",
    HalfSignInEnded: "half-sign-in-ended",
    LinkEnded: "link-ended",
    LastAdmin: "last-admin",
    NotForOneself: "not-for-oneself",
    NotAllowed: "not-allowed",
    AccountExists: "account-exists",
    UnknownAccount: "unknown-account",
}
#: Other than a mistake in our code. Who is not allowed to see a page at all is told so by a page of its own.
REFUSALS = (
    *(Invalid, InvalidField, WeakPassword, WrongCredentials, TooManyTries, TooBusy),
    *(WrongCode, HalfSignInEnded, LinkEnded, LastAdmin, NotForOneself, AccountExists, UnknownAccount),
)
_SECONDS = 60


def refused(template: str, error: Exception, **values: Any) -> Response:
    """The page again, which says by ``_refusal.html`` what is wrong."""
    status, retry_after_seconds = problems.INVALID.status, 0
    if isinstance(error, TooManyTries):
        status, retry_after_seconds = problems.TOO_MANY_REQUESTS.status, error.retry_after_seconds
    elif isinstance(error, TooBusy):
        status, retry_after_seconds = problems.UNAVAILABLE.status, RETRY_AFTER_SECONDS
    elif isinstance(error, LastAdmin):
        status = problems.LAST_ADMIN.status
    elif isinstance(error, NotAllowed | NotForOneself):
        status = problems.FORBIDDEN.status
    # A weak password says why; a field of the contract says which and why, as the domain's own does.
    field = "password" if isinstance(error, WeakPassword) else getattr(error, "field", "")
    reason = error.reason.value if isinstance(error, WeakPassword) else getattr(error, "detail", "")
    page = render_template(
        template,
        refusal=WORDS[type(error)],
        field=field,
        reason=reason,
        wait_minutes=-(-retry_after_seconds // _SECONDS),
        **values,
    )
    response = make_response(page, status)
    if retry_after_seconds:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response
