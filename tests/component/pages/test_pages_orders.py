"""My orders, and cancelling one."""

import pytest

from bazar.contracts.counter import Move, MoveOrder
from conftest import MovableClock
from shop_in_process import AmpleTime
from shop_window import Reader, Shop, links
from stand_ins import a_book


@pytest.fixture
def order(customer: Reader) -> str:
    """The address of an order of book 2."""
    return customer.buy(2).headers["Location"].removesuffix("?bought=1")


def test_an_order_is_cancelled_by_its_form(customer: Reader, order: str) -> None:
    form = customer.form(order, f"{order}/cancel")
    sent = customer.send(form)
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{order}?cancelled=1")
    page = customer.get(sent.headers["Location"]).text
    assert "The order is cancelled." in page
    assert "/cancel" not in page
    assert "Cancelled" in customer.get("/orders").text
    assert customer.send(form).status_code == 303


def test_the_form_is_offered_within_the_shops_time(customer: Reader, order: str, clock: MovableClock) -> None:
    assert "until 1:00" in customer.get(order).text
    clock.advance(hours=1)
    assert "/cancel" not in customer.get(order).text


def test_too_late_is_said(shop: Shop, customer: Reader, order: str) -> None:
    form = customer.form(order, f"{order}/cancel")
    shop.till.is_too_late = True
    page = customer.send(form)
    assert page.status_code == 409
    assert "It is too late to cancel" in page.text


def test_the_reader_sees_how_far_the_order_is(shop: Shop, customer: Reader, order: str) -> None:
    order_id = order.removeprefix("/orders/")
    told = {"placed": "We lay the books out", "ready": "the books wait for you", "collected": "Collected and paid: "}
    words = {"placed": "Placed", "ready": "Ready to collect", "collected": "Collected"}
    moves: tuple[Move | None, ...] = (None, "ready", "collected")
    for move in moves:
        if move is not None:
            shop.till.move(order_id, MoveOrder(actor="stella", to=move), AmpleTime())
        assert told[move or "placed"] in customer.get(order).text
        assert words[move or "placed"] in customer.get("/orders").text
    assert "/cancel" not in customer.get(order).text


def test_what_was_collected_meanwhile_is_not_cancelled(shop: Shop, customer: Reader, order: str) -> None:
    form = customer.form(order, f"{order}/cancel")
    shop.till.move(order.removeprefix("/orders/"), MoveOrder(actor="stella", to="collected"), AmpleTime())
    page = customer.send(form)
    assert page.status_code == 409
    assert "The books have been collected." in page.text


def test_the_order_of_another_cannot_be_cancelled(shop: Shop, customer: Reader, order: str) -> None:
    other = shop.customer("bob@example.org")
    token = other.form("/", "/sign-out").fields["form_token"]
    assert other.post(f"{order}/cancel", {"form_token": token}).status_code == 404
    assert "Cancelled" not in customer.get("/orders").text


def test_without_the_order_server_nothing_is_claimed(shop: Shop, customer: Reader, order: str) -> None:
    form = customer.form(order, f"{order}/cancel")
    with shop.till.away():
        assert customer.send(form).status_code == 503
    assert customer.send(form).status_code == 303


def test_guests_sign_in_first(guest: Reader, order: str) -> None:
    token = guest.form("/sign-in", "/sign-in").fields["form_token"]
    assert guest.post(f"{order}/cancel", {"form_token": token}).headers["Location"].startswith("/sign-in")


def test_a_book_that_is_no_longer_sold_is_no_dead_link(shop: Shop, customer: Reader, order: str) -> None:
    assert links(customer.get(order).text, "Three Left") == ["/books/2"]
    with shop.shelves.away():
        assert links(customer.get(order).text, "Three Left") == ["/books/2"]
    del shop.shelves.books[2]
    page = customer.get(order).text
    assert links(page, "Three Left") == []
    assert "no longer sold" in page


def test_a_cancelled_order_is_put_into_the_basket_again(shop: Shop, customer: Reader) -> None:
    customer.put(2, 2)
    customer.put(5)
    order = customer.buy_basket().headers["Location"].removesuffix("?bought=1")
    assert "/again" not in customer.get(order).text
    customer.send(customer.form(order, f"{order}/cancel"))
    form = customer.form(order, f"{order}/again")
    customer.put(2)
    for _ in range(2):
        assert customer.send(form).headers["Location"] == "/basket"
    fields = customer.form("/basket", "/basket").fields
    assert {name: value for name, value in fields.items() if name.startswith("copies-")} == {
        "copies-2": "2",
        "copies-5": "1",
    }
    del shop.shelves.books[2], shop.shelves.books[5]
    assert "/again" not in customer.get(order).text
    assert shop.customer("ben@example.org").send(form).status_code == 403
    stranger = shop.customer("cy@example.org")
    token = stranger.form("/", "/sign-out").fields["form_token"]
    assert stranger.send(form, form_token=token).status_code == 404


def test_a_basket_that_is_full_takes_no_order_again(shop: Shop, customer: Reader, order: str) -> None:
    customer.send(customer.form(order, f"{order}/cancel"))
    for number in range(100, 200):
        shop.shelves.books[number] = a_book(number, f"Volume {number}")
    put = customer.form("/books/5", "/books/5/basket")
    for number in range(100, 200):
        customer.post(f"/books/{number}/basket", put.fields)
    page = customer.send(customer.form(order, f"{order}/again"))
    assert page.status_code == 422
    assert "Your basket is full" in page.text
