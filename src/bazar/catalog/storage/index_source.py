"""What the search index is made from."""

from collections.abc import Sequence

from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.ports import StoredBook
from bazar.catalog.use_cases.search_books import IndexEntry
from bazar.contracts.times import microseconds


class IndexSource:
    """Reads books and the feed for the index writer, each call in a transaction of its own."""

    def __init__(self, store: CatalogStore) -> None:
        self._store = store

    def position(self) -> tuple[str, int]:
        """Epoch of the feed, and the number of its last change."""
        with self._store.reading() as tx:
            epoch, _, last = tx.position().rpartition("-")
        return epoch, int(last)

    def changed_after(self, number: int, limit: int) -> list[tuple[int, int]]:
        """(number of the change, item number), ascending."""
        with self._store.reading() as tx:
            _, _, found = tx.changes_after(number, limit)
        return [(change.number, change.item_number) for change in found]

    def entries(self, item_numbers: Sequence[int]) -> list[IndexEntry]:
        """Those of the books that are sold."""
        with self._store.reading() as tx:
            return [_entry(book) for book in tx.books(item_numbers)]

    def all_entries(self, after_item_number: int, limit: int) -> list[IndexEntry]:
        """Books that are sold, in ascending order of their numbers."""
        with self._store.reading() as tx:
            return [_entry(book) for book in tx.books_from(after_item_number, limit)]


def _entry(book: StoredBook) -> IndexEntry:
    return IndexEntry(
        item_number=book.item_number,
        title=book.title,
        authors=book.authors,
        subjects=book.subjects,
        isbn=book.isbn,
        language=book.language,
        year=book.year,
        blurb=book.blurb,
        price_minor=book.price_minor,
        stock=book.stock,
        added_at_us=microseconds(book.added_at),
    )
