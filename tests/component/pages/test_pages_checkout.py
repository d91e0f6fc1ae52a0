"""Buy the basket: one order under one key, and the truth about everything that comes between."""

from typing import NoReturn

import pytest

from bazar.chassis.database import StorageUnavailable
from bazar.contracts.books import Money
from bazar.frontend.pages.wording import order_number
from bench.visitor import fields_to_buy
from shop_window import Reader, Shop


def usd(amount: int) -> Money:
    return Money(amount=amount, currency="USD")


@pytest.fixture
def buyer(customer: Reader) -> Reader:
    """A customer with two copies of book 2 and one of book 5 in the basket."""
    customer.put(2, 2)
    customer.put(5)
    return customer


def total_asked(shop: Shop) -> int:
    """What the last purchase was meant to cost."""
    expected = shop.till.asked[-1].expected_total
    assert expected is not None
    return expected.amount


def out_of_order(*_: object) -> NoReturn:
    raise StorageUnavailable("database is locked")


def is_empty(reader: Reader) -> bool:
    return "There is nothing in it yet" in reader.get("/basket").text


def test_the_visitors_of_the_benchmark_send_what_a_browser_sends(buyer: Reader) -> None:
    """They read pages by patterns of their own, for speed."""
    page = buyer.get("/basket")
    assert fields_to_buy(page.text) == buyer.form(page, "/basket/buy").fields


def test_a_purchase_ends_on_the_page_of_the_order_and_empties_the_basket(shop: Shop, buyer: Reader) -> None:
    sent = buyer.buy_basket()
    (order_id,) = shop.till.orders
    assert (sent.status_code, sent.headers["Location"]) == (303, f"/orders/{order_id}?bought=1")
    page = buyer.get(sent.headers["Location"]).text
    assert "<strong>bought books Three Left, Volume 5</strong>" in page
    assert f"It is order number <code>{order_number(order_id)}</code>" in page
    assert "$37.50" in page
    assert is_empty(buyer)
    assert total_asked(shop) == 3750


def test_a_double_click_back_and_a_resend_make_one_order(shop: Shop, buyer: Reader) -> None:
    form = buyer.form("/basket", "/basket/buy")
    answers = [buyer.send(form).headers["Location"] for _ in range(3)]
    assert len(set(answers)) == len(shop.till.orders) == 1


def test_a_resend_does_not_take_out_what_was_put_in_since(buyer: Reader) -> None:
    form = buyer.form("/basket", "/basket/buy")
    buyer.send(form)
    buyer.put(5, 4)
    buyer.send(form)
    assert buyer.form("/basket", "/basket").fields["copies-5"] == "4"


@pytest.mark.parametrize(("typed", "total"), [("1", 2500), ("3", 5000), ("0", 1250)])
def test_a_number_that_was_only_typed_is_bought_once_its_sum_was_shown(
    shop: Shop, buyer: Reader, typed: str, total: int
) -> None:
    page = buyer.buy_basket(**{"copies-2": typed})
    assert page.status_code == 409
    assert "The sum has changed" in page.text
    assert f"The sum is now ${total / 100:.2f}." in page.text
    assert not shop.till.asked
    assert buyer.send(buyer.form(page, "/basket/buy")).status_code == 303
    assert total_asked(shop) == total


def test_a_basket_of_which_nothing_is_left_when_it_is_bought_buys_nothing(shop: Shop, buyer: Reader) -> None:
    page = buyer.buy_basket(**{"copies-2": "0", "copies-5": "0"})
    assert page.status_code == 409
    assert "There is nothing in it yet" in page.text
    assert not shop.till.asked


def test_a_form_that_does_not_tell_what_it_showed_shows_the_sum_first(shop: Shop, buyer: Reader) -> None:
    form = buyer.form("/basket", "/basket/buy")
    older = {name: value for name, value in form.fields.items() if not name.startswith("shown-")}
    assert buyer.post(form.action, older).status_code == 409
    assert not shop.till.asked


def test_the_same_basket_in_two_tabs_is_bought_once(shop: Shop, buyer: Reader) -> None:
    tabs = [buyer.form("/basket", "/basket/buy") for _ in range(2)]
    assert {buyer.send(tab).status_code for tab in tabs} == {303}
    assert len(shop.till.orders) == 1


def test_what_was_put_in_meanwhile_stays(shop: Shop, buyer: Reader) -> None:
    form = buyer.form("/basket", "/basket/buy")
    buyer.put(6)
    assert buyer.send(form).status_code == 303
    (_, order) = next(iter(shop.till.orders.values()))
    assert [line.item_number for line in order.lines] == [2, 5]
    assert [name for name in buyer.form("/basket", "/basket").fields if name.startswith("copies-")] == ["copies-6"]


def test_each_basket_is_a_purchase_of_its_own(shop: Shop, buyer: Reader) -> None:
    buyer.buy_basket()
    buyer.put(5)
    buyer.buy_basket()
    assert len(shop.till.orders) == 2


def test_a_form_of_an_older_basket_does_not_pass_for_a_new_purchase(shop: Shop, buyer: Reader) -> None:
    old = buyer.form("/basket", "/basket/buy")
    buyer.put(6)
    buyer.buy_basket()
    page = buyer.send(old)
    assert page.status_code == 422
    assert "This form was sent before" in page.text
    assert len(shop.till.orders) == 1


