"""Who did what lately: to books and stock, and to orders."""

from flask import Blueprint, g, render_template, request

from bazar.contracts.books import JournalQuery
from bazar.contracts.counter import OrderJournalQuery
from bazar.contracts.wire import Invalid, convert
from bazar.frontend.pages.staff.chronicle import ENTRIES_ON_A_PAGE, Chronicle
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.ports import Orders


def add_journal_pages(pages: Blueprint, chronicle: Chronicle, orders: Orders, accounts: Accounts) -> None:
    """``/staff/journal`` of books, ``/staff/journal/orders``."""

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

    @pages.get("/staff/journal/orders", endpoint="staff_journal_orders")
    def journal_of_orders() -> str:
        place = {"cursor": request.args["cursor"]} if request.args.get("cursor") else {}
        query = convert({"limit": ENTRIES_ON_A_PAGE, **place}, OrderJournalQuery)
        found = orders.journal(query, g.deadline)
        names = accounts.names_of({each for line in found.items for each in (line.who, line.account_id)})
        return render_template("staff_journal_orders.html", found=found, names=names, cursor=query.cursor)
