"""`make bench-profile`: where the CPU goes of what no cache answers, and of purchases; nothing passes or fails on time.

The WSGI applications of the front-end, the order server and the catalog, one after the other, in this process and over
the data of a real shop. Their calls go over mutual TLS: the front-end's to the servers of the shop, the order server's
to a catalog that runs alone, since whoever is asked here has its database to itself.

A request is asked when the one before is answered, so a purchase at the front-end travels alone, and costs more than in
a rush: it waits for two commits, and whatever is done after a wait costs more. The order server gets 32 in one request,
and so does the catalog, each of another book. Counted is what profiled.py says; loops are those that follow the feed
(front-end), have holds settled and sweep (order), and bring the index up to date (catalog). Not counted: TLS and HTTP
of the server in front, what neighbours take, and the catalog's part of settling.
"""

import argparse
import itertools
import os
import platform
import secrets
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from wsgiref.types import WSGIEnvironment

from rich.console import Console
from werkzeug.test import EnvironBuilder

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a program, and the folder of the tests is its root

import bazar.catalog.wiring
import bazar.frontend.wiring
import bazar.order.wiring
from bazar.chassis.client import NeighbourUnavailable
from bazar.chassis.clock import Deadline, system_clock
from bazar.chassis.headers import REMAINING_MS, REQUEST_ID
from bazar.chassis.logging import configure_logging
from bazar.chassis.service_token import TokenIssuer
from bazar.contracts import calls
from bazar.contracts.names import CATALOG, FRONTEND, ORDER
from bazar.contracts.purchasing import (
    HoldAnswers,
    HoldBatch,
    HoldRequest,
    Line,
    PlacedOrders,
    PlaceOrder,
    PlaceOrders,
    PurchaseRequest,
)
from bazar.contracts.wire import dump, parse
from bazar.order.domain.order_ids import order_id_of, purchase_hash_of
from bazar.resources import neighbour
from bazar.settings import Settings
from bench.page import printed
from bench.profiled import ROUNDS, Asked
from bench.server import running
from bench.tills import PLENTY
from shop import API, PAST_THE_CACHE, Shop

ITEM = 3
READS = 1000
#: Each waits for the disk twice.
PURCHASES = 300
BATCHES = 50
TOGETHER = 32
#: Of the front-end alone: what the catalog has said of them is remembered, and the page drawn anew each time.
PAGES = {"page of a book": f"/books/{ITEM}", "page of a search": "/search?subject=distributed+systems"}
COLUMNS = (
    "info: front-end",
    "info: catalog",
    *PAGES,
    "purchase: front-end",
    f"purchase: order, {TOGETHER} together",
    f"purchase: catalog, {TOGETHER} together",
)
INFO_FRONTEND, INFO_CATALOG, *_, PURCHASE_FRONTEND, PURCHASE_ORDER, PURCHASE_CATALOG = COLUMNS
CUSTOMER = "reader@example.org"

Columns = dict[str, dict[str, str]]
Headers = Sequence[tuple[str, str]]


def main() -> int:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory(prefix="bazar-profile-") as folder:
        shop = Shop(Path(folder) / "shop")
        told = {"BAZAR_DATA_DIR": str(shop.folder), "BAZAR_PORT": str(shop.port)}
        settings = Settings.from_environment(told)
        configure_logging(FRONTEND, settings.log_format, settings.log_level, Path(folder) / "profile.log")
        try:
            items = [shop.add_book(PLENTY, f"Benchmark book {number}") for number in range(TOGETHER)]
            columns = _of_frontend(settings, shop.customer(CUSTOMER), items[0])
        finally:
            shop.stop()
        # Now the files of the others are free.
        with running(CATALOG, told, Path(folder) / "catalog.output", lambda: _catalog_answers(settings)):
            columns |= _of_order(settings, items)
        columns |= _of_catalog(settings, items)
    rows = [[name, *(columns[heading][name] for heading in COLUMNS)] for name in columns[INFO_FRONTEND]]
    console = Console(highlight=False, width=240)
    console.print(printed(("CPU of one in µs", *COLUMNS), rows))
    console.print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {ROUNDS} rounds of {READS} requests, "
        f"{PURCHASES} purchases or {BATCHES} times {TOGETHER}"
    )
    return 0


