"""Cancel an order: who may, until when, and what everybody sees of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bazar.contracts.counter import MoveOrder
from bazar.order.use_cases.hand_out_orders import HandOutOrders
from conftest import MovableClock
from three_services import CUSTOMERS_TIME, ThreeServices


@pytest.fixture
def shop(tmp_path: Path, clock: MovableClock) -> Iterator[ThreeServices]:
    opened = ThreeServices(tmp_path, clock)
    yield opened
    opened.close()


def buy(shop: ThreeServices, item_number: int, quantity: int = 1, key: str = "k") -> Any:
    answer = shop.call(
        "POST", f"/purchase/{item_number}", "customer", json={"quantity": quantity}, headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 201, answer.text
    return answer.json


def quantity_of(shop: ThreeServices, item_number: int) -> int:
    return int(shop.call("GET", f"/info/{item_number}").json["quantity"])  # type: ignore[index]  # JSON or None


def test_the_owner_cancels_and_the_copies_are_back(shop: ThreeServices) -> None:
    item = shop.add_book(stock=3)
    order = buy(shop, item, 2)
    answer = shop.call("POST", f"/orders/{order['order_id']}/cancel", "customer")
    assert (answer.status_code, answer.json) == (200, {**order, "status": "cancelled"})
    assert quantity_of(shop, item) == 3


def test_cancelling_again_gives_the_same_answer_and_returns_nothing_more(shop: ThreeServices) -> None:
    item = shop.add_book(stock=3)
    path = f"/orders/{buy(shop, item)['order_id']}/cancel"
    first = shop.call("POST", path, "customer")
    again = [shop.call("POST", path, who) for who in ("customer", "staff")]
    assert {answer.data for answer in again} == {first.data}
    assert quantity_of(shop, item) == 3


def test_a_cancelled_order_stays_in_the_list_and_its_purchase_keeps_its_answer(shop: ThreeServices) -> None:
    item = shop.add_book(stock=3)
    order = buy(shop, item)
    shop.call("POST", f"/orders/{order['order_id']}/cancel", "customer")
    listed = shop.call("GET", "/orders", "customer").json
    assert [one["status"] for one in listed["items"]] == ["cancelled"]  # type: ignore[index]  # JSON or None
    assert shop.call("GET", f"/orders/{order['order_id']}", "customer").json == {**order, "status": "cancelled"}
    assert buy(shop, item) == order
    assert quantity_of(shop, item) == 3


def test_after_the_shops_time_the_customer_is_too_late_and_staff_are_not(
    shop: ThreeServices, clock: MovableClock
) -> None:
    item = shop.add_book(stock=3)
    path = f"/orders/{buy(shop, item)['order_id']}/cancel"
    clock.advance(seconds=CUSTOMERS_TIME.total_seconds() + 1)
    late = shop.call("POST", path, "customer")
    assert (late.status_code, late.json["type"]) == (409, "/problems/too-late")  # type: ignore[index]  # JSON or None
    assert quantity_of(shop, item) == 2
    assert shop.call("POST", path, "staff").status_code == 200
    assert quantity_of(shop, item) == 3


def test_what_was_collected_is_cancelled_by_nobody(shop: ThreeServices) -> None:
    item = shop.add_book(stock=3)
    order = buy(shop, item)
    hand_out = HandOutOrders(shop.orders, shop.clock)
    hand_out.move_order(order["order_id"], MoveOrder(actor="staff", to="ready"))
    assert shop.call("GET", f"/orders/{order['order_id']}", "customer").json == order
    hand_out.move_order(order["order_id"], MoveOrder(actor="staff", to="collected"))
    for who in ("customer", "staff"):
        refused = shop.call("POST", f"/orders/{order['order_id']}/cancel", who)
        assert (refused.status_code, refused.json["type"]) == (409, "/problems/too-late")  # type: ignore[index]  # JSON or None
    assert shop.call("GET", f"/orders/{order['order_id']}", "customer").json == order
    assert quantity_of(shop, item) == 2


def test_nobody_cancels_the_order_of_another(shop: ThreeServices) -> None:
    item = shop.add_book(stock=3)
    path = f"/orders/{buy(shop, item)['order_id']}/cancel"
    assert shop.call("POST", path, "other").status_code == 404
    assert shop.call("POST", path).status_code == 401
    assert quantity_of(shop, item) == 2


def test_a_refused_purchase_cannot_be_cancelled(shop: ThreeServices) -> None:
    item = shop.add_book(stock=1)
    refused = shop.call("POST", f"/purchase/{item}", "customer", json={"quantity": 2}, headers={"Idempotency-Key": "k"})
    assert refused.status_code == 409
    with_id = shop.everything()["order.decisions"][0][0]
    assert shop.call("POST", f"/orders/{with_id}/cancel", "staff").status_code == 404


def test_the_history_of_the_book_shows_the_sale_and_the_return(shop: ThreeServices) -> None:
    item = shop.add_book(stock=3)
    order_id = buy(shop, item, 2)["order_id"]
    shop.call("POST", f"/orders/{order_id}/cancel", "customer")
    history = shop.call("GET", f"/books/{item}/history", "staff").json
    moves = sorted(
        (entry["kind"], entry["stock_change"], entry["order_id"])
        for entry in history["items"]  # type: ignore[index]  # JSON or None
    )
    assert moves == [("added", 3, None), ("returned", 2, order_id), ("sold", -2, order_id)]
