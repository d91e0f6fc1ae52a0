"""Purchases in an open shop: wrk makes them, its databases are looked into afterwards."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa

from bazar.chassis.database import Database
from bench.results import Measured
from bench.wrk import Load, drive_all, shared_out
from figures import SERVICES
from postgresql import PostgreSQL
from processes import wait_until
from shop import API, Shop

BOOKS = 64
ACCOUNTS = 8
PLENTY = 10_000_000
CREATED = 201

#: What is not of the sample.
_STOCK = "SELECT sum(stock) FROM books WHERE title LIKE 'Benchmark book%'"
_TAKEN = "SELECT coalesce(sum(quantity), 0) FROM hold_lines JOIN holds USING (order_id) WHERE state = 'settled'"
_ORDERS = "SELECT count(*) FROM decisions WHERE outcome = 'confirmed'"
_OPEN = "SELECT count(*) FROM holds WHERE state = 'held'"


class Till:
    """A shop that has books with copies enough, and customers.

    ``hot`` is the book that all want, where they do; ``paths`` those to buy the others by; ``tokens`` the customers'.
    """

    def __init__(self, shop: Shop, folder: Path, urls: Mapping[str, str]) -> None:
        """``urls``: of the shop's databases, by service. ``folder`` is made."""
        folder.mkdir()
        self.shop = shop
        self._catalog, self._order = Database(urls["CATALOG"]), Database(urls["ORDER"])
        self.hot, *others = (shop.add_book(PLENTY, f"Benchmark book {number}") for number in range(BOOKS + 1))
        self.tokens = [shop.customer(f"reader-{number}@example.org") for number in range(ACCOUNTS)]
        self.paths = [f"{API}/purchase/{item}" for item in others]
        self._tokens = lines(folder / "tokens", self.tokens)
        self._one = lines(folder / "one", [f"{API}/purchase/{self.hot}"])
        self._many = lines(folder / "many", self.paths)
        self._bought = self._in_flight = 0
        self.full_megabytes = 0.0

    def buy(self, customers: int, seconds: int, *, one_book: bool = False, urls: Sequence[str] = ()) -> Measured:
        """So many customers, each with the next purchase as soon as they have the answer to the one before.

        They share the front-ends at ``urls``; the shop's own unless given. What follows the answers is part of the
        work: it returns when all is settled.
        """
        urls = urls or [self.shop.url]
        found = drive_all(
            [
                self._load(url, share, self._one if one_book else self._many)
                for url, share in shared_out(urls, customers)
            ],
            seconds,
            halfway=self._weigh,
        )
        self.take_note(found.answers - found.failures, customers)
        return found

    def take_note(self, bought: int, unknown: int) -> None:
        """Count what was bought, and what may have been, and wait until all of it is settled."""
        self._bought += bought
        self._in_flight += unknown
        wait_until(lambda: _asked(self._catalog, _OPEN) == 0)

    def check(self) -> None:
        """Raises AssertionError unless stock and sales add up, and every purchase that was answered is an order."""
        # What was on its way when wrk stopped may be carried out after all was settled for a moment.
        wait_until(lambda: _asked(self._order, _ORDERS) == _asked(self._catalog, _TAKEN))
        left, taken = _asked(self._catalog, _STOCK), _asked(self._catalog, _TAKEN)
        assert left + taken == PLENTY * (BOOKS + 1), (left, taken)
        orders = _asked(self._order, _ORDERS)
        assert orders == taken, (orders, taken)
        assert self._bought <= orders <= self._bought + self._in_flight, (self._bought, orders, self._in_flight)

    def close(self) -> None:
        """Close what it looks into."""
        self._catalog.close()
        self._order.close()

    def _load(self, url: str, customers: int, paths: str) -> Load:
        arguments = [secrets.token_hex(4), str(CREATED), '{"quantity":1}', paths, self._tokens]
        return Load(url=url, connections=customers, arguments=arguments)

    def _weigh(self) -> None:
        self.full_megabytes = max(self.full_megabytes, sum(self.shop.memory().values()))


def on_sqlite(folder: Path) -> Mapping[str, str]:
    """Where a shop in this folder has its databases unless told otherwise, by service."""
    return {service: f"sqlite:///{folder / service.lower()}.sqlite3" for service in SERVICES}


def on_postgresql(server: PostgreSQL) -> Mapping[str, str]:
    """A new database for each service."""
    return {service: server.new_database() for service in SERVICES}


def settings_of(urls: Mapping[str, str]) -> Mapping[str, str]:
    """How a shop is told of its databases."""
    return {f"BAZAR_{service}_DATABASE_URL": url for service, url in urls.items()}


def lines(file: Path, text: Sequence[str]) -> str:
    """A file with these lines; its path, for wrk."""
    file.write_text("".join(f"{line}\n" for line in text))
    return str(file)


def _asked(database: Database, query: str) -> int:
    with database.reading() as connection:
        return int(connection.execute(sa.text(query)).scalar_one())
