"""The search index in its folder: derived from the database, and made anew where it cannot be trusted."""

import fcntl
import json
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import tantivy

from bazar.catalog.search import ordering, suggestions
from bazar.catalog.search.answers import Answers
from bazar.catalog.search.facets import Facets
from bazar.catalog.search.schema import VERSION, document, fingerprint, numbers, schema
from bazar.catalog.use_cases.search_books import Beginnings, Hits, IndexEntry, IndexNotReady
from bazar.chassis.logging import get_logger
from bazar.contracts.books import WordsQuery

#: The least that tantivy takes; more would only make fewer, larger segments of a bulk import.
_WRITER_MEMORY_BYTES = 15_000_000
_FOLDER_PREFIX = "books-"
#: Changes are in the index within a second (ADR 0008).
LONGEST_WAIT_SECONDS = 1.0
WAIT_POLL_SECONDS = 0.01

_log = get_logger(__name__)


class IndexBroken(Exception):
    """The files of the index cannot be read or written."""


@dataclass(frozen=True)
class Position:
    """Up to which change of the feed, and of which epoch, the index is."""

    epoch: str
    number: int


class BookIndex:
    """Searched by many threads; written by one thread of one process, the one that holds the lock.

    ``folder`` holds the lock and a folder per version of the schema, so that an old process goes on searching
    its own while a new one builds the next.
    """

    def __init__(self, folder: Path) -> None:
        self._files = folder / f"{_FOLDER_PREFIX}{VERSION}"
        self._position_file = self._files / "position.json"
        self._lock_file = folder / "writer.lock"
        self._lock: IO[str] | None = None
        self._writer: tantivy.IndexWriter | None = None
        self._schema = schema()
        self._facets = Facets(self._schema)
        self._answers = Answers(self._schema, self._facets)
        self._index: tantivy.Index | None = None
        self._position: Position | None = None
        self.refresh()

    # Searching

    @property
    def ready(self) -> bool:
        """Whether it can be searched."""
        return self._index is not None

    def find(self, asked: WordsQuery, start: int, end: int, *, facets: bool = True) -> Hits:
        """Hits ``start`` up to, not including, ``end``; raises IndexNotReady. ``asked.sort`` is set."""
        # Before the searcher: what that finds is never older than what is remembered.
        answers = self._answers
        with self._searcher() as searcher:
            return answers.find(searcher, asked, start, end, facets=facets)

    def low_stock(self, start: int, end: int) -> Hits:
        """Books of FEW_COPIES at the most, those with the fewest first; raises IndexNotReady."""
        with self._searcher() as searcher:
            few = tantivy.Query.term_query(self._schema, "is_low", True)
            total, item_numbers = ordering.page(searcher, few, ordering.FEWEST_FIRST, start, end)
            return Hits(tuple(item_numbers), total, {})

    def begin_with(self, text: str, limit: int) -> Beginnings:
        """What goes on like ``text``, at most ``limit`` of each kind; raises IndexNotReady."""
        with self._searcher() as searcher:
            return suggestions.begin_with(searcher, self._schema, self._facets, text, limit)

    @contextmanager
    def _searcher(self) -> Iterator[tantivy.Searcher]:
        index = self._index
        if index is None:
            raise IndexNotReady
        try:
            with _broken_is_said():
                yield index.searcher()
        except IndexBroken as error:
            self._distrust(error)
            raise IndexNotReady from error

    def refresh(self) -> None:
        """See what this or another process committed last; what cannot be read counts as not there."""
        position = self._read_position()
        try:
            self._index = None if position is None else self._current()
        except IndexBroken as error:
            _log.warning("search_index_broken", folder=str(self._files), error=str(error))
            self._index = None
        self._answers = Answers(self._schema, self._facets)
        self._position = None if self._index is None else position

    def _distrust(self, error: IndexBroken) -> None:
        """Files that cannot be read are as good as none: without a position, the writer builds the index anew."""
        _log.error("search_index_broken", folder=str(self._files), error=str(error))
        self._position_file.unlink(missing_ok=True)
        self._index = None
        self._position = None

    # Writing

    def acquire(self) -> bool:
        """Become the writer; False while another is. The lock ends with its process, however that ends."""
        if self._lock is not None:
            return True
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock = self._lock_file.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        self._remove_other_versions()
        self.refresh()
        return True

    @property
    def position(self) -> Position | None:
        """How far the index is; None where there is none that can be used, and it has to be built."""
        return self._position

    def wait_for(self, epoch: str, number: int) -> bool:
        """Wait a second at most until the change is in the index, whose epoch may be another one by now."""
        ends = time.monotonic() + LONGEST_WAIT_SECONDS
        while not self._has(epoch, number):
            if time.monotonic() >= ends:
                return False
            time.sleep(WAIT_POLL_SECONDS)
        return True

    def reached(self, epoch: str, number: int) -> int:
        """Up to which change of the epoch it is, ``number`` at the most; 0 where it is of another epoch."""
        position = self._position
        return min(position.number, number) if position is not None and position.epoch == epoch else 0

    def _has(self, epoch: str, number: int) -> bool:
        position = self._position
        return position is not None and (position.epoch != epoch or position.number >= number)

    def begin_rebuild(self) -> None:
        """Forget all books, to add them anew. What is there stays to be searched until the commit."""
        self._writer = None
        if self._index is None:
            shutil.rmtree(self._files, ignore_errors=True)
        with _broken_is_said():
            self._open_writer().delete_documents_by_query(tantivy.Query.all_query())

    def add(self, entries: Iterable[IndexEntry]) -> None:
        """Add books that the index does not have."""
        with _broken_is_said():
            writer = self._open_writer()
            for entry in entries:
                writer.add_document(document(entry))

    def update(self, item_numbers: Sequence[int], entries: Iterable[IndexEntry]) -> bool:
        """Make the index say ``entries`` of the books asked for; one without an entry goes.

        Once before each commit, since it compares with what is committed. Returns whether anything is to commit.
        """
        if not item_numbers:
            return False
        wanted = {entry.item_number: entry for entry in entries}
        with _broken_is_said():
            indexed = self._fingerprints(item_numbers)
            changed = [entry for number, entry in wanted.items() if indexed.get(number) != fingerprint(entry)]
            outdated = indexed.keys() - (wanted.keys() - {entry.item_number for entry in changed})
            if outdated:
                # By query: by term, tantivy-py 0.27 looks for a signed number and finds none.
                self._open_writer().delete_documents_by_query(self._of_these(outdated))
        self.add(changed)
        return bool(changed or outdated)

    def commit(self, position: Position) -> None:
        """Make what was written durable and searchable, and remember how far it goes.

        In this order: after a crash in between, the same changes are read again, and change nothing more.
        """
        with _broken_is_said():
            self._open_writer().commit()
            self._write_position(position)
        self.refresh()

    def remember(self, position: Position) -> None:
        """The index is right up to here, without anything new in it."""
        with _broken_is_said():
            self._write_position(position)
        self._position = position

    def abandon(self) -> None:
        """Give up what is not committed, and judge the files anew."""
        self._writer = None
        self._index = None
        self.refresh()

    def close(self) -> None:
        """Give up what is not committed, and let another process write, once no thread of ours does any more."""
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                with _broken_is_said():
                    writer.wait_merging_threads()
            except IndexBroken as error:
                _log.warning("search_index_broken", folder=str(self._files), error=str(error))
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _current(self) -> tantivy.Index:
        with _broken_is_said():
            if self._index is not None:
                self._index.reload()
                return self._index
            if not tantivy.Index.exists(str(self._files)):
                raise IndexBroken("there is a position, but no index")
            index = tantivy.Index(self._schema, path=str(self._files))
            # By hand: the other policy keeps a thread that looks at the file twice a second.
            index.config_reader("Manual")
            return index

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._lock is None:
            raise IndexBroken("another process writes the index")
        if self._writer is None:
            self._files.mkdir(parents=True, exist_ok=True)
            index = tantivy.Index(self._schema, path=str(self._files))
            self._writer = index.writer(_WRITER_MEMORY_BYTES, 1)
        return self._writer

    def _fingerprints(self, item_numbers: Sequence[int]) -> dict[int, int]:
        """Those of the books that are in the index."""
        if self._index is None:
            raise IndexBroken("there is no index to compare with")
        searcher = self._index.searcher()
        found = searcher.search(self._of_these(item_numbers), len(item_numbers), count=False)
        addresses = [address for _, address in found.hits]
        columns = (numbers(searcher, column, addresses) for column in ("item_number", "fingerprint"))
        return dict(zip(*columns, strict=True))

    def _of_these(self, item_numbers: Collection[int]) -> tantivy.Query:
        return tantivy.Query.term_set_query(self._schema, "item_number", list(item_numbers))

    def _read_position(self) -> Position | None:
        try:
            read = json.loads(self._position_file.read_bytes())
            return Position(str(read["epoch"]), int(read["number"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _write_position(self, position: Position) -> None:
        new = self._position_file.with_suffix(".new")
        new.write_text(json.dumps(asdict(position)))
        new.replace(self._position_file)

    def _remove_other_versions(self) -> None:
        for folder in self._files.parent.glob(f"{_FOLDER_PREFIX}*"):
            if folder != self._files:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _broken_is_said() -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        raise IndexBroken(str(error)) from error
    except BaseException as error:
        # A panic inside tantivy, for instance at a file cut short; its type cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise IndexBroken(str(error)) from error
