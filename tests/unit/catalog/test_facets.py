"""How facets are counted over many hits, and estimated over very many."""

from collections import Counter
from collections.abc import Sequence

import pytest
import tantivy

from bazar.catalog.search import facets
from bazar.catalog.search.facets import Facets
from bazar.catalog.search.schema import document, schema
from bazar.catalog.use_cases.search_books import IndexEntry
from bazar.contracts.books import ESTIMATED_FACETS, FacetCount

SCHEMA = schema()
ALL = tantivy.Query.all_query()


def book(number: int, *, authors: Sequence[str] = (), subjects: Sequence[str] = (), stock: int = 1) -> IndexEntry:
    return IndexEntry(
        item_number=number,
        title="x",
        authors=tuple(authors),
        subjects=tuple(subjects),
        isbn=None,
        language="en",
        year=None,
        blurb="",
        price_minor=number % 2_000,
        stock=stock,
        added_at_us=0,
    )


def searcher_of(*segments: Sequence[IndexEntry]) -> tantivy.Searcher:
    index = tantivy.Index(SCHEMA)
    writer = index.writer(15_000_000, 1)
    for segment in segments:
        for entry in segment:
            writer.add_document(document(entry))
        writer.commit()
    index.reload()
    return index.searcher()


@pytest.mark.parametrize("told_in_full", [0, 50_000])
def test_names_spread_unevenly_over_a_large_catalogue_are_counted_exactly(
    monkeypatch: pytest.MonkeyPatch, told_in_full: int
) -> None:
    monkeypatch.setattr(facets, "_TOLD_IN_FULL", told_in_full)
    # Of this many names a segment does not tell the rarest of all: each often has one book that is left out there.
    rare = [book(n, authors=(f"rare {n // 2}",)) for n in range(2, 2_402)]
    lone = [book(3_000 + n, authors=(f"often {n}",)) for n in range(20)]
    often = [book(4_000 + n, authors=(f"often {n % 20}",)) for n in range(20 * 10)]
    searcher, total = searcher_of([*rare, *lone], often), len(rare) + len(lone) + len(often)
    for authors in (
        Facets(SCHEMA).of(searcher, ALL, total)["author"],
        Facets(SCHEMA).most_frequent(searcher, ALL, "author"),
    ):
        assert {(value.value, value.count) for value in authors} == {(f"often {n}", 11) for n in range(20)}


SHELF = [
    book(n, authors=(f"author {n % 3}",), subjects=("sea", "ships") if n % 10 == 0 else ("sea",), stock=n % 4)
    for n in range(1, 8_161)
]


def test_of_very_many_hits_names_are_about_right_and_to_two_digits_and_the_rest_is_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searcher = searcher_of(SHELF[::2], SHELF[1::2])
    exact = Facets(SCHEMA).of(searcher, ALL, len(SHELF))
    monkeypatch.setattr(facets, "MOST_HITS_COUNTED", len(SHELF) - 1)
    estimated = Facets(SCHEMA).of(searcher, ALL, len(SHELF))
    assert exact["subject"] == (FacetCount("sea", len(SHELF)), FacetCount("ships", len(SHELF) // 10))
    assert estimated["subject"][0] == FacetCount("sea", 8_100)  # of 8,160, and not more than there are
    for facet, values in exact.items():
        if facet not in ESTIMATED_FACETS:
            assert estimated[facet] == values
            continue
        told = {value.value: value.count for value in estimated[facet]}
        assert told.keys() == {value.value for value in values}
        for value in values:
            assert value.count * 0.75 < told[value.value] < value.count * 1.25
            assert len(str(told[value.value]).rstrip("0")) <= 2
        assert told != {value.value: value.count for value in values}


def test_as_many_hits_as_may_be_counted_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "MOST_HITS_COUNTED", 100)
    shelf = SHELF[:100]
    counted = Facets(SCHEMA).of(searcher_of(shelf), ALL, len(shelf))
    authors = Counter(author for entry in shelf for author in entry.authors)
    assert {value.value: value.count for value in counted["author"]} == authors


def test_a_sample_without_a_hit_leaves_the_names_out_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "MOST_HITS_COUNTED", 0)
    alone = next(entry for entry in SHELF if not _is_in_sample(entry))
    found = Facets(SCHEMA).of(searcher_of([alone]), ALL, 1)
    assert {facet: len(values) for facet, values in found.items()} == {
        **dict.fromkeys(ESTIMATED_FACETS, 0),
        **dict.fromkeys(("language", "price", "in_stock"), 1),
    }


def _is_in_sample(entry: IndexEntry) -> bool:
    in_sample = tantivy.Query.term_query(SCHEMA, "in_sample", True)
    return bool(searcher_of([entry]).search(in_sample, 1).hits)
