"""The loop that keeps the index up with the database, whatever happens to it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bazar.catalog.search.index import BookIndex, Position
from bazar.catalog.search.index_writer import COMMIT_PAUSE_SECONDS, POLL_SECONDS, IndexWriter
from bazar.catalog.use_cases.search_books import IndexEntry
from bazar.contracts.books import FEW_COPIES, WordsQuery

DEADLINE_SECONDS = 10.0


class Away(Exception):
    """The database does not answer."""


class FakeSource:
    """A database of books with its feed of changes; fails so many times as it is told."""

    def __init__(self) -> None:
        self.epoch = "first"
        self.books: dict[int, IndexEntry] = {}
        self.feed: list[int] = []
        self.failures = 0

    def put(self, number: int, title: str, stock: int = 1) -> None:
        self.books[number] = IndexEntry(number, title, (), (), None, None, None, "", 100, stock, number)
        self.feed.append(number)

    def withdraw(self, number: int) -> None:
        self.books.pop(number, None)
        self.feed.append(number)

    def position(self) -> tuple[str, int]:
        return self.epoch, len(self.feed)

    def changed_after(self, number: int, limit: int) -> list[tuple[int, int]]:
        return list(enumerate(self.feed, 1))[number : number + limit]

    def entries(self, item_numbers: Sequence[int]) -> list[IndexEntry]:
        if self.failures:
            self.failures -= 1
            raise Away
        return [self.books[number] for number in item_numbers if number in self.books]

    def all_entries(self, after_item_number: int, limit: int) -> list[IndexEntry]:
        return [self.books[number] for number in sorted(self.books) if number > after_item_number][:limit]


class Shop:
    """A source, its index and its writer, with a monotonic clock that only moves when told."""

    def __init__(self, folder: Path, source: FakeSource | None = None) -> None:
        self.folder = folder
        self.source = source or FakeSource()
        self.now = 0.0
        self.open()

    def open(self) -> None:
        self.index = BookIndex(self.folder)
        self.writer = IndexWriter(self.index, self.source, lambda: self.now)

    def catch_up(self) -> None:
        """Rounds until the writer has nothing more to do."""
        self.now += COMMIT_PAUSE_SECONDS
        while (rest := self.writer.step()) != POLL_SECONDS:
            self.now += rest

    def titles(self) -> dict[int, str]:
        """What the index finds, by looking for each title that there is or was."""
        hits = self.index.find(WordsQuery(sort="title"), 0, 100)
        assert hits.total == len(hits.item_numbers)
        return {
            number: word
            for word in ("red", "green", "blue")
            for number in self.index.find(WordsQuery(q=word, sort="title"), 0, 100).item_numbers
        }

    def position_file(self) -> Path:
        [found] = self.folder.glob("*/position.json")
        return found

    def committed(self) -> bytes:
        [found] = self.folder.glob("*/meta.json")
        return found.read_bytes()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    made.source.put(1, "red")
    made.source.put(2, "green")
    made.catch_up()
    yield made
    made.writer.stop()


def test_a_new_index_is_built_from_the_database(shop: Shop) -> None:
    assert shop.titles() == {1: "red", 2: "green"}


def test_what_changes_is_found_and_what_is_withdrawn_is_not(shop: Shop) -> None:
    shop.source.put(1, "blue")
    shop.source.withdraw(2)
    shop.source.put(3, "red")
    shop.source.withdraw(4)
    shop.catch_up()
    assert shop.titles() == {1: "blue", 3: "red"}


def test_a_purchase_that_leaves_copies_costs_no_commit(shop: Shop) -> None:
    shop.source.put(1, "red", stock=7)
    shop.catch_up()
    before = shop.committed()
    shop.source.put(1, "red", stock=FEW_COPIES + 1)
    shop.catch_up()
    assert shop.committed() == before
    shop.source.put(1, "red", stock=0)
    shop.catch_up()
    assert shop.committed() != before
    assert shop.index.find(WordsQuery(in_stock=False, sort="title"), 0, 9).item_numbers == (1,)


def test_what_runs_low_is_found_the_fewest_copies_first_and_follows_each_sale(shop: Shop) -> None:
    for number, stock in ((1, 3), (2, 0), (3, 4), (4, 1), (5, 0)):
        shop.source.put(number, "red", stock=stock)
    shop.catch_up()
    found = shop.index.low_stock(0, 9)
    assert (found.item_numbers, found.total, found.facets) == ((2, 5, 4, 1), 4, {})
    assert shop.index.low_stock(1, 3).item_numbers == (5, 4)
    for number, stock in ((3, 3), (4, 2), (5, 9)):
        shop.source.put(number, "red", stock=stock)
    shop.catch_up()
    assert shop.index.low_stock(0, 9).item_numbers == (2, 4, 1, 3)


def test_changes_are_gathered_between_commits_but_the_first_after_quiet_is_seen_at_once(shop: Shop) -> None:
    shop.now += 60
    shop.source.put(3, "blue")
    assert shop.writer.step() == COMMIT_PAUSE_SECONDS
    assert 3 in shop.titles()
    shop.source.put(4, "blue")
    shop.now += COMMIT_PAUSE_SECONDS / 2
    assert shop.writer.step() == pytest.approx(COMMIT_PAUSE_SECONDS / 2)
    assert 4 not in shop.titles()
    shop.now += COMMIT_PAUSE_SECONDS / 2
    shop.writer.step()
    assert 4 in shop.titles()


def test_an_import_is_taken_in_without_rests(shop: Shop) -> None:
    for number in range(10, 12_010):
        shop.source.put(number, "blue")
    shop.now += 60
    rests = [shop.writer.step() for _ in range(3)]
    assert rests == [0, 0, COMMIT_PAUSE_SECONDS]
    assert shop.index.find(WordsQuery(q="blue", sort="title"), 0, 1).total == 12_000


def test_a_database_that_is_away_loses_nothing(shop: Shop) -> None:
    shop.source.put(3, "blue")
    shop.source.failures = 2
    shop.now += 60
    for _ in range(2):
        with pytest.raises(Away):
            shop.writer.step()
    shop.catch_up()
    assert shop.titles()[3] == "blue"


def test_another_epoch_makes_everything_anew(shop: Shop) -> None:
    shop.source.epoch = "second"
    shop.source.books[5] = replace(shop.source.books.pop(1), item_number=5)
    shop.catch_up()
    assert shop.titles() == {2: "green", 5: "red"}


def test_an_index_ahead_of_the_feed_is_made_anew(shop: Shop) -> None:
    shop.source.feed.pop()
    del shop.source.books[2]
    shop.catch_up()
    assert shop.titles() == {1: "red"}


def test_a_rebuild_longer_than_one_read_is_searched_only_when_it_is_whole(shop: Shop) -> None:
    for number in range(10, 1_510):
        shop.source.put(number, "blue")
    shop.source.epoch = "second"
    totals = set()
    for _ in range(6):
        shop.now += 60
        shop.writer.step()
        totals.add(shop.index.find(WordsQuery(sort="title"), 0, 1).total)
    assert totals == {2, 1_502}


def _cut_short(files: Path) -> None:
    for file in files.glob("*.fast"):
        os.truncate(file, 5)


def _forget_position(files: Path) -> None:
    (files / "position.json").write_bytes(b"")


def _lose_files(files: Path) -> None:
    for file in files.glob("*.term"):
        file.unlink()


def _lose_index(files: Path) -> None:
    for file in [*files.glob("meta.json"), *files.glob("*.*")]:
        if file.name != "position.json":
            file.unlink(missing_ok=True)


def _scramble_meta(files: Path) -> None:
    (files / "meta.json").write_bytes(b"{")


DAMAGES = [_cut_short, _forget_position, _lose_files, _lose_index, _scramble_meta]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_made_anew(shop: Shop, damage: Callable[[Path], None]) -> None:
    shop.writer.stop()
    damage(shop.position_file().parent)
    shop.open()
    assert not shop.index.ready
    shop.catch_up()
    assert shop.titles() == {1: "red", 2: "green"}


def test_an_index_of_another_version_is_left_until_this_one_writes(tmp_path: Path) -> None:
    other = tmp_path / "books-0"
    other.mkdir()
    shop = Shop(tmp_path)
    assert other.exists()
    shop.catch_up()
    assert not other.exists()
    shop.writer.stop()


def test_a_second_writer_waits_while_its_searches_work(shop: Shop) -> None:
    second = Shop(shop.folder, shop.source)
    assert second.titles() == {1: "red", 2: "green"}
    shop.source.put(3, "blue")
    assert second.writer.step() > 0
    assert 3 not in second.titles()
    shop.catch_up()
    second.writer.step()
    assert second.titles()[3] == "blue"
    shop.writer.stop()
    shop.source.put(4, "red")
    second.catch_up()
    assert second.titles() == {1: "red", 2: "green", 3: "blue", 4: "red"}
    second.writer.stop()


@pytest.mark.parametrize("commits", range(7, 13))
def test_a_closed_index_writes_nothing_more(tmp_path: Path, commits: int) -> None:
    index = BookIndex(tmp_path / "index")
    assert index.acquire()
    index.begin_rebuild()
    for commit in range(commits):
        first = commit * 300 + 1
        index.add([IndexEntry(n, "blue", (), (), None, None, None, "", 100, 1, n) for n in range(first, first + 300)])
        index.commit(Position("first", commit))
    index.close()
    shutil.rmtree(tmp_path / "index")


CHANGES = st.tuples(st.integers(1, 6), st.sampled_from(["red", "green", "blue", None]), st.integers(0, 2))
CRASHES = st.sampled_from(["none", "before the commit", "before the position is remembered"])


@settings(max_examples=20, deadline=None)
@given(rounds=st.lists(st.tuples(st.lists(CHANGES, max_size=5), CRASHES), max_size=5))
def test_after_any_crash_the_index_says_what_the_database_says(
    rounds: list[tuple[list[tuple[int, str | None, int]], str]],
) -> None:
    with TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        shop.catch_up()
        for changes, crash in rounds:
            for number, title, stock in changes:
                if title is None:
                    shop.source.withdraw(number)
                else:
                    shop.source.put(number, title, stock)
            remembered = shop.position_file().read_bytes()
            if crash == "before the commit":
                assert shop.index.acquire()
                shop.index.update(list(range(1, 7)), list(shop.source.books.values()))
            else:
                shop.catch_up()
            if crash != "none":
                shop.writer.stop()
                shop.position_file().write_bytes(remembered)
                shop.open()
        shop.catch_up()
        assert shop.titles() == {number: entry.title for number, entry in shop.source.books.items()}
        in_stock = shop.index.find(WordsQuery(in_stock=True, sort="title"), 0, 9).item_numbers
        assert set(in_stock) == {number for number, entry in shop.source.books.items() if entry.stock}
        shop.writer.stop()


KILLED = """
import os, signal, sys
from pathlib import Path
from bazar.catalog.search.index import BookIndex, Position
from bazar.catalog.use_cases.search_books import IndexEntry

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Doomed:
    def __init__(self, writer):
        self.writer = writer
    def __getattr__(self, name):
        return die if (name, sys.argv[2]) == ("commit", "before") else getattr(self.writer, name)

