"""Who did what to books and stock lately."""

from flask import Blueprint, render_template, request

from bazar.contracts.books import JournalQuery
from bazar.contracts.wire import Invalid, convert
from bazar.frontend.pages.staff.chronicle import Chronicle


def add_journal_page(pages: Blueprint, chronicle: Chronicle) -> None:
    """``/staff/journal``."""

    @pages.get("/staff/journal", endpoint="staff_journal")
    def journal() -> str:
        typed = request.args.get("book", "").strip()
        cursor = request.args.get("cursor") or None
        try:
            item_number = convert({"item_number": typed}, JournalQuery).item_number if typed else None
        except Invalid as error:
            return render_template("staff_journal.html", typed=typed, mistake=error.detail, found=None, cursor=None)
        found = chronicle.journal(item_number, convert({"cursor": cursor}, JournalQuery).cursor)
        return render_template("staff_journal.html", typed=typed, mistake=None, found=found, cursor=cursor)
