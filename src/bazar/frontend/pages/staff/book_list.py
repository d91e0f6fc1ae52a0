"""Find a book to work on: by words, ISBN or number; and the books that run low."""

import re

from flask import Blueprint, g, render_template, request

from bazar.contracts.books import FEW_COPIES, BookSummary, LowStockQuery, NumbersQuery, WordsQuery
from bazar.contracts.wire import convert
from bazar.frontend.pages import positions
from bazar.frontend.pages.paging import asked_place
from bazar.frontend.use_cases.ports import Catalog

BOOKS_ON_A_PAGE = 30
#: Shorter than an ISBN: it may be an item number.
_ITEM_NUMBER = re.compile("[1-9][0-9]{0,8}")


def add_book_list(pages: Blueprint, catalog: Catalog) -> None:
    """``/staff/books`` and ``/staff/books/low``."""

    @pages.get("/staff/books", endpoint="staff_books")
    def books() -> str:
        words, sold_out = request.args.get("q", "").strip(), "sold_out" in request.args
        asked = {"q": words, "cursor": request.args.get("cursor", "")}
        query = convert(
            {
                **{name: value for name, value in asked.items() if value},
                **({"in_stock": "false"} if sold_out else {}),
                **({} if words else {"sort": "newest"}),
                "limit": BOOKS_ON_A_PAGE,
            },
            WordsQuery,
        )
        seen = catalog.search(query, g.deadline)
        positions.note(seen.position)
        return render_template(
            "staff_books.html",
            q=words,
            sold_out=sold_out,
            numbered=_numbered(catalog, words),
            books=seen.answer,
            place=asked_place(seen.answer, BOOKS_ON_A_PAGE),
            kept={"q": words or None, "sold_out": "1" if sold_out else None},
        )

    @pages.get("/staff/books/low", endpoint="staff_books_low")
    def low() -> str:
        place = {"cursor": request.args["cursor"]} if request.args.get("cursor") else {}
        seen = catalog.low_stock(convert({"limit": BOOKS_ON_A_PAGE, **place}, LowStockQuery), g.deadline)
        positions.note(seen.position)
        return render_template(
            "staff_books_low.html",
            books=seen.answer,
            place=asked_place(seen.answer, BOOKS_ON_A_PAGE),
            few_copies=FEW_COPIES,
        )


def _numbered(catalog: Catalog, words: str) -> tuple[BookSummary, ...]:
    """The book of which the words are the number."""
    if not _ITEM_NUMBER.fullmatch(words):
        return ()
    return catalog.books_by_number(NumbersQuery(item_numbers=(int(words),)), g.deadline).answer.items
