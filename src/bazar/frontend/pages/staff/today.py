"""What there is to do today."""

from flask import Blueprint, render_template


def add_today_page(pages: Blueprint) -> None:
    """``/staff``."""

    @pages.get("/staff", endpoint="staff")
    def today() -> str:
        return render_template("staff_today.html")