def _of_frontend(settings: Settings, token: str, item: int) -> Columns:
    build = partial(bazar.frontend.wiring.build, settings)

    def purchase() -> WSGIEnvironment:
        sent = [("Authorization", f"Bearer {token}"), ("Idempotency-Key", secrets.token_hex(8))]
        return _posted(f"{API}/purchase/{item}", PurchaseRequest(), sent)

    def is_bought(status: str, _body: bytes) -> bool:
        return status.startswith("201")

    reads = {INFO_FRONTEND: f"{API}/info/{ITEM}", **PAGES}
    return {
        **{
            name: Asked(build, _read(path, [PAST_THE_CACHE]), _is_ok, requests=READS).column()
            for name, path in reads.items()
        },
        PURCHASE_FRONTEND: Asked(build, purchase, is_bought, requests=PURCHASES, gathers=True).column(),
    }


def _of_order(settings: Settings, items: Sequence[int]) -> Columns:
    sent, number = _as_sent(settings, FRONTEND, ORDER), itertools.count()

    def batch() -> WSGIEnvironment:
        orders = (
            PlaceOrder(account_id=CUSTOMER, idempotency_key=str(next(number)), lines=_one_copy(item)) for item in items
        )
        return _posted(calls.PLACE_ORDERS.path, PlaceOrders(orders=tuple(orders)), sent)

    def all_placed(status: str, body: bytes) -> bool:
        answers = parse(body, PlacedOrders).answers
        return _is_ok(status, body) and len(answers) == TOGETHER and all(answer.order for answer in answers)

    build = partial(bazar.order.wiring.build, settings)
    return {PURCHASE_ORDER: Asked(build, batch, all_placed, requests=BATCHES, gathers=True, together=TOGETHER).column()}


def _of_catalog(settings: Settings, items: Sequence[int]) -> Columns:
    sent, number = _as_sent(settings, ORDER, CATALOG), itertools.count()

    def batch() -> WSGIEnvironment:
        holds = (
            HoldRequest(
                order_id=order_id_of(CUSTOMER, str(next(number)), b"not that of the shop"),
                account_id=CUSTOMER,
                purchase_hash=purchase_hash_of([(item, 1)], None),
                lines=_one_copy(item),
            )
            for item in items
        )
        return _posted(calls.HOLD.path, HoldBatch(holds=tuple(holds)), sent)

    def all_held(status: str, body: bytes) -> bool:
        answers = parse(body, HoldAnswers).answers
        return _is_ok(status, body) and [answer.outcome for answer in answers] == ["held"] * TOGETHER

    build = partial(bazar.catalog.wiring.build, settings)
    info = _read(calls.GET_BOOK.path_for(item_number=ITEM), _as_sent(settings, FRONTEND, CATALOG))
    return {
        INFO_CATALOG: Asked(build, info, _is_ok, requests=READS).column(),
        PURCHASE_CATALOG: Asked(build, batch, all_held, requests=BATCHES, together=TOGETHER).column(),
    }


def _one_copy(item: int) -> tuple[Line, ...]:
    return (Line(item_number=item, quantity=1),)


def _read(path: str, headers: Headers) -> Callable[[], WSGIEnvironment]:
    """The same each time."""
    environ = EnvironBuilder(path, "https://localhost", headers=list(headers)).get_environ()
    return environ.copy


def _posted(path: str, message: object, headers: Headers) -> WSGIEnvironment:
    return EnvironBuilder(
        path,
        "https://localhost",
        method="POST",
        headers=list(headers),
        data=dump(message),
        content_type="application/json",
    ).get_environ()


def _as_sent(settings: Settings, caller: str, service: str) -> Headers:
    token = TokenIssuer(caller, settings.certificates, system_clock).token(service)
    return [("Authorization", f"Bearer {token}"), (REMAINING_MS, "5000"), (REQUEST_ID, "abcdef0123456789")]


def _is_ok(status: str, _body: bytes) -> bool:
    return status.startswith("200")


def _catalog_answers(settings: Settings) -> bool:
    client = neighbour(settings, ORDER, CATALOG)
    try:
        return client.get_raw("/readyz", Deadline.after(1))[0] == 200
    except NeighbourUnavailable:
        return False
    finally:
        client.close()


if __name__ == "__main__":
    sys.exit(main())
