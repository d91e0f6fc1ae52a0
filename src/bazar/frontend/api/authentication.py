"""Who calls the API, and whether the call is for them: a table of rules; what is not in it is denied."""

from collections.abc import Mapping
from enum import Enum

from flask import Flask, g, request

from bazar.chassis.web import ProblemTable
from bazar.contracts import problems
from bazar.contracts.problems import Problem
from bazar.frontend.domain.accounts import Person, Role, SignInKind
from bazar.frontend.domain.errors import NotAllowed, NotSignedIn
from bazar.frontend.use_cases.accounts import Accounts

API_PREFIX = "/api/v1/"


class Access(Enum):
    """Whom a route lets in; the value is the role that it takes, None where it takes no sign-in."""

    ALL = None
    SIGNED_IN = Role.CUSTOMER
    STAFF = Role.STAFF
    ADMIN = Role.ADMIN


#: Rules by endpoint. Each module of the API has its part as ``ACCESS``; wiring puts the parts together.
AccessTable = Mapping[str, Access]


class MissingRule(Exception):
    """A route of the API has no rule: a mistake of ours, and a 500 to whoever calls it."""


def guard_api(app: Flask, accounts: Accounts, access: AccessTable) -> None:
    """Let nobody reach a route below ``/api/v1/`` unless its rule says so; comes before all other checks.

    Calls that are for everybody look nobody up.
    """

    def check() -> None:
        rule = request.url_rule
        if rule is None or not rule.rule.startswith(API_PREFIX):
            return
        if rule.endpoint not in access:
            raise MissingRule(rule.endpoint)
        needed = access[rule.endpoint].value
        if needed is not None:
            g.api_person = _person(accounts)
            require(needed)

    app.before_request(check)


def signed_in() -> Person:
    """Who calls; raises NotSignedIn, on routes for everybody too."""
    person: Person | None = g.get("api_person")
    if person is None:
        raise NotSignedIn
    return person


def require(role: Role) -> Person:
    """Who calls, if their role includes ``role``; raises NotSignedIn or NotAllowed."""
    person = signed_in()
    if not person.role.includes(role):
        raise NotAllowed(role.value)
    return person


def bearer_secret() -> str | None:
    """What ``Authorization: Bearer`` carries (RFC 6750 section 2.1); cookies are not looked at."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None


def _person(accounts: Accounts) -> Person | None:
    secret = bearer_secret()
    return accounts.who_is(secret, SignInKind.TOKEN) if secret else None


def _of_not_signed_in(_error: NotSignedIn) -> Problem:
    return problems.UNAUTHENTICATED.because("Send `Authorization: Bearer` with a token that has not ended.")


def _of_not_allowed(error: NotAllowed) -> Problem:
    return problems.FORBIDDEN.because(f"This call takes the role {error.needed}.")


PROBLEMS: ProblemTable = {NotSignedIn: _of_not_signed_in, NotAllowed: _of_not_allowed}
