"""The shop of one run: its servers, started anew when they die, over databases that survive."""

from functools import partial
from pathlib import Path
from typing import cast

import msgspec
import sqlalchemy as sa

import bazar.catalog.migrations
import bazar.catalog.wiring
import bazar.order.migrations
import bazar.order.wiring
from bazar.catalog.storage import schema as catalog_schema
from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.chassis.database import Database, StorageUnavailable
from bazar.contracts.books import AddBook, NewBook, Price
from bazar.contracts.names import CATALOG, FRONTEND, ORDER
from bazar.contracts.purchasing import FinishAnswers
from bazar.order.storage import schema as order_schema
from bazar.order.storage.store import OrderStore
from bazar.settings import Settings
from simulation.audit import Audit
from simulation.day import BOOKS, Day
from simulation.front_end import FrontEnd
from simulation.network import Network, Request, Response, Serve
from simulation.outside import App
from simulation.storage import Disk, FaultyDatabase, WriteLock
from simulation.world import CURRENCY, EPOCH, NOON, SECRET, ServerProcess, World

PRICE_MINOR = 1000
LONGEST_RESTART_SECONDS = 2.0

SETTINGS = Settings.from_environment({"BAZAR_SAMPLE": "0"})


class Disks:
    """The databases of a worker: made once, renewed for each run."""

    def __init__(self) -> None:
        self.catalog = Disk(Path(bazar.catalog.migrations.__path__[0]), _fill_catalog)
        self.order = Disk(Path(bazar.order.migrations.__path__[0]), _fill_order)

    def renew(self, day: Day) -> None:
        """As the day begins: nothing but books."""
        self.catalog.renew()
        self.order.renew()
        rows = [(copies, item_number) for item_number, copies in enumerate(day.stock, 1)]
        self.catalog.connection.executemany("UPDATE books SET stock = ? WHERE item_number = ?", rows)
        self.catalog.connection.executemany("UPDATE journal SET stock_change = ? WHERE item_number = ?", rows)
        if not day.is_compared:
            self.order.connection.execute("DELETE FROM comparison")


def _fill_catalog(database: Database) -> None:
    store = CatalogStore(database)
    with database.writing() as connection:
        connection.execute(sa.insert(catalog_schema.feed).values(only=1, epoch=EPOCH, last=0))
    keep_stock = KeepStock(store, lambda: NOON, CURRENCY)
    for number in range(BOOKS):
        price = Price(amount=PRICE_MINOR, currency=CURRENCY)
        book = NewBook(title=f"Book {number + 1}", authors=("Ann Lee",), subjects=("xen",), price=price, stock=1)
        keep_stock.add_book(AddBook(actor="staff", book=book))


def _fill_order(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(sa.insert(order_schema.secrets).values(only=1, order_ids=SECRET))
    with OrderStore(database).writing() as tx:
        tx.note_comparison(EPOCH, NOON)


class Shop:
    """The servers of the day."""

    def __init__(self, world: World, network: Network, disks: Disks, audit: Audit, day: Day) -> None:
        self._world = world
        self._network = network
        self._disks = disks
        self._audit = audit
        self._day = day
        self._front_ends: dict[ServerProcess, FrontEnd] = {}
        self._servers: dict[str, ServerProcess] = {}
        self._locks = {ORDER: WriteLock(), CATALOG: WriteLock()}

    def open(self) -> None:
        """Start all servers."""
        for name in self._day.servers:
            self._start(name)

    @property
    def is_open(self) -> bool:
        """Whether all its servers answer."""
        return all(self._network.listens(process) for process in self._servers.values())

    def front_ends(self) -> list[FrontEnd]:
        """Those that run."""
        return list(self._front_ends.values())

    def close(self) -> None:
        """End all tasks of all servers."""
        for process in self._servers.values():
            self._world.scheduler.kill(process)

    def database(self, service: str) -> FaultyDatabase:
        """What the process at hand opens."""
        disk = self._disks.order if service == ORDER else self._disks.catalog
        on_commit = self._audit.order_committed if service == ORDER else self._catalog_committed
        return FaultyDatabase(self._world, disk, self._locks[service], on_commit)

    def _catalog_committed(self) -> None:
        self._audit.catalog_committed()
        for front_end in self._front_ends.values():
            if front_end.cached_info and self._world.random.random() < 0.5:
                front_end.cached_info.stir()

    def _start(self, name: str) -> None:
        process = ServerProcess(name.partition(" ")[0], name, self._died)
        self._servers[name] = process
        self._world.happens(name, "is started")
        self._world.scheduler.spawn(process, "start", partial(self._begin, process))

    def _begin(self, process: ServerProcess) -> None:
        try:
            serve = self._built(process)
        except StorageUnavailable:
            # The real process ends, and the supervisor starts it again.
            self._world.scheduler.at(0.0, None, partial(self._world.kill, process))
            return
        self._network.listen(process, serve)

    def _built(self, process: ServerProcess) -> Serve:
        if process.service == FRONTEND:
            front_end = self._front_ends[process] = FrontEnd(self._world, self._network, has_cache=self._day.has_cache)
            return front_end.serve
        if process.service == ORDER:
            return cast(App, bazar.order.wiring.build(SETTINGS).app).serve
        return partial(self._catalog, cast(App, bazar.catalog.wiring.build(SETTINGS).app).serve)

    def _catalog(self, serve: Serve, request: Request) -> Response:
        response = serve(request)
        if request.target == "/holds/release" and response.status == 200:
            answers = msgspec.json.decode(response.data, type=FinishAnswers).answers
            self._audit.release_acknowledged([answer.order_id for answer in answers if answer.done])
        return response

    def _died(self, process: ServerProcess) -> None:
        self._network.leave(process)
        self._front_ends.pop(process, None)
        seconds = self._world.random.random() * LONGEST_RESTART_SECONDS
        self._world.scheduler.at(seconds, None, partial(self._start, process.name))
