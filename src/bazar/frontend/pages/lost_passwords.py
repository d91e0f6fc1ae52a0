"""A lost password: the page where staff make a link, and the page where the link leads."""

from flask import Blueprint, Response, make_response, redirect, render_template, request

from bazar.frontend.domain.account_care import LINK_LIFETIME
from bazar.frontend.domain.accounts import Role
from bazar.frontend.domain.errors import NotAllowed
from bazar.frontend.domain.passwords import FEWEST_CHARACTERS
from bazar.frontend.pages.refusals import REFUSALS, refused
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.lost_passwords import LostPasswords, address_of

LINK_MINUTES = LINK_LIFETIME.seconds // 60


def add_lost_password_pages(
    pages: Blueprint, lost_passwords: LostPasswords, sessions: PageSessions, public_url: str
) -> None:
    """``/account/links`` for staff, ``/new-password`` for whoever has a link."""

    @pages.get("/account/links")
    def link_form() -> str:
        sessions.require(Role.STAFF)
        email = request.args.get("email", "")
        return render_template("link.html", email=email, link=None, minutes=LINK_MINUTES)

    @pages.post("/account/links")
    def make_link() -> Response:
        person = sessions.require(Role.STAFF)
        email = request.form.get("email", "")
        try:
            secret = lost_passwords.make_link(email, person)
        except (*REFUSALS, NotAllowed) as error:
            return refused("link.html", error, email=email, link=None, minutes=LINK_MINUTES)
        link = address_of(public_url, secret)
        return make_response(render_template("link.html", email=email, link=link, minutes=LINK_MINUTES))

    @pages.get("/new-password")
    def new_password_form() -> Response:
        # Looking uses nothing up: programs that preview links would leave the reader with none.
        secret = request.args.get("link", "")
        page = make_response(render_template("new_password.html", **_values(secret, lost_passwords.opens(secret))))
        page.headers["Referrer-Policy"] = "no-referrer"  # the address holds the secret
        return page

    @pages.post("/new-password")
    def set_new_password() -> Response:
        secret = request.form.get("link", "")
        try:
            lost_passwords.use_link(secret, request.form.get("password", ""))
        except REFUSALS as error:
            return refused("new_password.html", error, **_values(secret, lost_passwords.opens(secret)))
        response = make_response(redirect("/sign-in?renewed=1", 303))
        sessions.end(response)
        return response


def _values(secret: str, opens: bool) -> dict[str, object]:
    return {"secret": secret, "opens": opens, "fewest_characters": FEWEST_CHARACTERS}
