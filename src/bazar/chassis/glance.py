"""A SELECT alone, by SQLite's driver: what a request asks most often, at a fraction of what SQLAlchemy takes for it.

The statement is SQLAlchemy's still, and is compiled once; what its rows hold goes through the types of its columns.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

_Value = str | int
_DIALECT = sqlite.dialect(paramstyle="named")


class Glances:
    """Over connections of its own to one file. Thread-safe; up to ``most_kept`` of them wait for the next question."""

    def __init__(self, file: str, busy_timeout_seconds: float, most_kept: int) -> None:
        self._file = file
        self._busy_timeout_seconds = busy_timeout_seconds
        self._most_kept = most_kept
        self._kept: list[sqlite3.Connection] = []  # append and pop are atomic
        self._selects: dict[sa.Select[Any], _Select] = {}

    def rows(self, statement: "sa.Select[Any]", parameters: Mapping[str, _Value]) -> Sequence[Any]:
        """What is committed at this moment, by the names of the columns; raises sqlite3.Error."""
        select = self._selects.get(statement)
        if select is None:
            select = self._selects[statement] = _Select(statement)
        try:
            connection = self._kept.pop()
        except IndexError:
            connection = self._connected()
        try:
            rows = connection.execute(select.sql, parameters).fetchall()
        except BaseException:
            connection.close()
            raise
        if len(self._kept) < self._most_kept:
            self._kept.append(connection)
        else:
            connection.close()
        return [select.row(row) for row in rows]

    def close(self) -> None:
        """Close those that are kept, and keep none any more."""
        self._most_kept = 0
        while self._kept:
            self._kept.pop().close()

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._file, timeout=self._busy_timeout_seconds, isolation_level=None, check_same_thread=False
        )


class _Select:
    """As the driver takes it, and how its rows are read."""

    def __init__(self, statement: "sa.Select[Any]") -> None:
        self.sql = str(statement.compile(dialect=_DIALECT))
        columns = list(statement.selected_columns)
        names = [str(column.key) for column in columns]
        self._row_of: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 - known when it runs
        readers = [column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None) for column in columns]
        self._readers: list[tuple[int, Callable[[Any], Any]]] = [
            (place, reader) for place, reader in enumerate(readers) if reader is not None
        ]

    def row(self, values: Sequence[Any]) -> Any:
        """A tuple with names."""
        read = list(values)
        for place, reader in self._readers:
            read[place] = reader(read[place])
        return self._row_of._make(read)
