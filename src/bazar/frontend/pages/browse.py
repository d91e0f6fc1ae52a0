"""Look around: home, the shelf of a subject, what is new, what sells best."""

from dataclasses import dataclass

from flask import Blueprint, Response, g, make_response, render_template, request

from bazar.chassis.freshness import made_of
from bazar.contracts.books import (
    MOST_NUMBERS,
    MOST_SUBJECTS,
    BookPage,
    BookSummary,
    NewestQuery,
    NumbersQuery,
    SubjectCount,
    SubjectQuery,
)
from bazar.contracts.purchasing import BestSellersQuery
from bazar.contracts.wire import convert
from bazar.frontend.domain.errors import NeighbourAway
from bazar.frontend.pages import positions
from bazar.frontend.pages.optional import optional_deadline
from bazar.frontend.pages.paging import asked_place
from bazar.frontend.use_cases.ports import Catalog, Orders, Seen

BOOKS_ON_A_PAGE = 24
BOOKS_ON_A_LONG_PAGE = 50
BOOKS_ON_A_SHELF = 6
SUBJECT_SHELVES_AT_HOME = 2
SUBJECTS_SHOWN = 24
#: How long a page may show the best sellers as they were.
RANKING_SECONDS = 5.0


@dataclass(frozen=True)
class Shelf:
    """Some books of a subject, and how many it has."""

    subject: str
    total: int
    books: tuple[BookSummary, ...]


class Shelves:
    """The catalog and the order server as the pages ask them; notes how far the catalog was."""

    def __init__(self, catalog: Catalog, orders: Orders) -> None:
        self._catalog = catalog
        self._orders = orders

    def subjects(self, most: int = SUBJECTS_SHOWN) -> tuple[SubjectCount, ...]:
        """Those with the most books."""
        seen = self._catalog.subjects(g.deadline)
        positions.note(seen.position)
        made_of((), seen.position, lists=True)
        return seen.answer.subjects[:most]

    def of_subject(self, query: SubjectQuery) -> BookPage:
        """A page of a subject's books."""
        return self._noted(self._catalog.books_of_subject(query, g.deadline))

    def newest(self, query: NewestQuery) -> BookPage:
        """A page of those that came last."""
        return self._noted(self._catalog.newest(query, g.deadline))

    def shelf(self, subject: SubjectCount) -> Shelf:
        """The books of a subject that came last."""
        newest = self.newest(NewestQuery(subject=subject.subject, limit=BOOKS_ON_A_SHELF))
        return Shelf(subject.subject, subject.books, newest.items)

    def best_sellers(self, limit: int, subject: str | None = None, cursor: str | None = None) -> BookPage | None:
        """A page of those that sell best; None while the order server is away."""
        soon = optional_deadline()
        try:
            ranking = self._orders.best_sellers(BestSellersQuery(limit=MOST_NUMBERS), soon)
        except NeighbourAway:
            made_of((), None)  # not kept: it comes back
            return None
        asked = {"item_numbers": ranking.item_numbers, "limit": limit, "subject": subject, "cursor": cursor}
        query = convert(asked, NumbersQuery)  # also where nothing was sold yet: the page relies on a cursor that is one
        if not query.item_numbers:
            return BookPage(items=(), total=0, next=None)
        return self._noted(self._catalog.books_by_number(query, g.deadline), RANKING_SECONDS)

    @staticmethod
    def _noted(seen: Seen[BookPage], seconds: float | None = None) -> BookPage:
        positions.note(seen.position)
        made_of((item.item_number for item in seen.answer.items), seen.position, lists=True, seconds=seconds)
        return seen.answer


def add_browse_pages(pages: Blueprint, shelves: Shelves) -> None:
    """``/``, ``/subjects``, ``/subjects/<subject>``, ``/new`` and ``/bestsellers``."""

    @pages.get("/")
    def home() -> str:
        subjects = shelves.subjects()
        best = shelves.best_sellers(BOOKS_ON_A_SHELF)
        return render_template(
            "home.html",
            subjects=subjects,
            newest=shelves.newest(NewestQuery(limit=BOOKS_ON_A_SHELF)),
            best_sellers=best.items if best else (),
            shelves=[shelves.shelf(one) for one in subjects[:SUBJECT_SHELVES_AT_HOME]],
        )

    @pages.get("/subjects")
    def all_subjects() -> str:
        subjects = shelves.subjects(MOST_SUBJECTS)
        return render_template("subjects.html", subjects=subjects, are_cut=len(subjects) == MOST_SUBJECTS)

    @pages.get("/subjects/<any_text:subject>")
    def subject(subject: str) -> Response:
        place = {"cursor": request.args["cursor"]} if request.args.get("cursor") else {}
        books = shelves.of_subject(convert({"subject": subject, "limit": BOOKS_ON_A_PAGE, **place}, SubjectQuery))
        known = bool(books.total)
        page = render_template(
            "subject.html",
            subject=subject,
            books=books,
            subjects=() if known else shelves.subjects(),
        )
        return make_response(page, 200 if known else 404)

    @pages.get("/new")
    def new() -> str:
        asked = _asked()
        books = shelves.newest(convert({**asked, "limit": BOOKS_ON_A_LONG_PAGE}, NewestQuery))
        return _long_list("new.html", books)

    @pages.get("/bestsellers")
    def best_sellers() -> str:
        asked = _asked()
        books = shelves.best_sellers(BOOKS_ON_A_LONG_PAGE, asked.get("subject"), asked.get("cursor"))
        return _long_list("best_sellers.html", books)

    def _long_list(template: str, books: BookPage | None) -> str:
        return render_template(
            template,
            books=books,
            subject=_asked().get("subject"),
            place=asked_place(books, BOOKS_ON_A_LONG_PAGE) if books else None,
            subjects=shelves.subjects(),
        )


def _asked() -> dict[str, str]:
    return {name: request.args[name] for name in ("subject", "cursor") if request.args.get(name, "").strip()}
