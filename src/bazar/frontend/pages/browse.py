"""Look around: home, the shelf of a subject, search."""

from flask import Blueprint, Response, g, make_response, render_template, request

from bazar.contracts.books import BookPage, SearchPage, SubjectQuery, Subjects, WordsQuery
from bazar.contracts.wire import convert
from bazar.frontend.pages import positions
from bazar.frontend.use_cases.ports import Catalog

BOOKS_ON_A_PAGE = 24
NEW_BOOKS_AT_HOME = 12
BOOKS_ON_A_SHELF = 6
SUBJECTS_AT_HOME = 24
#: Filters that the address of a search can have, in the order in which they are shown.
FILTERS = ("subject", "author", "language", "in_stock", "isbn", "min_price", "max_price")
FACETS = ("subject", "author", "language")
VALUES_OF_A_FACET = 12


def add_browse_pages(pages: Blueprint, catalog: Catalog) -> None:
    """``/``, ``/subjects/<subject>`` and ``/search``."""

    def most_populous_subjects() -> Subjects:
        seen = catalog.subjects(g.deadline)
        positions.note(seen.position)
        return Subjects(subjects=seen.answer.subjects[:SUBJECTS_AT_HOME])

    def found(query: WordsQuery) -> SearchPage:
        seen = catalog.search(query, g.deadline)
        positions.note(seen.position)
        return seen.answer

    def shelf(query: SubjectQuery) -> BookPage:
        seen = catalog.books_of_subject(query, g.deadline)
        positions.note(seen.position)
        return seen.answer

    @pages.get("/")
    def home() -> str:
        subjects = most_populous_subjects().subjects
        largest = subjects[0].subject if subjects else None
        return render_template(
            "home.html",
            subjects=subjects,
            newest=found(WordsQuery(sort="newest", limit=NEW_BOOKS_AT_HOME)),
            largest=largest,
            shelf=shelf(SubjectQuery(subject=largest, limit=BOOKS_ON_A_SHELF)) if largest else None,
        )

    @pages.get("/subjects/<any_text:subject>")
    def subject(subject: str) -> Response:
        place = {"cursor": request.args["cursor"]} if request.args.get("cursor") else {}
        books = shelf(convert({"subject": subject, "limit": BOOKS_ON_A_PAGE, **place}, SubjectQuery))
        known = bool(books.total)
        page = render_template(
            "subject.html",
            subject=subject,
            books=books,
            subjects=() if known else most_populous_subjects().subjects,
        )
        return make_response(page, 200 if known else 404)

    @pages.get("/search")
    def search() -> str:
        # An empty field of a form does not narrow.
        asked = {name: value for name, value in request.args.items() if value.strip()}
        if not asked.get("q") and asked.get("sort") == "relevance":
            del asked["sort"]
        query = convert({**asked, "limit": BOOKS_ON_A_PAGE}, WordsQuery)
        books = found(query)
        kept = {name: asked[name] for name in ("q", *FILTERS, "sort") if name in asked}
        return render_template(
            "search.html",
            query=query,
            kept=kept,
            filters=[name for name in FILTERS if name in kept],
            facets={name: books.facets.get(name, ())[:VALUES_OF_A_FACET] for name in FACETS},
            books=books,
            subjects=() if books.total else most_populous_subjects().subjects,
        )