class Killed(BookIndex):
    def _open_writer(self):
        return Doomed(super()._open_writer())
    def refresh(self):
        if self.dying and sys.argv[2] == "after":
            die()
        super().refresh()
    def _write_position(self, position):
        if sys.argv[2] == "between":
            die()
        super()._write_position(position)
    dying = False

index = Killed(Path(sys.argv[1]))
assert index.acquire()
numbers = list(range(100, 3100))
index.update(numbers, [IndexEntry(n, "blue", (), (), None, None, None, "", 1, 1, 1) for n in numbers])
index.dying = True
index.commit(Position("first", 2 + len(numbers)))
"""


@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_a_writer_killed_at_a_commit_is_followed_by_another(shop: Shop, moment: str) -> None:
    shop.writer.stop()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(shop.folder), moment],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    for number in range(100, 3_100):
        shop.source.put(number, "blue")
    shop.open()
    shop.catch_up()
    found = shop.index.find(WordsQuery(sort="newest"), 0, 9)
    assert found.total == 3_002
    assert shop.index.find(WordsQuery(q="blue", sort="newest"), 0, 9).total == 3_000


def test_the_loop_follows_by_itself_until_it_is_stopped(tmp_path: Path) -> None:
    source = FakeSource()
    index = BookIndex(tmp_path)
    writer = IndexWriter(index, source)
    writer.start()
    source.put(1, "red")
    writer.wake()
    until = time.monotonic() + DEADLINE_SECONDS
    while not (index.position and index.position.number == 1):
        assert time.monotonic() < until
    assert index.find(WordsQuery(q="red", sort="title"), 0, 9).item_numbers == (1,)
    writer.stop()
    with closing(BookIndex(tmp_path)) as next_writer:
        assert next_writer.acquire()
