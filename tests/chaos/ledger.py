"""What stands in the three databases of a shop, read past its servers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from bazar.chassis.database import Database

SERVICES = ("catalog", "order", "frontend")


@dataclass(frozen=True)
class Hold:
    """A hold with its lines: item number → copies."""

    account_id: str
    purchase_hash: str
    state: str
    lines: Mapping[int, int]


@dataclass(frozen=True)
class Decided:
    """A decision, and whether it was cancelled and its copies were said to be back."""

    account_id: str
    purchase_hash: str
    outcome: str
    lines: Mapping[int, int]
    is_cancelled: bool
    is_returned: bool


@dataclass(frozen=True)
class Shelf:
    """A book: its copies now, and all that ever came in."""

    stock: int
    taken_in: int
    version: int


class Ledgers:
    """The databases."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._databases = {service: Database(urls[service]) for service in SERVICES}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for database in self._databases.values():
            database.close()

    def unsettled(self) -> dict[str, int]:
        """What recovery still has to do, by its kind; nothing where all is quiet."""
        found = {
            "open holds": self._one("catalog", "SELECT count(*) FROM holds WHERE state = 'held'"),
            "cancelled orders not returned": self._one(
                "order", "SELECT count(*) FROM cancellations WHERE returned_at IS NULL"
            ),
        }
        return {what: count for what, count in found.items() if count}

    def forget_comparison(self) -> None:
        """Have the order server compare all decisions with the catalog at its next start, as a restore does."""
        with self._databases["order"].writing() as connection:
            connection.execute(sa.text("DELETE FROM comparison"))

    def orphans(self) -> set[str]:
        """Open holds without a decision."""
        held = {row.order_id for row in self._all("catalog", "SELECT order_id FROM holds WHERE state = 'held'")}
        return held - set(self.decisions(list(held)))

    def stuck(self) -> Sequence[str]:
        """Orders that need a hand, with the reason."""
        return [
            f"{row.order_id}: {row.reason}" for row in self._all("order", "SELECT order_id, reason FROM stuck_orders")
        ]

    def shelves(self, items: Sequence[int]) -> dict[int, Shelf]:
        """The books."""
        taken_in = dict(
            self._all(
                "catalog",
                "SELECT item_number, sum(stock_change) FROM journal WHERE item_number IN :items GROUP BY item_number",
                items=items,
            )
        )
        rows = self._all(
            "catalog", "SELECT item_number, stock, version FROM books WHERE item_number IN :items", items=items
        )
        return {row.item_number: Shelf(row.stock, int(taken_in[row.item_number]), row.version) for row in rows}

    def holds(self, items: Sequence[int]) -> dict[str, Hold]:
        """All holds that name one of the books, by order id."""
        rows = self._all(
            "catalog",
            "SELECT h.order_id, h.account_id, h.purchase_hash, h.state, l.item_number, l.quantity "
            "FROM holds h JOIN hold_lines l ON l.order_id = h.order_id WHERE h.order_id IN "
            "(SELECT order_id FROM hold_lines WHERE item_number IN :items)",
            items=items,
        )
        lines: dict[str, dict[int, int]] = {}
        for row in rows:
            lines.setdefault(row.order_id, {})[row.item_number] = row.quantity
        return {row.order_id: Hold(row.account_id, row.purchase_hash, row.state, lines[row.order_id]) for row in rows}

    def decisions(self, order_ids: Sequence[str]) -> dict[str, Decided]:
        """What was decided, by order id."""
        if not order_ids:  # PostgreSQL compares no text with an empty list
            return {}
        rows = self._all(
            "order",
            "SELECT d.order_id, d.account_id, d.purchase_hash, d.outcome, d.lines, "
            "c.order_id AS cancelled, c.returned_at FROM decisions d "
            "LEFT JOIN cancellations c ON c.order_id = d.order_id WHERE d.order_id IN :ids",
            ids=order_ids,
        )
        return {
            row.order_id: Decided(
                row.account_id,
                row.purchase_hash,
                row.outcome,
                {line[0]: line[2] for line in _read_json(row.lines)},
                is_cancelled=row.cancelled is not None,
                is_returned=row.returned_at is not None,
            )
            for row in rows
        }

    def confirmed(self) -> dict[str, str]:
        """The account of each order that there is, by order id."""
        return dict(self._all("order", "SELECT order_id, account_id FROM decisions WHERE outcome = 'confirmed'"))

    def order_id_secret(self) -> bytes:
        """What order ids are made with."""
        return bytes(self._one("order", "SELECT order_ids FROM secrets"))

    def accounts(self) -> dict[str, str]:
        """Account id by address."""
        return dict(self._all("frontend", "SELECT email, account_id FROM accounts"))

    def feed(self) -> tuple[int, int, int]:
        """The number of the last change that was promised, the highest that there is, and how many there are."""
        row = self._all(
            "catalog",
            "SELECT (SELECT last FROM feed), (SELECT coalesce(max(number), 0) FROM changes), "
            "(SELECT count(*) FROM changes)",
        )[0]
        return row[0], row[1], row[2]

    def versions(self, items: Sequence[int]) -> dict[int, list[int]]:
        """The versions of each book in the order of the feed."""
        found: dict[int, list[int]] = {item: [] for item in items}
        for row in self._all(
            "catalog",
            "SELECT item_number, version FROM changes WHERE item_number IN :items ORDER BY number",
            items=items,
        ):
            found[row.item_number].append(row.version)
        return found

    def _one(self, service: str, query: str) -> Any:
        return self._all(service, query)[0][0]

    def _all(self, service: str, query: str, **lists: Sequence[object]) -> Sequence[Any]:
        statement = sa.text(query).bindparams(*(sa.bindparam(name, expanding=True) for name in lists))
        with self._databases[service].reading() as connection:
            return connection.execute(statement, {name: list(values) for name, values in lists.items()}).all()


def _read_json(value: Any) -> Any:
    """PostgreSQL's driver reads JSON, SQLite's gives the text."""
    return json.loads(value) if isinstance(value, str) else value


def urls_of(folder: Path) -> dict[str, str]:
    """Where a shop on SQLite has its databases."""
    return {service: f"sqlite:///{folder / service}.sqlite3" for service in SERVICES}
