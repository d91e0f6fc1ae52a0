"""Buy a book on its page: once, whatever happens on the way."""

import pytest

from bazar.contracts.books import Money
from shop_window import Reader, Shop


def usd(amount: int) -> Money:
    return Money(amount=amount, currency="USD")


def test_a_purchase_ends_on_the_page_of_the_order(shop: Shop, customer: Reader) -> None:
    sent = customer.buy(2, 2)
    (order_id,) = shop.till.orders
    assert (sent.status_code, sent.headers["Location"]) == (303, f"/orders/{order_id}?bought=1")
    page = customer.get(sent.headers["Location"])
    assert "bought book Three Left" in page.text
    assert "$25.00" in page.text
    assert order_id in customer.get("/orders").text
    assert "1 left" in customer.get("/books/2").text


def test_the_order_carries_what_was_shown_as_the_expected_total(shop: Shop, customer: Reader) -> None:
    customer.buy(2, 3)
    assert shop.till.asked[0].expected_total == usd(3750)


def test_a_double_click_makes_one_order_under_one_key(shop: Shop, customer: Reader) -> None:
    form = customer.form("/books/2", "/books/2/buy")
    first, second = customer.send(form), customer.send(form)
    assert first.headers["Location"] == second.headers["Location"]
    assert len({request.idempotency_key for request in shop.till.asked}) == 1
    assert len(shop.till.orders) == 1


def test_each_look_at_the_page_is_a_purchase_of_its_own(shop: Shop, customer: Reader) -> None:
    customer.buy(2)
    customer.buy(2)
    assert len({request.idempotency_key for request in shop.till.asked}) == len(shop.till.orders) == 2


def test_too_few_copies_are_said_on_the_page_of_the_book(shop: Shop, customer: Reader) -> None:
    page = customer.buy(2, 5)
    assert page.status_code == 409
    assert "<b>Three Left</b>: you asked for 5 copies, and 3 are left." in page.text
    assert "Nothing was bought." in page.text
    assert customer.send(customer.form(page, "/books/2/buy")).status_code == 303
    assert len(shop.till.orders) == 1


def test_the_last_copy_gone_is_said_and_the_form_goes_away(shop: Shop, customer: Reader) -> None:
    form = customer.form("/books/2", "/books/2/buy")
    shop.shelves.change(2, quantity=0)
    page = customer.send(form)
    assert page.status_code == 409
    assert "no copy is left" in page.text
    assert 'action="/books/2/buy"' not in page.text


def test_another_price_than_the_one_shown_buys_nothing(shop: Shop, customer: Reader) -> None:
    form = customer.form("/books/2", "/books/2/buy")
    shop.shelves.change(2, price=usd(1300))
    page = customer.send(form)
    assert page.status_code == 409
    assert "A copy is now $13.00." in page.text
    assert not shop.till.orders
    assert customer.send(customer.form(page, "/books/2/buy")).status_code == 303


def test_an_unknown_outcome_is_asked_again_under_the_same_key(shop: Shop, customer: Reader) -> None:
    form = customer.form("/books/2", "/books/2/buy")
    with shop.till.away():
        page = customer.send(form, quantity="2")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "1")
    assert page.headers["Cache-Control"] == "no-store"
    again = customer.send(customer.form(page, "/books/2/buy"))
    assert again.status_code == 303
    assert shop.till.asked[0] == shop.till.asked[1]


def test_the_outcome_can_be_asked_for_while_the_catalog_is_away_too(shop: Shop, customer: Reader) -> None:
    form = customer.form("/books/2", "/books/2/buy")
    with shop.till.away(), shop.shelves.away():
        page = customer.send(form)
    assert page.status_code == 503
    assert customer.send(customer.form(page, "/books/2/buy")).status_code == 303
    assert shop.till.asked[0] == shop.till.asked[1]


def test_a_refusal_is_told_while_the_catalog_is_away(shop: Shop, customer: Reader) -> None:
    form = customer.form("/books/2", "/books/2/buy")
    with shop.shelves.away():
        page = customer.send(form, quantity="4")
    assert page.status_code == 409
    assert "you asked for 4 copies" in page.text


def test_back_and_another_quantity_does_not_pass_for_the_first_purchase(shop: Shop, customer: Reader) -> None:
    form = customer.form("/books/2", "/books/2/buy")
    customer.send(form)
    page = customer.send(form, quantity="2")
    assert page.status_code == 422
    assert "This form was sent before" in page.text
    assert len(shop.till.orders) == 1


@pytest.mark.parametrize(
    "changed",
    [
        *({"quantity": quantity} for quantity in ("", "0", "-1", "1.5", "x", "1000001", "9" * 30, "٣")),
        {"key": ""},
        {"key": "k" * 256},
        {"key": "ä"},
        {"price": "-5"},
        {"price": "1000000001"},
        {"currency": "dollars"},
    ],
)
def test_a_form_that_does_not_fit_buys_nothing(shop: Shop, customer: Reader, changed: dict[str, str]) -> None:
    page = customer.send(customer.form("/books/2", "/books/2/buy"), **changed)
    assert page.status_code == 422
    assert "whole number of copies" in page.text
    assert not shop.till.asked


def test_a_book_that_is_not_sold_any_more_is_a_404(shop: Shop, customer: Reader) -> None:
    form = customer.form("/books/2", "/books/2/buy")
    del shop.shelves.books[2]
    page = customer.send(form)
    assert page.status_code == 404
    assert "We sell no such book" in page.text


def test_guests_sign_in_first_and_come_back_to_the_book(shop: Shop, guest: Reader) -> None:
    assert 'action="/books/2/buy"' not in guest.get("/books/2").text
    token = guest.form("/sign-in", "/sign-in").fields["form_token"]
    sent = guest.post("/books/2/buy", {"form_token": token, "quantity": "1"})
    assert (sent.status_code, sent.headers["Location"]) == (303, "/sign-in?next=%2Fbooks%2F2")
    assert not shop.till.asked


def test_the_address_of_the_form_leads_back_to_the_book(guest: Reader) -> None:
    assert guest.get("/books/2/buy").headers["Location"] == "/books/2"


def test_a_buyer_is_not_shown_a_catalog_from_before_the_purchase(customer: Reader) -> None:
    assert customer.buy(2).headers["Bazar-Position"] == "ab12cd34-8"


def test_orders_are_listed_newest_first_page_by_page(customer: Reader) -> None:
    for number in range(5, 26):
        customer.buy(number)
    page = customer.get("/orders").text
    assert page.index("Volume 25") < page.index("Volume 24")
    assert "Volume 5<" not in page
    assert "Volume 5<" in customer.get("/orders?cursor=20").text


def test_the_order_of_another_is_not_found(shop: Shop, customer: Reader) -> None:
    address = customer.buy(2).headers["Location"]
    other = shop.customer("bob@example.org")
    assert other.get(address).status_code == 404
    assert "Three Left" not in other.get("/orders").text
