"""The basket: for guests too, honest about what has changed, bought once whatever happens on the way."""

import re

import pytest

from bazar.contracts.books import Money
from bazar.frontend.domain.basket import Basket
from bazar.frontend.pages.basket_cookie import BASKET_COOKIE
from bazar.frontend.use_cases.baskets import Baskets, Owner
from shop_window import GUESTS_PER_MINUTE, Reader, Shop
from stand_ins import a_book


def usd(amount: int) -> Money:
    return Money(amount=amount, currency="USD")


def in_basket(reader: Reader) -> dict[int, int]:
    """Copies by item number, as the form of the basket has them."""
    page = reader.get("/basket").text
    return {int(number): int(copies) for number, copies in re.findall(r'id="copies-(\d+)".*?value="(\d+)"', page)}


def badge(reader: Reader) -> str:
    return "".join(re.findall(r'id="basket-copies"[^>]*>([^<]*)<', reader.get("/books/2").text))


def test_a_guest_fills_a_basket_and_sees_it_on_every_page(guest: Reader) -> None:
    assert badge(guest) == ""
    sent = guest.put(2, 2)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/basket")
    (cookie,) = (cookie for cookie in sent.headers.getlist("Set-Cookie") if BASKET_COOKIE in cookie)
    assert all(part in cookie for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age="))
    guest.put(5)
    guest.put(2)
    assert in_basket(guest) == {2: 3, 5: 1}
    assert badge(guest) == "4"
    assert "$50.00" in guest.get("/basket").text


def test_what_changes_while_the_basket_is_drawn_does_not_stand_beside_it(
    guest: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest.put(2, 2)
    read, owners = Baskets.of, list[Owner]()

    def read_once(baskets: Baskets, owner: Owner) -> Basket | None:
        owners.append(owner)
        return read(baskets, owner) if len(owners) == 1 else None

    monkeypatch.setattr(Baskets, "of", read_once)
    page = guest.get("/basket").text
    assert 'value="2"' in page
    assert re.findall(r'id="basket-copies"[^>]*>([^<]*)<', page) == ["2"]


def test_whoever_has_a_basket_puts_in_from_the_page_of_the_book(guest: Reader) -> None:
    assert guest.form("/books/5", "/books/5/basket").method == "get"
    guest.put(2)
    form = guest.form("/books/5", "/books/5/basket")
    assert form.method == "post"
    assert guest.send(form, quantity="3").status_code == 303
    assert in_basket(guest) == {2: 1, 5: 3}


def test_the_number_chosen_on_a_page_for_everybody_is_kept(guest: Reader) -> None:
    form = guest.form("/books/2", "/books/2/basket")
    page = guest.get(f"{form.action}?quantity=3")
    assert guest.form(page, "/books/2/basket").fields["quantity"] == "3"
    for nonsense in ("x", "-1", "9" * 30, "%00"):
        page = guest.get(f"{form.action}?quantity={nonsense}")
        assert guest.form(page, "/books/2/basket").fields["quantity"] == "1"


def test_a_script_is_told_the_number_of_copies(guest: Reader) -> None:
    form = guest.form("/books/2/basket", "/books/2/basket")
    answer = guest.post(form.action, {**form.fields, "quantity": "2"}, Accept="application/json")
    assert (answer.status_code, answer.json) == (200, {"copies": 2})
    assert answer.headers["Cache-Control"] == "no-store"


def test_baskets_are_kept_apart(shop: Shop, guest: Reader, customer: Reader) -> None:
    guest.put(2)
    customer.put(5)
    assert (in_basket(guest), in_basket(customer)) == ({2: 1}, {5: 1})
    assert in_basket(shop.reader()) == {}


def test_pages_with_a_basket_are_kept_by_no_cache(guest: Reader) -> None:
    guest.put(2)
    for path in ("/", "/books/5", "/basket", "/search?q=a", "/nothing"):
        assert guest.get(path).headers["Cache-Control"] == "no-store"


def test_a_guests_basket_comes_along_at_sign_in(shop: Shop, customer: Reader) -> None:
    customer.put(2, 2)
    customer.put(5)
    elsewhere = shop.reader()
    elsewhere.put(2)
    elsewhere.put(6, 4)
    form = elsewhere.form("/sign-in?next=/basket", "/sign-in")
    sent = elsewhere.send(form, email="ann@example.org", password="violet tables dance")
    assert sent.headers["Location"] == "/basket"
    assert in_basket(elsewhere) == in_basket(customer) == {2: 2, 5: 1, 6: 4}
    elsewhere.send(elsewhere.form("/", "/sign-out"))
    assert in_basket(elsewhere) == {}


def test_a_guests_basket_comes_along_at_registration(guest: Reader) -> None:
    guest.put(2)
    guest.register()
    assert in_basket(guest) == {2: 1}


def test_numbers_are_changed_and_books_taken_out(guest: Reader) -> None:
    guest.put(2)
    guest.put(5)
    guest.put(6)
    changed = {"copies-2": "3", "copies-5": "0", "copies-99": "7"}
    assert guest.send(guest.form("/basket", "/basket"), **changed).status_code == 303
    assert in_basket(guest) == {2: 3, 6: 1}
    guest.send(guest.form("/basket", "/basket/remove"), item_number="2")
    assert in_basket(guest) == {6: 1}
    guest.send(guest.form("/basket", "/basket/remove"), item_number="6")
    assert "There is nothing in it yet" in guest.get("/basket").text


def test_what_is_typed_counts_whichever_button_is_pressed(shop: Shop, guest: Reader) -> None:
    for number in (2, 5, 6):
        guest.put(number)
    changed = {"copies-2": "3", "copies-5": "", "copies-6": "4"}
    assert guest.send(guest.form("/basket", "/basket/remove"), item_number="5", **changed).status_code == 303
    assert in_basket(guest) == {2: 3, 6: 4}
    shop.shelves.change(6, quantity=2)
    assert guest.send(guest.form("/basket", "/basket/adjust"), **{"copies-2": "1"}).status_code == 303
    assert in_basket(guest) == {2: 1, 6: 2}


@pytest.mark.parametrize("quantity", ["", "-1", "1.5", "x", "10001", "9" * 30, "٣"])
def test_a_number_that_does_not_fit_changes_nothing(guest: Reader, quantity: str) -> None:
    guest.put(2)
    page = guest.send(guest.form("/basket", "/basket"), **{"copies-2": quantity})
    assert page.status_code == 422
    assert "whole number of copies" in page.text
    put = guest.send(guest.form("/books/5/basket", "/books/5/basket"), quantity=quantity)
    assert put.status_code == 422
    assert guest.send(guest.form("/basket", "/basket/remove"), item_number="x").status_code == 422
    assert in_basket(guest) == {2: 1}


def test_what_is_not_sold_cannot_be_put_in(shop: Shop, guest: Reader) -> None:
    form = guest.form("/books/2/basket", "/books/2/basket")
    del shop.shelves.books[2]
    assert guest.send(form, quantity="1").status_code == 404
    assert guest.get("/books/99/basket").status_code == 404


def test_more_titles_than_an_order_can_have_are_refused(shop: Shop, customer: Reader) -> None:
    for number in range(100, 200):
        shop.shelves.books[number] = a_book(number, f"Volume {number}")
    form = customer.form("/books/5", "/books/5/basket")
    for number in range(100, 200):
        assert customer.post(f"/books/{number}/basket", form.fields).status_code == 303
    page = customer.send(form)
    assert page.status_code == 422
    assert "Your basket is full" in page.text
    assert len(in_basket(customer)) == 100
    assert customer.buy_basket().status_code == 303


def test_a_price_that_has_changed_is_said_before_buying(shop: Shop, customer: Reader) -> None:
    customer.put(2)
    shop.shelves.change(2, price=usd(1300))
    page = customer.get("/basket").text
    assert "It was $12.50 when you put it in." in page
    assert "Buy for $13.00" in page
    assert customer.buy_basket().status_code == 303
    assert shop.till.asked[0].expected_total is not None
    assert shop.till.asked[0].expected_total.amount == 1300


def test_what_cannot_be_had_is_said_line_by_line_and_can_be_mended_at_once(shop: Shop, customer: Reader) -> None:
    for number, quantity in ((2, 3), (5, 1), (6, 1), (7, 1)):
        customer.put(number, quantity)
    shop.shelves.change(2, quantity=2)
    shop.shelves.change(5, quantity=0)
    del shop.shelves.books[6]
    page = customer.get("/basket").text
    assert "Only 2 copies are left." in page
    assert "Sold out since you put it in." in page
    assert "We no longer sell this book." in page
    assert 'action="/basket/buy"' not in page
    assert customer.send(customer.form("/basket", "/basket/adjust")).status_code == 303
    assert in_basket(customer) == {2: 2, 7: 1}
    assert customer.buy_basket().status_code == 303


def test_without_the_catalog_the_basket_is_shown_as_it_was(shop: Shop, guest: Reader) -> None:
    guest.put(2, 2)
    with shop.shelves.away():
        page = guest.get("/basket")
    assert page.status_code == 200
    assert "Three Left · 2 copies · $12.50" in page.text
    assert "/basket/buy" not in page.text


def test_guests_are_led_to_sign_in_and_back(guest: Reader) -> None:
    guest.put(2)
    page = guest.get("/basket").text
    assert "Buy for" not in page
    sent = guest.send(guest.form("/basket", "/basket/buy"), **{"copies-2": "3"})
    assert (sent.status_code, sent.headers["Location"]) == (303, "/sign-in?next=%2Fbasket")
    assert in_basket(guest) == {2: 3}, "what was typed is lost"
    assert guest.send(guest.form("/basket", "/basket/buy"), **{"copies-2": "x"}).status_code == 422


def test_too_many_guests_of_one_address_are_told_when_to_come_back(shop: Shop, customer: Reader) -> None:
    guests = [shop.reader() for _ in range(GUESTS_PER_MINUTE)]
    assert {guest.put(2).status_code for guest in guests} == {303}
    page = shop.reader().put(2)
    assert (page.status_code, page.headers["Retry-After"]) == (429, "60")
    assert "Please wait a minute" in page.text
    assert not any("basket" in cookie for cookie in page.headers.getlist("Set-Cookie"))
    assert guests[0].put(3).status_code == customer.put(3).status_code == 303
