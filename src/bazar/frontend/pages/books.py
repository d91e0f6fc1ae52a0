"""One book: what there is to know of it, and more of its author and of its shelf."""

from decimal import Decimal
from typing import Any

from flask import Blueprint, g, render_template

from bazar.chassis.freshness import made_of
from bazar.contracts.amounts import minor_digits
from bazar.contracts.books import MOST_COPIES_A_LINE, Book, BookSummary, NewestQuery
from bazar.frontend.domain.errors import BadRequest, NeighbourAway
from bazar.frontend.domain.shared_pages import Place
from bazar.frontend.pages import positions
from bazar.frontend.pages.browse import BOOKS_ON_A_SHELF
from bazar.frontend.pages.notices import Notice
from bazar.frontend.pages.optional import optional_deadline
from bazar.frontend.pages.sessions import shared_page
from bazar.frontend.use_cases.baskets import new_purchase_key
from bazar.frontend.use_cases.ports import Catalog


class BookPages:
    """Shows a book; whoever sells it may show it with a notice of what became of that."""

    def __init__(self, catalog: Catalog, public_url: str) -> None:
        self._catalog = catalog
        self._public_url = public_url

    def mount(self, pages: Blueprint) -> None:
        """``/books/<item_number>``."""

        @pages.get("/books/<item_number:item_number>")
        def book(item_number: int) -> str:
            return self.page(item_number)

    def page(self, item_number: int, notice: Notice | None = None) -> str:
        """The page; raises UnknownBook, NeighbourAway."""
        book = self.find(item_number)
        address = f"{self._public_url}/books/{item_number}"
        return render_template(
            "book.html",
            book=book,
            notice=notice,
            key=_purchase_key(),
            most_copies=min(book.quantity, MOST_COPIES_A_LINE),
            address=address,
            structured=structured_data(book, address),
            by_author=self._others(book, NewestQuery(author=book.authors[0], limit=BOOKS_ON_A_SHELF + 1))
            if book.authors
            else (),
            on_shelf=self._others(book, NewestQuery(subject=book.subjects[0], limit=BOOKS_ON_A_SHELF + 1))
            if book.subjects
            else (),
        )

    def find(self, item_number: int) -> Book:
        """The book as it is now."""
        seen = self._catalog.book(item_number, g.deadline)
        positions.note(seen.position)
        made_of([item_number], seen.position)
        return seen.answer

    def _others(self, book: Book, query: NewestQuery) -> tuple[BookSummary, ...]:
        """What the query finds besides the book; nothing where that takes long, while the index is built say."""
        soon = optional_deadline()
        try:
            seen = self._catalog.newest(query, soon)
        except (NeighbourAway, BadRequest):
            made_of((), None)  # not kept: they come back
            return ()
        found = seen.answer.items
        made_of((other.item_number for other in found), seen.position, lists=True)
        return tuple(other for other in found if other.item_number != book.item_number)[:BOOKS_ON_A_SHELF]


def _purchase_key() -> str:
    shared = shared_page()
    return new_purchase_key() if shared is None else shared.marks.of(Place.PURCHASE_KEY)


def structured_data(book: Book, address: str) -> dict[str, Any]:
    """The book and its offer in the words of schema.org, for search engines; as JSON-LD it is no script."""
    digits = minor_digits(book.price.currency)
    facts = {
        "@context": "https://schema.org",
        "@type": "Book",
        "@id": address,
        "url": address,
        "name": book.title,
        "author": [{"@type": "Person", "name": author} for author in book.authors],
        "about": list(book.subjects),
        "isbn": book.isbn,
        "inLanguage": book.language,
        "datePublished": f"{book.year:04d}" if book.year is not None and book.year > 0 else None,
        "description": book.blurb,
        "offers": {
            "@type": "Offer",
            "url": address,
            "price": str(Decimal(book.price.amount).scaleb(-digits)),
            "priceCurrency": book.price.currency,
            "availability": f"https://schema.org/{'InStock' if book.quantity else 'OutOfStock'}",
            "itemCondition": "https://schema.org/NewCondition",
        },
    }
    return {name: value for name, value in facts.items() if value}
