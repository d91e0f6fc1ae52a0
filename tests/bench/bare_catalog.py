"""A catalog of any number of titles without a server: built once, then asked in a process of its own."""

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import bazar.catalog.wiring
from bazar.catalog.search.index import BookIndex
from bazar.catalog.search.index_writer import COMMIT_PAUSE_SECONDS, IndexWriter
from bazar.catalog.storage.index_source import IndexSource
from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.look_up import LookUp
from bazar.catalog.use_cases.search_books import SearchBooks
from bazar.chassis.clock import system_clock
from bazar.chassis.database import Database
from bazar.chassis.logging import configure_logging
from bazar.chassis.migrations import migrate
from bazar.cli.generated_books import generated_rows
from bazar.contracts.books import ImportBooks, ImportedBook, NewBook, Price, SubjectQuery, SuggestQuery, WordsQuery
from bazar.contracts.names import CATALOG, OPERATOR

CURRENCY = "USD"
ROWS_TOGETHER = 1000
#: Words and subjects to ask for are drawn from so many titles.
SAMPLE = 1000
#: Longer words are rare ones, and have room for a mistake.
LETTERS_OF_A_RARE_WORD = 7
#: After so many the shop window begins to suggest something worth reading.
TYPED_LETTERS = 3


@dataclass(frozen=True)
class Cost:
    """Of one question, in milliseconds: on the clock, and of CPU."""

    wall_ms: float
    cpu_ms: float


def build(folder: Path, titles: int) -> None:
    """Import generated books, and index them."""
    configure_logging(CATALOG, "text", "ERROR")
    folder.mkdir()
    with closing(_database(folder)) as database:
        migrate(database, bazar.catalog.wiring.MIGRATIONS)
        store = CatalogStore(database)
        with store.writing() as tx:
            tx.begin_feed()
        keep_stock, rows = KeepStock(store, system_clock, CURRENCY), generated_rows(titles, seed=1)
        while books := tuple(map(_book, islice(rows, ROWS_TOGETHER))):
            outcome, _ = keep_stock.import_books(ImportBooks(actor=OPERATOR, source="generated", rows=books))
            assert outcome.added == len(books), outcome.rejected
        index = BookIndex(folder / "search")
        source = IndexSource(store)
        writer = IndexWriter(index, source)
        while index.position is None or index.position.number < source.position()[1]:
            time.sleep(min(writer.step(), COMMIT_PAUSE_SECONDS))
        index.close()


class Shelves:
    """What ``build`` made, opened in a process of its own."""

    def __init__(self, folder: Path, titles: int) -> None:
        here, there = get_context("spawn").Pipe()
        self._pipe = here
        self._process = get_context("spawn").Process(target=_answer, args=(folder, titles, there), daemon=True)
        self._process.start()

    def ask(self, kind: str, seconds: float, seed: int) -> tuple[list[Cost], float]:
        """Ask for so long, one question after the other; also the process's own memory (RssAnon) in megabytes."""
        self._pipe.send((kind, seconds, seed))
        costs, megabytes = self._pipe.recv()
        return costs, megabytes

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def _answer(folder: Path, titles: int, pipe: Connection) -> None:
    store = CatalogStore(_database(folder))
    look_up = LookUp(store, CURRENCY)
    index = BookIndex(folder / "search")
    asked = _questions(look_up, index, titles)
    while True:
        kind, seconds, seed = pipe.recv()
        chance = random.Random(seed)  # noqa: S311 - no secret
        costs = []
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            question = asked[kind](chance)
            index.refresh()  # nothing is remembered: as if the index had just changed
            wall, cpu = time.perf_counter(), time.thread_time()
            question()
            costs.append(Cost((time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000))
        pipe.send((costs, _own_megabytes()))


Question = Callable[[], object]


def _questions(look_up: LookUp, index: BookIndex, titles: int) -> Mapping[str, Callable[[random.Random], Question]]:
    """Of each kind, what draws the next one."""
    search = SearchBooks(index, look_up)
    sample = list(generated_rows(min(titles, SAMPLE), seed=1))
    words = [row[1].lower().split() for row in sample]
    (commonest, _), *_ = Counter(word for title in words for word in title).most_common(1)
    pairs = [" ".join(title[:2]) for title in words]
    mistaken = [_with_a_mistake(word) for title in words for word in title if len(word) >= LETTERS_OF_A_RARE_WORD]
    subjects = sorted({row[3].split(";")[0] for row in sample})

    def found(q: str) -> Question:
        return lambda: search.search(WordsQuery(q=q))

    def found_alone(q: str) -> Question:
        asked = WordsQuery(q=q, sort="relevance")
        return lambda: look_up.summaries(index.find(asked, 0, asked.limit, facets=False).item_numbers)

    def info(chance: random.Random) -> Question:
        number = chance.randint(1, titles)
        return lambda: look_up.book(number)

    def shelf(chance: random.Random) -> Question:
        subject = chance.choice(subjects)
        return lambda: look_up.books_of_subject(SubjectQuery(subject=subject))

    def suggestion(chance: random.Random) -> Question:
        beginning = chance.choice(chance.choice(words))[:TYPED_LETTERS]
        return lambda: search.suggest(SuggestQuery(q=beginning))

    return {
        "info": info,
        "a subject": shelf,
        "a suggestion": suggestion,
        "two words": lambda chance: found(chance.choice(pairs)),
        "two words, without facets": lambda chance: found_alone(chance.choice(pairs)),
        "a typing mistake": lambda chance: found(chance.choice(mistaken)),
        "the commonest word": lambda _: found(commonest),
    }


def _with_a_mistake(word: str) -> str:
    """Two letters in the middle exchanged."""
    return f"{word[:3]}{word[4]}{word[3]}{word[5:]}"


def _book(row: tuple[str, ...]) -> ImportedBook:
    source_id, title, authors, subjects, isbn, language, year, blurb, price, stock = row
    return ImportedBook(
        source_id=source_id,
        book=NewBook(
            title=title,
            authors=tuple(dict.fromkeys(authors.split(";"))),
            subjects=tuple(dict.fromkeys(subjects.split(";"))),
            price=Price(amount=int(price), currency=CURRENCY),
            stock=int(stock),
            isbn=isbn,
            language=language,
            year=int(year),
            blurb=blurb,
        ),
    )


def _database(folder: Path) -> Database:
    return Database(f"sqlite:///{folder / 'catalog.sqlite3'}")


def _own_megabytes() -> float:
    found = re.search(r"^RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024
