"""The accounts of others, for admins: who works here, roles, sessions, lost devices, and the journal of all that."""

from typing import Annotated, Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from msgspec import Meta

from bazar.contracts.times import rfc3339
from bazar.contracts.wire import LARGEST_JSON_INTEGER, Invalid, Message, convert
from bazar.frontend.domain.account_care import LINK_LIFETIME
from bazar.frontend.domain.accounts import Role
from bazar.frontend.pages.refusals import REFUSALS, refused
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.lost_passwords import address_of
from bazar.frontend.use_cases.staff_accounts import StaffAccounts, Told

#: What a page says of what was just done.
SAID = ("role", "sessions", "second-factor")


class PlaceInJournal(Message, frozen=True):
    """Where a page of the journal begins."""

    cursor: Annotated[int, Meta(ge=1, le=LARGEST_JSON_INTEGER)] | None = None


class StaffAccountPages:
    """``/admin/accounts`` and one account below it."""

    def __init__(self, staff_accounts: StaffAccounts, sessions: PageSessions, public_url: str) -> None:
        self._staff_accounts = staff_accounts
        self._sessions = sessions
        self._public_url = public_url

    def mount(self, pages: Blueprint) -> None:
        """Add the routes."""
        one = "/admin/accounts/<account_id>"
        pages.get("/admin/accounts", endpoint="staff_accounts")(self._list)
        pages.post("/admin/accounts", endpoint="create_account")(self._create)
        pages.get("/admin/accounts/find", endpoint="find_account")(self._find)
        pages.get(one, endpoint="staff_account")(self._show)
        pages.post(f"{one}/role", endpoint="change_role")(self._change_role)
        pages.post(f"{one}/sessions", endpoint="end_sessions")(self._end_sessions)
        pages.post(f"{one}/second-factor", endpoint="remove_second_factor")(self._remove_second_factor)

    def _list(self) -> str:
        self._sessions.require(Role.ADMIN)
        return render_template("staff_accounts.html", **self._of_list(), section=None, link=None, email="", name="")

    def _find(self) -> Response:
        self._sessions.require(Role.ADMIN)
        email = request.args.get("email", "")
        try:
            found = self._staff_accounts.find(email)
        except REFUSALS as error:
            return self._refused_in_list(error, "find", email=email, name="")
        return make_response(redirect(url_for("pages.staff_account", account_id=found.account_id), 303))

    def _create(self) -> Response:
        actor = self._sessions.require(Role.ADMIN)
        filled_in = {name: request.form.get(name, "") for name in ("email", "name")}
        try:
            secret = self._staff_accounts.create(actor, filled_in["email"], filled_in["name"], _role())
        except REFUSALS as error:
            return self._refused_in_list(error, "create", **filled_in)
        link = address_of(self._public_url, secret)
        page = render_template("staff_accounts.html", **self._of_list(), section="create", link=link, **filled_in)
        return make_response(page)

    def _show(self, account_id: str) -> str:
        self._sessions.require(Role.ADMIN)
        said = next((word for word in SAID if request.args.get("said") == word), None)
        return render_template("staff_account.html", **self._of_account(account_id), said=said)

    def _change_role(self, account_id: str) -> Response:
        actor = self._sessions.require(Role.ADMIN)
        try:
            self._staff_accounts.change_role(actor, account_id, _role())
        except REFUSALS as error:
            return refused("staff_account.html", error, **self._of_account(account_id), said=None)
        # Who has taken the role of admin from themselves sees this page no more.
        is_own = actor.account_id == account_id
        return make_response(redirect(url_for("pages.account"), 303)) if is_own else _done(account_id, "role")

    def _end_sessions(self, account_id: str) -> Response:
        self._staff_accounts.end_sessions(self._sessions.require(Role.ADMIN), account_id)
        return _done(account_id, "sessions")

    def _remove_second_factor(self, account_id: str) -> Response:
        actor = self._sessions.require(Role.ADMIN)
        try:
            self._staff_accounts.switch_off_second_factor(actor, account_id)
        except REFUSALS as error:
            return refused("staff_account.html", error, **self._of_account(account_id), said=None)
        return _done(account_id, "second-factor")

    def _refused_in_list(self, error: Exception, section: str, **filled_in: str) -> Response:
        return refused("staff_accounts.html", error, **self._of_list(), section=section, link=None, **filled_in)

    def _of_list(self) -> dict[str, Any]:
        minutes = LINK_LIFETIME.seconds // 60
        return {
            "staff": self._staff_accounts.staff(),
            "roles": list(Role),
            "minutes": minutes,
            **self._journal(None),
        }

    def _of_account(self, account_id: str) -> dict[str, Any]:
        whose = self._staff_accounts.person(account_id)
        return {"whose": whose, "roles": list(Role), **self._journal(account_id)}

    def _journal(self, account_id: str | None) -> dict[str, Any]:
        place = {"cursor": request.args["cursor"]} if request.args.get("cursor") else {}
        before = convert(place, PlaceInJournal).cursor
        page = self._staff_accounts.journal(account_id, before)
        return {"lines": [_line(told) for told in page.lines], "next": page.next, "cursor": before}


def _role() -> Role:
    asked = request.form.get("role", "")
    if asked not in set(Role):
        raise Invalid("role", f"A role is one of {', '.join(Role)}.")
    return Role(asked)


def _line(told: Told) -> dict[str, Any]:
    line = told.line
    return {
        "at": rfc3339(line.at),
        "by": line.actor,
        "actor": told.actor,
        "email": told.email,
        "account_id": line.account_id,
        "deed": line.deed.value,
        "role": line.role.value,
    }


def _done(account_id: str, what: str) -> Response:
    return make_response(redirect(url_for("pages.staff_account", account_id=account_id, said=what), 303))
