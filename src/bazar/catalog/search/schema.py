"""What the index keeps of a book. Columns hold numbers only: reading a text column costs 10 µs a value."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import cast

import tantivy

from bazar.catalog.domain.text import normalise, words
from bazar.catalog.use_cases.search_books import IndexEntry
from bazar.contracts.books import FEW_COPIES

#: Part of the index's folder name: to be raised with every change of what is indexed, or how.
VERSION = 5

#: Fields with words, and what a word found there is worth.
WORD_FIELDS = {"title": 4.0, "authors": 3.0, "subjects": 2.0, "blurb": 1.0}
#: Columns with the ids of names (see name_id), by the facet that counts them.
NAME_FIELDS = {"subject": "subject_id", "author": "author_id", "language": "language_id"}
#: A title is sorted by its first 48 letters (bytes of UTF-8), eight to a column.
TITLE_COLUMNS = tuple(f"title_{part}" for part in range(1, 7))
#: One book of so many is in the sample that facets of very many hits are estimated from.
BOOKS_TO_ONE_OF_SAMPLE = 32

#: A word is compared by so many letters.
LONGEST_WORD = 64

_BYTES_A_COLUMN = 8
#: The low bits of a column to sort by hold the item number, so that no two books are equal in it.
ITEM_BITS = 34
_ITEM_MASK = (1 << ITEM_BITS) - 1
_LATEST_SECOND = (1 << (64 - ITEM_BITS)) - 1
_2020 = 1_577_836_800

_INITIALS = re.compile(r"\b\w(?: \w\b)+")


def schema() -> tantivy.Schema:
    """The fields of the index."""
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("item_number", indexed=True, fast=True)
    builder.add_unsigned_field("fingerprint", fast=True)
    for field in WORD_FIELDS:
        # The words come ready-made, see domain/text.py, so that blanks are all there is to split at.
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("isbn", tokenizer_name="raw", index_option="basic")
    for field in NAME_FIELDS.values():
        builder.add_unsigned_field(field, indexed=True, fast=True)
    builder.add_bytes_field("names", stored=True)
    builder.add_unsigned_field("price", indexed=True, fast=True)
    builder.add_boolean_field("in_stock", indexed=True, fast=True)
    builder.add_boolean_field("is_low", indexed=True)
    builder.add_boolean_field("in_sample", indexed=True)
    for column in (*TITLE_COLUMNS, "price_order", "added_order", "copies_order"):
        builder.add_unsigned_field(column, fast=True)
    return builder.build()


def document(entry: IndexEntry) -> tantivy.Document:
    """The entry as the index keeps it."""
    made = tantivy.Document()
    made.add_unsigned("item_number", entry.item_number)
    made.add_unsigned("fingerprint", fingerprint(entry))
    title = folded(entry.title)
    made.add_text("title", title)
    for author in entry.authors:
        made.add_text("authors", _with_initials(folded(author)))
    for subject in entry.subjects:
        made.add_text("subjects", folded(subject))
    made.add_text("blurb", folded(entry.blurb))
    if entry.isbn is not None:
        made.add_text("isbn", entry.isbn)
    names = names_by_facet(entry)
    for facet, field in NAME_FIELDS.items():
        for name in names[facet]:
            made.add_unsigned(field, name_id(name))
    made.add_bytes("names", json.dumps(names).encode())
    made.add_unsigned("price", entry.price_minor)
    made.add_boolean("in_stock", entry.stock > 0)
    made.add_boolean("is_low", entry.stock <= FEW_COPIES)
    # By chance and not every so many-th: a list that is imported may have an order of its own.
    made.add_boolean("in_sample", name_id(str(entry.item_number)) % BOOKS_TO_ONE_OF_SAMPLE == 0)
    made.add_unsigned("copies_order", ordered(_copies_told_apart(entry), entry.item_number))
    for column, value in zip(TITLE_COLUMNS, _title_order(title), strict=True):
        made.add_unsigned(column, value)
    made.add_unsigned("price_order", ordered(entry.price_minor, entry.item_number))
    second = min(max(entry.added_at_us // 1_000_000 - _2020, 0), _LATEST_SECOND)
    made.add_unsigned("added_order", ordered(second, entry.item_number))
    return made


def folded(text: str) -> str:
    """The words of a text, as they are searched, with blanks between them."""
    return " ".join(word[:LONGEST_WORD] for word in words(text))


def name_id(name: str) -> int:
    """The number that stands for a subject, author or language, however it is written; 63 bits."""
    key = normalise(name).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) >> 1


def names_by_facet(entry: IndexEntry) -> dict[str, tuple[str, ...]]:
    """The names as they are written, by facet."""
    language = () if entry.language is None else (entry.language,)
    return {"subject": entry.subjects, "author": entry.authors, "language": language}


def fingerprint(entry: IndexEntry) -> int:
    """Differs where the index would have to say something else of the book; 63 bits.

    Of the stock only how many of the last FEW_COPIES there are: most purchases then leave the index as it is.
    """
    indexed = (*(getattr(entry, name) for name in _INDEXED_AS_THEY_ARE), _copies_told_apart(entry))
    digest = hashlib.blake2b(repr(indexed).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def numbers(searcher: tantivy.Searcher, column: str, addresses: Sequence[tantivy.DocAddress]) -> list[int]:
    """The values of a column that each of the books has."""
    return cast("list[int]", searcher.fast_field_values(column, list(addresses)))


def ordered(value: int, item_number: int) -> int:
    """A number that sorts by ``value`` (at most 30 bits), then by item number."""
    return value << ITEM_BITS | item_number & _ITEM_MASK


_INDEXED_AS_THEY_ARE = tuple(name for name in IndexEntry.__dataclass_fields__ if name != "stock")


def _copies_told_apart(entry: IndexEntry) -> int:
    return min(entry.stock, FEW_COPIES + 1)


def _title_order(title: str) -> list[int]:
    letters = title.encode().ljust(_BYTES_A_COLUMN * len(TITLE_COLUMNS), b"\0")
    return [
        int.from_bytes(letters[part * _BYTES_A_COLUMN : (part + 1) * _BYTES_A_COLUMN])
        for part in range(len(TITLE_COLUMNS))
    ]


def _with_initials(name: str) -> str:
    """``j r r tolkien`` is asked for as ``jrr tolkien`` just as often: both are found."""
    return " ".join([name, *(initials.replace(" ", "") for initials in _INITIALS.findall(name))])
