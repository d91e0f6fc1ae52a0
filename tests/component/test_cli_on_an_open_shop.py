"""Commands for a shop that is open: it goes on selling meanwhile."""

import csv
import http.client
import itertools
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bazar.chassis.pidfile import live_processes
from bazar.chassis.tls import client_context
from command import run
from processes import wait_until
from shop import Answer, Client, Shop

SERVICES = ("frontend", "catalog", "order")
WAIT_SECONDS = 30
#: A request on a connection that the server closes at that moment is made again, as every client of HTTP does.
TRIES = 3


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Open for the tests of this file; each brings its own books."""
    opened = Shop(tmp_path_factory.mktemp("open-shop") / "var")
    yield opened
    opened.stop()


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def bazar(shop: Shop) -> Command:
    """Runs the command with the settings of the shop."""

    def run_bazar(*arguments: str | Path, **settings: str) -> "subprocess.CompletedProcess[str]":
        return run(*arguments, **{"BAZAR_DATA_DIR": str(shop.folder), "BAZAR_PORT": str(shop.port), **settings})

    return run_bazar


def serial_number(shop: Shop, service: str) -> str:
    """Of the certificate that the server shows now."""
    certs = shop.folder / "certs"
    tls = client_context(certs / "ca.pem", certs / "operator.pem", certs / "operator.key")
    port = shop.port + {"frontend": 0, "catalog": 1, "order": 2}[service]
    with (
        socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS) as plain,
        tls.wrap_socket(plain, server_hostname=service) as secured,
    ):
        certificate = secured.getpeercert()
    assert certificate is not None
    return str(certificate["serialNumber"])


def serial_numbers(shop: Shop) -> dict[str, str]:
    """As far as the servers answer at this moment."""
    found = {}
    for service in SERVICES:
        with suppress(OSError):
            found[service] = serial_number(shop, service)
    return found


class Visitor:
    """Looks at a book and buys it, again and again, and notes whatever is not as it should be."""

    def __init__(self, shop: Shop, token: str, item: int, name: str) -> None:
        self.bought = 0
        self.failures: list[object] = []
        self._client = shop.client(token)
        self._item = item
        self._name = name
        self._leaves = threading.Event()
        self._thread = threading.Thread(target=self._visit)
        self._thread.start()

    def leave(self) -> None:
        """Ends after the purchase at hand."""
        self._leaves.set()
        self._thread.join(WAIT_SECONDS)
        self._client.close()

    def _visit(self) -> None:
        for number in itertools.count():
            if self._leaves.is_set():
                return
            self._expect(200, "GET", f"/info/{self._item}")
            self._expect(201, "POST", f"/purchase/{self._item}", key=f"{self._name}-{number}")
            self.bought += 1

    def _expect(self, status: int, method: str, path: str, **options: str) -> None:
        answer = again_if_the_connection_breaks(self._client, method, path, **options)
        if answer.status != status:
            self.failures.append(answer)


def again_if_the_connection_breaks(client: Client, method: str, path: str, **options: str) -> Answer:
    for tries_left in reversed(range(TRIES)):
        try:
            return client.call(method, path, **options)
        except (OSError, http.client.HTTPException):
            client.close()
            if not tries_left:
                raise
    raise AssertionError


def test_all_is_well(shop: Shop, bazar: Command) -> None:
    found = bazar("doctor")
    assert found.returncode == 0, found.stdout
    assert all(line.startswith("ok ") for line in found.stdout.splitlines())
    for service, port in zip(SERVICES, itertools.count(shop.port), strict=False):
        assert f"{service} server: answers at https://127.0.0.1:{port}\n" in found.stdout


def test_a_command_in_another_terminal_need_not_be_told_the_port(shop: Shop) -> None:
    found = run("doctor", BAZAR_DATA_DIR=str(shop.folder))
    assert found.returncode == 0, found.stdout
    assert f"frontend server: answers at https://127.0.0.1:{shop.port}\n" in found.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_each_server_can_be_probed(bazar: Command, service: str) -> None:
    found = bazar("doctor", "--probe", service)
    assert (found.returncode, found.stderr) == (0, "")
    assert '"parts"' in found.stdout


def test_metrics_of_an_internal_server_are_shown(bazar: Command) -> None:
    found = bazar("doctor", "--probe", "catalog", "--show", "metrics")
    assert found.returncode == 0
    assert "bazar_requests_total" in found.stdout


def test_copies_that_arrive_can_be_bought_at_once(shop: Shop, bazar: Command) -> None:
    item = shop.add_book(stock=0, title="Spring in the Pioneer Valley")
    client = shop.client(shop.customer("take-in@example.org"))
    assert client.call("POST", f"/purchase/{item}", key="too-early").status == 409
    found = bazar("catalogue", "take-in", str(item), "3", "--reason", "from the printer")
    assert (found.returncode, found.stdout) == (0, "Spring in the Pioneer Valley: 3 copies in stock\n")
    assert client.call("POST", f"/purchase/{item}", key="in-time").status == 201
    client.close()
    staff = shop.client(shop.staff())
    history = staff.call("GET", f"/books/{item}/history").json["items"]
    staff.close()
    assert ("operator", "stock", "from the printer", 3) in [
        (entry["who"], entry["kind"], entry["reason"], entry.get("stock_change")) for entry in history
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("999999", "1"), "There is no book 999999."), (("1", "1000000000"), "stock_change")],
)
def test_copies_that_cannot_be_taken_in_are_refused_in_one_line(
    bazar: Command, arguments: tuple[str, ...], told: str
) -> None:
    found = bazar("catalogue", "take-in", *arguments)
    assert found.returncode == 1
    assert found.stderr.startswith("Error: ")
    assert told in found.stderr
    assert found.stderr.count("\n") == 1


def test_a_file_is_imported_but_for_its_bad_rows_and_only_once(shop: Shop, bazar: Command, tmp_path: Path) -> None:
    rows = [
        ["a", "Good, and quoted", "Ann Lee|Bo Li", "imported", "9780201835953", "2008.0"],
        ["b", "", "", "imported", "", ""],
        ["c", "A check digit that is wrong", "", "imported", "9780201835954", ""],
        ["d", "[bold]No markup[/bold]", "", "imported", "", ""],
        ["e", "A year that is none", "", "imported", "", "MCM " + "M" * 200],
    ]
    file = tmp_path / "books.csv"
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerows([["Nr", "Titel", "Autoren", "Gebiet", "ISBN", "Jahr"], *rows])
    mapping = {"source_id": "Nr", "title": "Titel", "authors": "Autoren", "subjects": "Gebiet", "isbn": "ISBN"}
    mapped = [word for field, column in [*mapping.items(), ("year", "Jahr")] for word in ("--map", f"{field}={column}")]
    arguments = ("catalogue", "import", file, *mapped, "--price", "1500", "--stock", "2", "--separator", "|")
    first = bazar(*arguments)
    assert (first.returncode, first.stderr) == (0, "")
    bad = [line for line in first.stdout.splitlines() if line.startswith("line ")]
    assert sorted(line.partition(":")[0] for line in bad) == ["line 3", "line 4", "line 6"]
    assert all(why in first.stdout for why in ("line 3: Titel", "line 4: isbn", "line 6: Jahr"))
    assert first.stdout.endswith("2 added, 0 there already, 3 left out\n")
    assert bazar(*arguments).stdout.endswith("0 added, 2 there already, 3 left out\n")
    client = shop.client()
    items = client.call("GET", "/search/imported").json["items"]
    client.close()
    assert sorted((item["title"], item["price"]["amount"], item["quantity"]) for item in items) == [
        ("Good, and quoted", 1500, 2),
        ("[bold]No markup[/bold]", 1500, 2),
    ]


def test_a_file_of_which_no_row_could_be_taken_ends_with_an_error(bazar: Command, tmp_path: Path) -> None:
    file = tmp_path / "books.csv"
    file.write_text("source_id;title;price;stock\n1;Kept from mistakes;12,50;1\n")
    found = bazar("catalogue", "import", file)
    assert found.returncode == 1
    assert "line 2: price: '12,50' is no whole number; " in found.stdout
    assert found.stdout.endswith("0 added, 0 there already, 1 left out\n")


def test_a_list_under_another_name_adds_nothing_and_is_told_its_first_name(bazar: Command, tmp_path: Path) -> None:
    first, copy = tmp_path / "winter.csv", tmp_path / "spring.csv"
    first.write_text("source_id,title,price,stock\n1,Winter Reading,100,1\n")
    copy.write_text(first.read_text())
    assert bazar("catalogue", "import", first).returncode == 0
    found = bazar("catalogue", "import", copy)
    assert found.returncode == 1
    assert "line 2: 'Winter Reading' came under this id from the source 'winter' already\n" in found.stdout
    assert found.stderr == "If this is a later state of the list that came as winter: --source winter\n"
    again = bazar("catalogue", "import", copy, "--source", "winter")
    assert again.returncode == 0
    assert again.stdout.endswith("0 added, 1 there already, 0 left out\n")


def test_the_books_of_a_source_are_taken_out_of_the_shop(shop: Shop, bazar: Command, tmp_path: Path) -> None:
    file = tmp_path / "mistaken.csv"
    file.write_text(
        "source_id,title,subjects,price,stock\n1,Wrong Box,mistaken,100,1\n2,Wrong Box Too,mistaken,100,1\n"
    )
    assert bazar("catalogue", "import", file).returncode == 0
    assert bazar("catalogue", "withdraw", "--source", "mistaken").stderr == "Aborted!\n"  # nobody said yes
    client = shop.client()
    assert client.call("GET", "/search/mistaken").json["total"] == 2
    found = bazar("catalogue", "withdraw", "--source", "mistaken", "--yes")
    assert (found.returncode, found.stdout) == (0, "2 books withdrawn\n")
    assert client.call("GET", "/search/mistaken").json["total"] == 0
    client.close()
    found = bazar("catalogue", "withdraw", "--source", "unheard of", "--yes")
    assert found.returncode == 1
    assert found.stderr.startswith("Error: No book came from unheard of; books came from ")


def test_an_import_outlives_a_catalog_that_dies_and_comes_back(shop: Shop, bazar: Command, tmp_path: Path) -> None:
    rows = 6_000
    file = tmp_path / "many.csv"
    file.write_text("source_id,title\n" + "".join(f"{number},Book {number}\n" for number in range(rows)))
    found: list[subprocess.CompletedProcess[str]] = []
    arguments = ("catalogue", "import", file, "--price", "100", "--stock", "1")
    importing = threading.Thread(target=lambda: found.append(bazar(*arguments)))
    books = number_of_books(shop)
    importing.start()
    wait_until(lambda: number_of_books(shop) > books)
    os.kill(live_processes(shop.folder / "run")["catalog"], signal.SIGKILL)
    importing.join(WAIT_SECONDS)
    assert (found[0].returncode, found[0].stderr) == (0, "")
    added, present = re.findall(r"(\d+) added, (\d+) there already, 0 left out", found[0].stdout)[0]
    assert int(added) + int(present) == rows
    assert number_of_books(shop) == books + rows


def number_of_books(shop: Shop) -> int:
    """Read where nobody else writes it down: the database, which outlives the server."""
    with closing(sqlite3.connect(shop.folder / "catalog.sqlite3")) as connection:
        return int(connection.execute("SELECT count(*) FROM books").fetchone()[0])


def test_a_file_that_is_no_catalogue_is_told_with_what_it_has(bazar: Command, tmp_path: Path) -> None:
    file = tmp_path / "books.csv"
    file.write_text("a,b\n1,2\n")
    found = bazar("catalogue", "import", file)
    assert found.returncode == 1
    assert found.stderr.startswith("Error: there is no column source_id, title, price, stock; there are a, b.")


def test_a_packed_file_that_is_cut_off_is_told(bazar: Command, tmp_path: Path) -> None:
    file = tmp_path / "books.csv.xz"
    file.write_bytes(b"\xfd7zXZ\x00")
    found = bazar("catalogue", "import", file)
    assert found.returncode == 1
    assert f"{file} cannot be read" in found.stderr


@pytest.mark.parametrize("further", [0, 10])
def test_a_second_shop_on_the_same_folder_is_refused(shop: Shop, bazar: Command, further: int) -> None:
    found = bazar("up", BAZAR_PORT=str(shop.port + further))
    assert found.returncode == 1
    assert found.stderr == (
        f"Error: Bazar is open already at {shop.url} (process {shop.process.pid}); Ctrl-C there closes it\n"
    )
    assert found.stdout == ""
    assert bazar("doctor").returncode == 0


def test_a_server_by_itself_is_refused_beside_the_open_shop(bazar: Command) -> None:
    found = bazar("order")
    assert found.returncode == 1
    assert "taken by another program" in found.stderr


def test_certificates_are_rotated_while_customers_buy(shop: Shop, bazar: Command) -> None:
    item = shop.add_book(stock=100_000, title="Xen and the Art")
    token = shop.customer("rotation@example.org")
    before = serial_numbers(shop)
    visitors = [Visitor(shop, token, item, name) for name in ("ann", "bob")]
    try:
        found = bazar("certs", "rotate")
        assert found.returncode == 0, found.stderr
        for service in SERVICES:
            assert f"The {service} server takes them up\n" in found.stdout
        wait_until(
            lambda: all(serial_numbers(shop).get(service) not in (None, before[service]) for service in SERVICES)
        )
        bought = [visitor.bought for visitor in visitors]
        wait_until(lambda: all(visitor.bought > had + 3 for visitor, had in zip(visitors, bought, strict=True)))
    finally:
        for visitor in visitors:
            visitor.leave()
    assert [visitor.failures for visitor in visitors] == [[], []]
    client = shop.client()
    sold = sum(visitor.bought for visitor in visitors)
    assert client.call("GET", f"/info/{item}").json["quantity"] == 100_000 - sold
    client.close()
    assert bazar("catalogue", "take-in", str(item), "1").returncode == 0
    assert bazar("doctor").returncode == 0
