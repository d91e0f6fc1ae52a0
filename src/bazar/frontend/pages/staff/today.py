"""What there is to do today, and how the last days went."""

from flask import Blueprint, g, render_template

from bazar.contracts.books import FEW_COPIES, BookSummary, LowStockQuery, NumbersQuery
from bazar.contracts.counter import MOST_COUNTED, FiguresQuery
from bazar.contracts.purchasing import BestSellersQuery
from bazar.frontend.domain.errors import NeighbourAway
from bazar.frontend.pages import positions
from bazar.frontend.pages.optional import OPTIONAL_FOR_STAFF_SECONDS, optional_deadline
from bazar.frontend.pages.staff.charts import bars_of
from bazar.frontend.use_cases.ports import Catalog, Orders

#: So many of the best sellers are looked at, one page of the catalog, and so many shown.
BEST_SELLERS_LOOKED_AT = 100
RUNNING_LOW_SHOWN = 10


def add_today_page(pages: Blueprint, catalog: Catalog, orders: Orders) -> None:
    """``/staff``."""

    @pages.get("/staff", endpoint="staff")
    def today() -> str:
        figures = orders.figures(FiguresQuery(), g.deadline)
        return render_template(
            "staff_today.html",
            figures=figures,
            today=figures.days[-1],
            most_counted=MOST_COUNTED,
            order_bars=bars_of([day.orders for day in figures.days]),
            takings_bars=bars_of([day.takings.amount for day in figures.days]),
            running_low=_running_low(catalog, orders),
            all_low=_number_of_low(catalog),
            few_copies=FEW_COPIES,
        )


def _number_of_low(catalog: Catalog) -> int | None:
    """Of how many books there are few; None where nobody knows just now."""
    try:
        found = catalog.low_stock(LowStockQuery(limit=1), optional_deadline(OPTIONAL_FOR_STAFF_SECONDS))
    except NeighbourAway:
        return None
    positions.note(found.position)
    return found.answer.total


def _running_low(catalog: Catalog, orders: Orders) -> tuple[BookSummary, ...] | None:
    """Best sellers of which few are left, those that sell most first; None where nobody knows just now.

    What does not sell may stand on the shelf in one copy for years: that is no reason to order more.
    """
    deadline = optional_deadline(OPTIONAL_FOR_STAFF_SECONDS)
    try:
        numbers = orders.best_sellers(BestSellersQuery(limit=BEST_SELLERS_LOOKED_AT), deadline).item_numbers
        query = NumbersQuery(item_numbers=numbers, limit=BEST_SELLERS_LOOKED_AT)
        found = catalog.books_by_number(query, deadline)
    except NeighbourAway:
        return None
    positions.note(found.position)
    return tuple(book for book in found.answer.items if book.quantity <= FEW_COPIES)[:RUNNING_LOW_SHOWN]
