"""Switch the second factor of one's own account on and off; for the people of the shop."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from bazar.frontend.domain.accounts import Person, Role
from bazar.frontend.pages.errors import sign_in_and_come_back
from bazar.frontend.pages.people import client_address
from bazar.frontend.pages.qr_codes import qr_code
from bazar.frontend.pages.refusals import REFUSALS, refused
from bazar.frontend.pages.sessions import PageSessions
from bazar.frontend.use_cases.second_factors import SecondFactors


class SecondFactorPages:
    """``/account/second-factor``."""

    def __init__(self, second_factors: SecondFactors, sessions: PageSessions, shop_name: str) -> None:
        """``shop_name``: by what an app calls the codes."""
        self._second_factors = second_factors
        self._sessions = sessions
        self._shop_name = shop_name

    def mount(self, pages: Blueprint) -> None:
        """Add the routes."""
        pages.get("/account/second-factor", endpoint="second_factor")(self._show)
        pages.post("/account/second-factor", endpoint="begin_second_factor")(self._begin)
        pages.post("/account/second-factor/confirm", endpoint="confirm_second_factor")(self._confirm)
        pages.post("/account/second-factor/off", endpoint="switch_off_second_factor")(self._switch_off)

    def _show(self) -> str:
        person = self._person()
        return render_template("second_factor.html", **self._values(person))

    def _begin(self) -> Response:
        self._second_factors.begin(self._person())
        return make_response(redirect(url_for("pages.second_factor"), 303))

    def _confirm(self) -> Response:
        if self._sessions.person() is None:  # sent twice: the first has ended the session that both came by
            return sign_in_and_come_back(url_for("pages.second_factor", said="on-before"))
        person = self._person()
        try:
            password, code = request.form.get("password", ""), request.form.get("code", "")
            switched_on = self._second_factors.confirm(person, password, code, client_address())
        except REFUSALS as error:
            return refused("second_factor.html", error, **self._values(person))
        if switched_on is None:  # sent twice: the codes were in the first answer, which the browser did not show
            return make_response(redirect(url_for("pages.second_factor", said="on-before"), 303))
        response = make_response()
        self._sessions.start(response, switched_on.signed_in)  # before the page, whose forms are the new session's
        response.set_data(render_template("recovery_codes.html", codes=switched_on.recovery_codes))
        return response

    def _switch_off(self) -> Response:
        person = self._person()
        try:
            self._second_factors.switch_off(person, request.form.get("code", ""))
        except REFUSALS as error:
            return refused("second_factor.html", error, **self._values(person))
        return make_response(redirect(url_for("pages.account", said="second-factor-off"), 303))

    def _values(self, person: Person) -> dict[str, object]:
        setting_up = self._second_factors.setting_up(person)
        address = setting_up.address(self._shop_name) if setting_up else ""
        return {
            "setting_up": setting_up,
            "address": address,
            "picture": qr_code(address) if setting_up else None,
            "codes_left": self._second_factors.recovery_codes_left(person),
            "was_on_before": request.args.get("said") == "on-before",
        }

    def _person(self) -> Person:
        """One of the staff; or a customer who was one, and has a second factor still."""
        person = self._sessions.signed_in()
        return person if person.has_second_factor else self._sessions.require(Role.STAFF)