def test_a_changed_price_buys_nothing_is_said_and_can_be_bought_then(shop: Shop, buyer: Reader) -> None:
    form = buyer.form("/basket", "/basket/buy")
    shop.shelves.change(5, price=usd(1300))
    page = buyer.send(form)
    assert page.status_code == 409
    assert "The price has changed" in page.text
    assert "It was $12.50 when you put it in." in page.text
    assert not shop.till.orders
    assert buyer.send(buyer.form(page, "/basket/buy")).status_code == 303
    assert total_asked(shop) == 3800


def test_too_few_copies_are_said_line_by_line_and_the_rest_can_be_bought(shop: Shop, buyer: Reader) -> None:
    form = buyer.form("/basket", "/basket/buy")
    shop.shelves.change(2, quantity=1)
    shop.shelves.change(5, quantity=0)
    page = buyer.send(form)
    assert page.status_code == 409
    assert "<b>Three Left</b>: you asked for 2 copies, and 1 is left." in page.text
    assert "<b>Volume 5</b>: sold out." in page.text
    buyer.send(buyer.form(page, "/basket/adjust"))
    assert buyer.buy_basket().status_code == 303
    (_, order) = next(iter(shop.till.orders.values()))
    assert [(line.item_number, line.quantity) for line in order.lines] == [(2, 1)]


def test_a_book_that_left_the_shop_is_said_and_the_key_is_kept(shop: Shop, buyer: Reader) -> None:
    form = buyer.form("/basket", "/basket/buy")
    left = shop.shelves.books.pop(5)
    page = buyer.send(form)
    assert page.status_code == 404
    assert "A book is no longer sold" in page.text
    shop.shelves.books[5] = left
    assert buyer.send(form).status_code == 303


def test_an_unknown_outcome_is_asked_again_under_the_same_key(shop: Shop, buyer: Reader) -> None:
    form = buyer.form("/basket", "/basket/buy")
    with shop.till.away():
        page = buyer.send(form)
    assert (page.status_code, page.headers["Retry-After"], page.headers["Cache-Control"]) == (503, "1", "no-store")
    assert not is_empty(buyer)
    assert buyer.send(buyer.form(page, "/basket/buy")).status_code == 303
    assert shop.till.asked[0] == shop.till.asked[1]
    assert is_empty(buyer)


def test_a_till_that_is_away_for_a_moment_costs_no_second_order(shop: Shop, buyer: Reader) -> None:
    with shop.till.away():
        buyer.buy_basket()
    assert buyer.buy_basket().status_code == 303
    assert len({request.idempotency_key for request in shop.till.asked}) == len(shop.till.orders) == 1


def test_a_confirmation_stands_where_the_basket_cannot_be_emptied(
    shop: Shop, buyer: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = buyer.form("/basket", "/basket/buy")
    with monkeypatch.context() as broken:
        broken.setattr(shop.baskets, "bought", out_of_order)
        assert buyer.send(form).status_code == 303
    assert not is_empty(buyer)
    assert buyer.send(form).status_code == 303
    assert len(shop.till.orders) == 1
    assert is_empty(buyer)


def test_whoever_is_signed_out_meanwhile_signs_in_and_finds_the_basket(shop: Shop, buyer: Reader) -> None:
    form = buyer.form("/basket", "/basket/buy")
    buyer.send(buyer.form("/", "/sign-out"))
    refused = buyer.send(form)
    assert refused.status_code == 403
    token = buyer.form("/sign-in", "/sign-in").fields["form_token"]
    sent = buyer.send(form, form_token=token)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/sign-in?next=%2Fbasket")
    assert not shop.till.asked
    buyer.send(buyer.form("/sign-in", "/sign-in"), email="ann@example.org", password="violet tables dance")
    assert buyer.buy_basket().status_code == 303


def test_the_address_of_the_form_leads_back_to_the_basket(guest: Reader) -> None:
    assert guest.get("/basket/buy").headers["Location"] == "/basket"


@pytest.mark.parametrize(
    "changed",
    [
        *({"copies-2": copies} for copies in ("", "-1", "1.5", "x", "10001", "9" * 30, "٣")),
        {"shown-2": "x"},
        {"copies-x": "1"},
        {"copies-0": "1"},
        {"copies-9007199254740992": "1"},
        *({f"copies-{number}": "1" for number in range(100, 200)},),
        {"key": ""},
        {"key": "k" * 256},
        {"key": "ä"},
        {"amount": "-5"},
        {"amount": ""},
        {"currency": "dollars"},
    ],
)
def test_a_form_that_does_not_fit_buys_nothing(shop: Shop, buyer: Reader, changed: dict[str, str]) -> None:
    page = buyer.buy_basket(**changed)
    assert page.status_code == 422
    assert not shop.till.asked
    assert not is_empty(buyer)


def test_a_form_without_books_buys_nothing(shop: Shop, buyer: Reader) -> None:
    form = buyer.form("/basket", "/basket/buy")
    fields = {name: value for name, value in form.fields.items() if not name.startswith("copies-")}
    assert buyer.post(form.action, fields).status_code == 422
    assert not shop.till.asked
