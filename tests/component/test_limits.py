"""What is just within a limit works, from the request to the list of orders."""

import pytest

from bazar.chassis.bodies import LARGEST_BODY_BYTES
from bazar.contracts.books import HIGHEST_PRICE_MINOR, MOST_COPIES, MOST_COPIES_A_LINE
from bazar.contracts.purchasing import MOST_LINES
from three_services import ThreeServices


def test_an_order_may_cost_more_than_any_book(shop: ThreeServices) -> None:
    price = {"amount": HIGHEST_PRICE_MINOR, "currency": "USD"}
    number = shop.add_book(price=price, stock=MOST_COPIES)
    body = {
        "quantity": MOST_COPIES_A_LINE,
        "expected_total": {"amount": HIGHEST_PRICE_MINOR * MOST_COPIES_A_LINE, "currency": "USD"},
    }
    bought = shop.call("POST", f"/purchase/{number}", "customer", json=body, headers={"Idempotency-Key": "dear"})
    assert bought.status_code == 201, bought.text
    order = bought.json
    assert order["total"]["amount"] == HIGHEST_PRICE_MINOR * MOST_COPIES_A_LINE  # type: ignore[index]  # JSON or None
    assert shop.call("GET", f"/orders/{order['order_id']}", "customer").json == order  # type: ignore[index]  # JSON or None
    assert order in shop.call("GET", "/orders", "customer").json["items"]  # type: ignore[index]  # JSON or None


def test_an_order_may_be_dearer_than_numbers_of_json_readers(shop: ThreeServices) -> None:
    price = {"amount": HIGHEST_PRICE_MINOR, "currency": "USD"}
    numbers = [shop.add_book(price=price, stock=MOST_COPIES_A_LINE) for _ in range(MOST_LINES)]
    lines = [{"item_number": number, "quantity": MOST_COPIES_A_LINE} for number in numbers]
    bought = shop.call("POST", "/orders", "customer", json={"lines": lines}, headers={"Idempotency-Key": "dearer"})
    assert bought.status_code == 201, bought.text
    total = HIGHEST_PRICE_MINOR * MOST_COPIES_A_LINE * MOST_LINES
    assert bought.json["total"]["amount"] == total  # type: ignore[index]  # JSON or None
    assert shop.call("GET", "/orders", "customer").status_code == 200


def test_a_price_that_was_another_is_told_whatever_the_total(shop: ThreeServices) -> None:
    number = shop.add_book(price={"amount": HIGHEST_PRICE_MINOR, "currency": "USD"})
    body = {"quantity": 2, "expected_total": {"amount": 2**53 - 1, "currency": "USD"}}
    answer = shop.call("POST", f"/purchase/{number}", "customer", json=body, headers={"Idempotency-Key": "moved"})
    assert answer.status_code == 409
    assert answer.json["total"]["amount"] == 2 * HIGHEST_PRICE_MINOR  # type: ignore[index]  # JSON or None


@pytest.mark.parametrize("key", ["!", "~" * 255])
def test_a_key_may_have_1_or_255_characters(shop: ThreeServices, key: str) -> None:
    number = shop.add_book()
    for _ in range(2):
        answer = shop.call("POST", f"/purchase/{number}", "customer", headers={"Idempotency-Key": key})
        assert answer.status_code == 201
    assert shop.call("GET", f"/info/{number}").json["quantity"] == 9  # type: ignore[index]  # JSON or None


def test_a_body_may_have_as_many_bytes_as_the_limit(shop: ThreeServices) -> None:
    number = shop.add_book()
    body = b"{}".ljust(LARGEST_BODY_BYTES)
    assert shop.call("PATCH", f"/books/{number}", "staff", body=body).status_code == 200


def test_the_longest_names_are_kept_and_found(shop: ThreeServices) -> None:
    subject, title = "\U0001f4da" * 400, "\U0001f4d6" * 2_000
    number = shop.add_book(title=title, subjects=[subject], authors=[title], blurb="x" * 10_000)
    shop.index_now()
    assert shop.call("GET", f"/info/{number}").json["title"] == title  # type: ignore[index]  # JSON or None
    found = shop.call("GET", f"/search/{subject}").json
    assert [book["item_number"] for book in found["items"]] == [number]  # type: ignore[index]  # JSON or None


def test_a_sign_of_nothing_is_as_good_as_none_in_a_query(shop: ThreeServices) -> None:
    assert shop.call("GET", "/search?q=&subject=&limit=&cursor=&sort=&in_stock=&min_price=").status_code == 200


def test_a_change_of_nothing_changes_nothing(shop: ThreeServices) -> None:
    number = shop.add_book()
    before = shop.everything()
    assert shop.call("PATCH", f"/books/{number}", "staff", json={}).status_code == 200
    assert shop.everything() == before


@pytest.mark.parametrize("tag", ['"1"', "*", '"9", "1"', ' "1" ', 'W/"1", "1"'])
def test_an_if_match_that_names_the_current_version_lets_through(shop: ThreeServices, tag: str) -> None:
    number = shop.add_book()
    for any_match, status in ((tag, 200), ("*", 200), ('"999"', 412)):
        told = shop.call("GET", f"/info/{number}", headers={"If-Match": any_match})
        assert (told.status_code, "problem" in str(told.mimetype)) == (status, status == 412)
    answer = shop.call("PATCH", f"/books/{number}", "staff", json={"title": "Another"}, headers={"If-Match": tag})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
