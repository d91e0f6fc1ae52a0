"""Who the shop is, and what it keeps of its readers."""

from flask import Blueprint, render_template

from bazar.frontend.domain.accounts import SIGN_IN_LIFETIME
from bazar.frontend.use_cases.baskets import GUEST_LIFETIME


def add_about_page(pages: Blueprint) -> None:
    """``/about``: the same for everybody."""

    @pages.get("/about")
    def about() -> str:
        # What is kept is told beside the code's own numbers; who changes what is kept changes the page.
        return render_template("about.html", session_days=SIGN_IN_LIFETIME.days, guest_basket_days=GUEST_LIFETIME.days)
