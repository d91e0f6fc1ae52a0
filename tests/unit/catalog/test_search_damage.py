"""Damaged files of the search index: nothing is lost, since the index is made anew from the database."""

from collections.abc import Sequence
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from bazar.catalog.search.index import BookIndex
from bazar.catalog.search.index_writer import IndexWriter
from bazar.catalog.use_cases.search_books import IndexEntry, IndexNotReady
from bazar.contracts.books import WordsQuery

BOOKS = 50
QUERY = WordsQuery(q="red lighthouse", sort="relevance")


class Shelf:
    """The books 1 to BOOKS, added one after the other and never changed."""

    def position(self) -> tuple[str, int]:
        return "epoch", BOOKS

    def changed_after(self, number: int, limit: int) -> list[tuple[int, int]]:
        return [(one, one) for one in range(number + 1, BOOKS + 1)][:limit]

    def entries(self, item_numbers: Sequence[int]) -> list[IndexEntry]:
        return [IndexEntry(one, "Red lighthouse", (), (), None, None, None, "", 100, 1, one) for one in item_numbers]

    def all_entries(self, after_item_number: int, limit: int) -> list[IndexEntry]:
        return self.entries(range(after_item_number + 1, BOOKS + 1)[:limit])


def written(folder: Path) -> BookIndex:
    """The index of the folder after so many steps of a writer that it has all there is."""
    index = BookIndex(folder)
    writer = IndexWriter(index, Shelf(), count().__next__)
    for _ in range(20):
        writer.step()
    return index


@pytest.mark.parametrize("damage", ["removed", "flipped"])
@pytest.mark.parametrize("ending", ["term", "idx", "pos", "fast"])
def test_an_index_that_cannot_be_read_is_said_and_built_anew(tmp_path: Path, ending: str, damage: str) -> None:
    with closing(written(tmp_path)) as index:
        assert index.find(QUERY, 0, 99).total == BOOKS
    files = list(tmp_path.rglob(f"*.{ending}"))
    assert files
    for file in files:
        content = file.read_bytes()
        file.unlink()
        if damage == "flipped":
            file.write_bytes(bytes(255 - byte for byte in content))
    with closing(BookIndex(tmp_path)) as reader:
        try:
            total = reader.find(QUERY, 0, 99).total
        except IndexNotReady:
            assert not reader.ready
        else:  # tantivy did not need what is damaged for this
            assert total == BOOKS
    with closing(written(tmp_path)) as index:
        assert index.find(QUERY, 0, 99).total == BOOKS
