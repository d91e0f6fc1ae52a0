"""A book store of the plain design, to be held beside Bazar: front-end, catalog and order server over plain HTTP.

It is written as this exercise is usually solved, neither better nor worse: Flask with its own threaded server, stock
in SQLite, an order log that lines are appended to, and a purchase that asks for the stock, writes back one less and
notes the order. Nothing in it is slowed down: there is no sleep, and between reading and writing the stock lies
only what such code does there, two calls over HTTP and a commit.

    python plain_store.py frontend|catalog|order FOLDER FRONTEND_PORT CATALOG_PORT ORDER_PORT
"""

import csv
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import urllib3
from flask import Flask, Response, jsonify, request

HOST = "127.0.0.1"
SERVERS = ("frontend", "catalog", "order")
ITEM = 1
TITLE = "How to get a good grade in DOS in 40 minutes a day"
SUBJECT = "distributed systems"
PRICE = 40

#: As `requests.get(...)` does: a call that fails is not repeated.
http = urllib3.PoolManager(retries=False)


def stock_shelf(folder: Path, copies: int) -> None:
    """Make the catalog's database, with one book."""
    with closing(_connect(folder)) as connection, connection:
        connection.execute("CREATE TABLE books (id INTEGER PRIMARY KEY, title, subject, price, quantity)")
        connection.execute("INSERT INTO books VALUES (?, ?, ?, ?, ?)", (ITEM, TITLE, SUBJECT, PRICE, copies))
    order_log(folder).touch()


def stock_left(folder: Path) -> int:
    """The copies that the catalog believes to have."""
    with closing(_connect(folder)) as connection:
        return int(connection.execute("SELECT quantity FROM books WHERE id = ?", (ITEM,)).fetchone()[0])


def buyers_in_ledger(folder: Path) -> list[str]:
    """The buyer of each order in the log."""
    with order_log(folder).open(newline="") as file:
        return [buyer for _, buyer, _, _ in csv.reader(file)]


def order_log(folder: Path) -> Path:
    """The order server's list of orders."""
    return folder / "orders.csv"


def _connect(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "catalog.db")


def catalog_app(folder: Path) -> Flask:
    """Search, info and update."""
    app = Flask("catalog")

    def books(condition: str, value: object) -> list[dict[str, Any]]:
        with closing(_connect(folder)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(f"SELECT * FROM books WHERE {condition} = ?", (value,))]  # noqa: S608 - a name of ours

    @app.get("/search/<subject>")
    def search(subject: str) -> Response:
        return jsonify(books("subject", subject))

    @app.get("/info/<int:item>")
    def info(item: int) -> tuple[Response, int]:
        found = books("id", item)
        return (jsonify(found[0]), 200) if found else (jsonify(message="no such book"), 404)

    @app.put("/update/<int:item>")
    def update(item: int) -> Response:
        with closing(_connect(folder)) as connection, connection:
            connection.execute("UPDATE books SET quantity = ? WHERE id = ?", (request.get_json()["quantity"], item))
        return jsonify(message="updated")

    return app


def order_app(folder: Path, catalog: str) -> Flask:
    """Purchase: is it in stock, then one less, then the order."""
    app = Flask("order")

    @app.post("/purchase/<int:item>")
    def purchase(item: int) -> tuple[Response, int]:
        answer = http.request("GET", f"{catalog}/info/{item}")
        if answer.status != 200:
            return jsonify(answer.json()), answer.status
        book = answer.json()
        if book["quantity"] <= 0:
            return jsonify(message="out of stock"), 409
        updated = http.request("PUT", f"{catalog}/update/{item}", json={"quantity": book["quantity"] - 1})
        if updated.status != 200:
            return jsonify(message="the catalog could not be updated"), 500
        with order_log(folder).open("a", newline="") as file:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            csv.writer(file).writerow([now, request.get_json()["buyer"], item, book["title"]])
        return jsonify(message=f"bought book {book['title']}"), 200

    return app


def frontend_app(catalog: str, order: str) -> Flask:
    """What customers talk to: passes on what they ask."""
    app = Flask("frontend")

    def passed_on(answer: urllib3.BaseHTTPResponse) -> tuple[bytes, int, dict[str, str]]:
        return answer.data, answer.status, {"Content-Type": "application/json"}

    @app.get("/search/<subject>")
    def search(subject: str) -> tuple[bytes, int, dict[str, str]]:
        return passed_on(http.request("GET", f"{catalog}/search/{subject}"))

    @app.get("/info/<int:item>")
    def info(item: int) -> tuple[bytes, int, dict[str, str]]:
        return passed_on(http.request("GET", f"{catalog}/info/{item}"))

    @app.post("/purchase/<int:item>")
    def purchase(item: int) -> tuple[bytes, int, dict[str, str]]:
        return passed_on(http.request("POST", f"{order}/purchase/{item}", json=request.get_json()))

    return app


def main(server: str, folder: Path, ports: dict[str, int]) -> None:
    """Run one of the three until it is killed."""
    catalog, order = (f"http://{HOST}:{ports[name]}" for name in ("catalog", "order"))
    apps = {
        "frontend": lambda: frontend_app(catalog, order),
        "catalog": lambda: catalog_app(folder),
        "order": lambda: order_app(folder, catalog),
    }
    # The server that every one of these uses; it answers each request in a thread of its own.
    apps[server]().run(HOST, ports[server], threaded=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), dict(zip(SERVERS, map(int, sys.argv[3:]), strict=True)))
