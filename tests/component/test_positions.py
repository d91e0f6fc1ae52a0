"""Bazar-Position: answers say how far they have seen the shop, and none is older than what was seen before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bazar.chassis.headers import POSITION
from conftest import MovableClock
from three_services import ThreeServices


@pytest.fixture
def shop(tmp_path: Path, clock: MovableClock) -> Iterator[ThreeServices]:
    opened = ThreeServices(tmp_path, clock)
    yield opened
    opened.close()


def test_a_purchase_its_refusal_and_their_repetitions_tell_the_same_position(shop: ThreeServices) -> None:
    item = shop.add_book(stock=1)
    for quantity, status in ((1, 201), (1, 409)):
        headers = {"Idempotency-Key": f"to-be-{status}"}
        first, again = (
            shop.call("POST", f"/purchase/{item}", "customer", json={"quantity": quantity}, headers=headers)
            for _ in range(2)
        )
        assert (first.status_code, again.status_code) == (status, status)
        assert first.headers[POSITION] == again.headers[POSITION]


def test_withdrawing_a_book_tells_the_position(shop: ThreeServices) -> None:
    item = shop.add_book()
    before = shop.call("GET", f"/info/{item}").headers[POSITION]
    answer = shop.call("DELETE", f"/books/{item}", "staff")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers[POSITION] != before


def test_a_search_waits_for_what_was_seen_and_else_says_that_it_cannot_answer(shop: ThreeServices) -> None:
    added = shop.call("POST", "/books", "staff", json=_A_BOOK)
    seen = {POSITION: added.headers[POSITION]}
    assert shop.call("GET", "/search?q=lighthouse", headers=seen).status_code == 503
    shop.index_now()
    assert shop.call("GET", "/search?q=lighthouse", headers=seen).json["total"] == 1  # type: ignore[index]  # JSON or None


def test_whatever_is_told_of_a_book_tells_the_position(shop: ThreeServices) -> None:
    item, gone = shop.add_book(stock=1), shop.add_book()
    shop.call("DELETE", f"/books/{gone}", "staff")
    position = shop.call("GET", f"/info/{item}").headers[POSITION]
    for method, path, status, change, headers in (
        ("GET", f"/books/{item}/history", 200, None, {}),
        ("GET", f"/books/{gone}/history", 200, None, {}),
        ("GET", f"/books/{gone + 1}/history", 404, None, {}),
        ("GET", f"/info/{gone}", 404, None, {}),
        ("GET", f"/info/{gone + 1}", 404, None, {}),
        ("PATCH", f"/books/{gone}", 404, {"stock_change": 1}, {}),
        ("PATCH", f"/books/{item}", 409, {"stock_change": -2}, {}),
        ("PATCH", f"/books/{item}", 412, {"stock_change": 1}, {"If-Match": '"7"'}),
    ):
        answer = shop.call(method, path, "staff", json=change, headers=headers)
        assert (answer.status_code, answer.headers.get(POSITION)) == (status, position), path


@pytest.mark.parametrize("position", ["", "x", "e-1-2", "0" * 40, "other-99", "é-1", "EPOCH-999999999"])
def test_a_position_that_was_never_given_out_hides_nothing(shop: ThreeServices, position: str) -> None:
    added = shop.call("POST", "/books", "staff", json=_A_BOOK)
    shop.index_now()
    position = position.replace("EPOCH", added.headers[POSITION].rpartition("-")[0])
    answer = shop.call("GET", "/search?q=lighthouse", headers={POSITION: position})
    assert answer.json["total"] == 1  # type: ignore[index]  # JSON or None


_A_BOOK = {
    "title": "To the Lighthouse",
    "authors": ["Virginia Woolf"],
    "subjects": ["classics"],
    "price": {"amount": 1200, "currency": "USD"},
    "stock": 3,
}
