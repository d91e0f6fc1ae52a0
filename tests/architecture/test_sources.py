"""What the sources say, and how long they are."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bazar

SOURCE = Path(bazar.__file__).parent
REPOSITORY = SOURCE.parent.parent
MOST_LINES = 400
#: Names that draw in whatever has no other place.
ATTRACTORS = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
#: What the chassis of a library, or of a bakery, would have no use for.
BOOK_STORE_WORDS = {
    *("basket", "book", "bookseller", "bookshop", "buy", "buyer", "catalog", "catalogue", "customer", "isbn"),
    *("order", "price", "purchase", "sale", "sell", "shop", "stock"),
}
#: "order" as every trade uses it.
SEQUENCE = re.compile(r"\b(in|the|ascending|descending) order\b")


def files(folder: Path, *suffixes: str) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix in suffixes and "__pycache__" not in file.parts)


def words_of(text: str) -> Iterator[str]:
    """The words of identifiers, strings and comments, in lower case, with and without an s at the end."""
    for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", SEQUENCE.sub("", text)):
        yield word.lower()
        yield word.lower().removesuffix("s")


def test_the_words_of_a_text_are_seen_in_every_spelling() -> None:
    text = "bookStore OrderIds UNIT_PRICE # sells in order of the shops' catalogue"
    assert BOOK_STORE_WORDS & set(words_of(text)) == {"book", "order", "price", "sell", "shop", "catalogue"}


@pytest.mark.parametrize("file", files(SOURCE / "chassis", ".py"), ids=lambda file: file.name)
def test_the_chassis_knows_no_word_of_a_book_store(file: Path) -> None:
    if file.name == "__init__.py":
        return  # says what the chassis is not
    found = BOOK_STORE_WORDS & set(words_of(file.read_text()))
    assert found == set()


def test_no_file_is_longer_than_it_can_be_read_at_once() -> None:
    looked_at = [*files(SOURCE, ".py", ".html", ".css"), *files(REPOSITORY / "tests", ".py")]
    lengths = {file: file.read_text().count("\n") for file in looked_at}
    assert [file for file, lines in lengths.items() if lines > MOST_LINES] == []


def test_every_file_is_named_for_what_is_in_it() -> None:
    looked_at = [*files(SOURCE, ".py"), *files(REPOSITORY / "tests", ".py")]
    assert [file for file in looked_at if set(file.stem.split("_")) & ATTRACTORS] == []


@pytest.mark.parametrize("file", files(SOURCE / "contracts", ".py"), ids=lambda file: file.name)
def test_the_contracts_import_msgspec_and_the_standard_library_alone(file: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
    strangers = {name for name in imported if name.split(".")[0] not in {*sys.stdlib_module_names, "msgspec"}}
    assert {name for name in strangers if not name.startswith("bazar.contracts")} == set()
