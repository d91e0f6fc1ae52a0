"""Booksellers find, add, change and withdraw books: each form once, mistakes told, nothing of others lost."""

import msgspec
import pytest

from bazar.contracts.books import Money
from bazar.frontend.domain.accounts import Role
from bazar.frontend.pages.staff import open_orders
from bazar.frontend.pages.staff.new_book import SENT_AGAIN_WITHIN
from shop_window import Reader, Shop, links
from stand_ins import HOSTILE

ISBN = "9780306406157"
PAGE = "/staff/books/5"
NEW = {"title": "Tea & Talk", "authors": "Ann Lee\r\n Ben Ode \r\n\r\n", "price": "12,5", "stock": "3", "year": "-44"}


@pytest.fixture
def stella(shop: Shop) -> Reader:
    return shop.bookseller()


def quantity(shop: Shop, item_number: int = 5) -> int:
    return shop.shelves.books[item_number].quantity


def test_a_book_is_found_by_words_and_by_its_number(shop: Shop, stella: Reader) -> None:
    assert links(stella.get("/staff/books?q=volume+7").text, "Volume 7") == ["/staff/books/7"]
    assert links(stella.get("/staff/books?q=3").text, "Sold Out Long Ago") == ["/staff/books/3"]
    assert "No book found" in stella.get("/staff/books?q=nothing+like+it").text
    stella.get("/staff/books?sold_out=1")
    assert shop.shelves.searches[-1].in_stock is False
    assert shop.shelves.searches[-1].sort == "newest"


@pytest.mark.parametrize("path", ["/staff/books", "/staff/books/new", PAGE, f"{PAGE}/withdraw"])
def test_only_booksellers_come_in(shop: Shop, guest: Reader, customer: Reader, path: str) -> None:
    assert guest.get(path).status_code == 303
    assert customer.get(path).status_code == 404
    assert shop.bookseller(Role.ADMIN).get(path).status_code == 200


def test_a_customer_who_sends_a_form_of_booksellers_changes_nothing(shop: Shop, customer: Reader) -> None:
    token = customer.form("/books/5", "/sign-out").fields["form_token"]
    for name in ("price", "details", "goods-in", "stock-take", "withdraw"):
        fields = {"form_token": token, "key": "k", "version": "1", "stock": "1", "price": "1", "title": "Mine"}
        assert customer.post(f"{PAGE}/{name}", fields).status_code == 404
    assert customer.post("/staff/books/new", {"form_token": token, "key": "k", **NEW}).status_code == 404
    assert not shop.shelves.changes
    assert 40 not in shop.shelves.books


def test_a_book_is_added_once_however_often_the_form_is_sent(shop: Shop, stella: Reader) -> None:
    form = stella.form("/staff/books/new", "/staff/books/new")
    addresses = {stella.send(form, **NEW).headers["Location"] for _ in range(2)}
    assert addresses == {"/staff/books/40?done=added"}
    book = shop.shelves.books[40]
    assert (book.title, book.authors, book.subjects) == ("Tea & Talk", ("Ann Lee", "Ben Ode"), ())
    assert (book.price, book.quantity, book.year) == (Money(amount=1250, currency="USD"), 3, -44)
    assert max(shop.shelves.books) == 40
    assert "The book is in the shop." in stella.get(addresses.pop()).text
    other = stella.send(form, **{**NEW, "title": "Another"})
    assert other.status_code == 422
    assert "This form was sent before" in other.text


def test_all_mistakes_in_a_new_book_are_told_and_what_was_typed_is_kept(shop: Shop, stella: Reader) -> None:
    form = stella.form("/staff/books/new", "/staff/books/new")
    wrong = {"title": " ", "authors": HOSTILE, "price": "$4", "stock": "many", "year": "1e3", "language": "English!"}
    answer = stella.send(form, **wrong)
    assert answer.status_code == 422
    for name in ("title", "price", "stock", "year", "language"):
        assert f'id="new-{name}-mistake"' in answer.text, name
        assert f'aria-describedby="new-{name}-mistake' in answer.text, name
    kept = stella.form(answer, "/staff/books/new")
    assert kept.fields["authors"] == HOSTILE
    assert kept.fields["price"] == "$4"
    assert stella.send(kept, **NEW, language="en").status_code == 303
    assert shop.shelves.books[40].title == "Tea & Talk"


def test_a_price_is_changed_once(shop: Shop, stella: Reader) -> None:
    form = stella.form(PAGE, f"{PAGE}/price")
    assert form.fields["price"] == "12.50"
    for _ in range(2):
        sent = stella.send(form, price="9.99", reason="sale")
        assert (sent.status_code, sent.headers["Location"]) == (303, f"{PAGE}?done=price")
    assert shop.shelves.books[5].price == Money(amount=999, currency="USD")
    assert [change.change.reason for change in shop.shelves.changes] == ["from $12.50 to $9.99; sale"]
    assert "The price is saved: from $12.50 to $9.99; sale" in stella.get(f"{PAGE}?done=price").text


@pytest.mark.parametrize("version", ["1", "2", "3", "9"])
@pytest.mark.parametrize(("form", "typed"), [("price", {"price": "12.00"}), ("stock-take", {"stock": "20"})])
def test_the_journal_says_no_former_value_that_the_book_did_not_have(
    shop: Shop, stella: Reader, form: str, typed: dict[str, str], version: str
) -> None:
    shop.shelves.change(5, version=2)
    shown = '{"price":"11.00","stock":"21"}'
    answer = stella.send(stella.form(PAGE, f"{PAGE}/{form}"), **typed, shown=shown, version=version)
    assert answer.status_code == 412
    assert "Somebody else was faster" in answer.text
    assert not shop.shelves.changes


@pytest.mark.parametrize("typed", ["", "-1", "1.999", "1,2,3", "1e3", "99999999999", "\u0663", "9" * 5000])
def test_what_is_no_price_is_said_beside_it(shop: Shop, stella: Reader, typed: str) -> None:
    answer = stella.send(stella.form(PAGE, f"{PAGE}/price"), price=typed)
    assert answer.status_code == 422
    assert 'id="price-price-mistake">New price (USD): ' in answer.text
    assert stella.form(answer, f"{PAGE}/price").fields["price"] == typed
    assert not shop.shelves.changes


def test_goods_that_came_are_put_beside_what_is_there_whatever_was_sold_meanwhile(shop: Shop, stella: Reader) -> None:
    form = stella.form(PAGE, f"{PAGE}/goods-in")
    shop.shelves.change(5, quantity=18, version=3)
    for _ in range(2):
        assert stella.send(form, stock="5").status_code == 303
    assert quantity(shop) == 23
    assert shop.shelves.changes[0].change.reason == "taken in"
    for wrong in ("0", "-2", "1.5", "", "9" * 11):
        assert stella.send(stella.form(PAGE, f"{PAGE}/goods-in"), stock=wrong).status_code == 422
    assert quantity(shop) == 23


def test_a_count_becomes_the_stock_with_the_reason(shop: Shop, stella: Reader) -> None:
    form = stella.form(PAGE, f"{PAGE}/stock-take")
    for _ in range(2):
        assert stella.send(form, stock="17", reason="three are damp").status_code == 303
    assert quantity(shop) == 17
    (change,) = shop.shelves.changes
    assert change.change.stock_change == -3
    assert change.change.reason == "stock-take: 20 expected, 17 counted; three are damp"


def test_a_count_that_agrees_is_in_the_journal_and_changes_nothing(shop: Shop, stella: Reader) -> None:
    before = shop.shelves.books[5]
    form = stella.form(PAGE, f"{PAGE}/stock-take")
    for _ in range(2):
        assert stella.send(form, stock="20", reason="before the fair").status_code == 303
    assert shop.shelves.books[5] == before
    journal = stella.get("/staff/journal").text
    assert journal.count("Counted: as many as expected") == 1
    assert "stock-take: 20 expected, 20 counted; before the fair" in journal


@pytest.mark.parametrize("counted", ["17", "20"])
def test_a_sale_during_the_count_is_told_and_not_lost(shop: Shop, stella: Reader, counted: str) -> None:
    form = stella.form(PAGE, f"{PAGE}/stock-take")
    shop.shelves.change(5, quantity=19, version=2)
    answer = stella.send(form, stock=counted)
    assert answer.status_code == 412
    assert "Somebody else was faster" in answer.text
    assert '<td class="typed">20</td><td class="typed">19</td>' in answer.text
    assert quantity(shop) == 19
    again = stella.form(answer, f"{PAGE}/stock-take")
    assert again.fields["stock"] == counted
    assert stella.send(again).status_code == 303
    assert quantity(shop) == int(counted)


def test_the_second_of_two_booksellers_is_told_what_the_first_has_changed(shop: Shop, stella: Reader) -> None:
    form = stella.form(PAGE, f"{PAGE}/details")
    anton = shop.bookseller(Role.ADMIN, "anton@example.org")
    assert anton.send(anton.form(PAGE, f"{PAGE}/details"), title="Volume V", year="1970").status_code == 303
    answer = stella.send(form, title="Volume Five", blurb="A fifth.")
    assert answer.status_code == 412
    assert '<td class="typed">Volume 5</td><td class="typed">Volume V</td>' in answer.text
    assert shop.shelves.books[5].title == "Volume V"
    again = stella.form(answer, f"{PAGE}/details")
    assert (again.fields["title"], again.fields["blurb"]) == ("Volume Five", "A fifth.")


def test_changes_of_different_fields_and_sales_are_in_nobodys_way(shop: Shop, stella: Reader) -> None:
    form = stella.form(PAGE, f"{PAGE}/details")
    shop.shelves.change(5, quantity=1, version=2, year=1970)
    assert stella.send(form, title="Volume Five").status_code == 303
    book = shop.shelves.books[5]
    assert (book.title, book.year, book.quantity) == ("Volume Five", 1970, 1)


def test_a_form_that_was_sent_unchanged_changes_nothing(shop: Shop, stella: Reader) -> None:
    shop.shelves.change(5, blurb="One.\nTwo.", authors=("A", "B"))
    form = stella.form(PAGE, f"{PAGE}/details")
    form.fields = {name: value.replace("\n", "\r\n") for name, value in form.fields.items()}
    assert stella.send(form).status_code == 303
    assert not shop.shelves.changes


def test_a_field_can_be_emptied(shop: Shop, stella: Reader) -> None:
    shop.shelves.change(5, isbn="9780306406157")
    form = stella.form(PAGE, f"{PAGE}/details")
    assert stella.send(form, isbn="", year="", language="", authors="", blurb="").status_code == 303
    book = shop.shelves.books[5]
    assert (book.isbn, book.year, book.language, book.authors, book.blurb) == (None, None, None, (), "")


def test_where_no_answer_came_the_same_form_can_be_sent_again(shop: Shop, stella: Reader) -> None:
    form = stella.form(PAGE, f"{PAGE}/goods-in")
    with shop.shelves.losing_answers():
        answer = stella.send(form, stock="5", reason=HOSTILE)
    assert answer.status_code == 503
    assert "We do not know yet" in answer.text
    assert stella.send(stella.form(answer, f"{PAGE}/goods-in")).status_code == 303
    assert quantity(shop) == 25
    new = stella.form("/staff/books/new", "/staff/books/new")
    with shop.shelves.losing_answers():
        answer = stella.send(new, **NEW)
    assert stella.send(stella.form(answer, "/staff/books/new")).headers["Location"] == "/staff/books/40?done=added"


@pytest.mark.parametrize(
    "broken", [{"key": ""}, {"key": "a\x00"}, {"version": "x"}, {"shown": "{"}, {"shown": "[1]"}, {"version": "0"}]
)
def test_a_form_whose_hidden_fields_are_broken_changes_nothing(
    shop: Shop, stella: Reader, broken: dict[str, str]
) -> None:
    answer = stella.send(stella.form(PAGE, f"{PAGE}/price"), price="11", **broken)
    assert answer.status_code == 422
    assert "The form could not be read" in answer.text
    assert not shop.shelves.changes
    assert stella.send(stella.form(answer, f"{PAGE}/price")).status_code == 303


def test_a_book_goes_out_of_the_shop_after_a_question(shop: Shop, stella: Reader) -> None:
    assert links(stella.get(PAGE).text, "out of the shop") == [f"{PAGE}/withdraw"]
    form = stella.form(f"{PAGE}/withdraw", f"{PAGE}/withdraw")
    for _ in range(2):
        gone = stella.send(form)
        assert gone.status_code == 303
    assert 5 not in shop.shelves.books
    assert "The book is out of the shop." in stella.get(gone.headers["Location"]).text
    assert stella.send(stella.form("/staff/books/6", "/staff/books/6/price"), price="13").status_code == 303


def test_who_takes_a_book_out_sees_the_open_orders_that_have_it(shop: Shop, stella: Reader, customer: Reader) -> None:
    assert "No open order has it." in stella.get(f"{PAGE}/withdraw").text
    bought = [customer.buy(number).headers["Location"].removesuffix("?bought=1") for number in (5, 6, 5, 5)]
    stella.send(stella.form(f"/staff{bought[2]}", f"/staff{bought[2]}/ready"))
    stella.send(stella.form(f"/staff{bought[3]}", f"/staff{bought[3]}/cancel"), reason="changed their mind")
    page = stella.get(f"{PAGE}/withdraw").text
    assert "2 open orders have it, and stand" in page
    assert links(page, "Order ") == [f"/staff{bought[0]}", f"/staff{bought[2]}"]
    assert "There may be more" not in page
    with shop.till.away():
        page = stella.get(f"{PAGE}/withdraw").text
    assert "cannot be said just now" in page
    assert stella.send(stella.form(f"{PAGE}/withdraw", f"{PAGE}/withdraw")).status_code == 303


def test_of_very_many_open_orders_some_are_looked_through_and_the_page_says_so(
    stella: Reader, customer: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_orders, "ORDERS_AT_A_TIME", 1)
    for _ in range(open_orders.MOST_TIMES + 1):
        customer.buy(6)
    assert "None of the orders that wait longest has it." in stella.get(f"{PAGE}/withdraw").text
    other = stella.get("/staff/books/6/withdraw").text
    assert f"{open_orders.MOST_TIMES} open orders have it" in other
    assert "There may be more" in other


def test_a_form_for_a_book_that_is_gone_is_a_404(shop: Shop, stella: Reader) -> None:
    form = stella.form(PAGE, f"{PAGE}/price")
    del shop.shelves.books[5]
    assert stella.send(form, price="13").status_code == 404


def test_hostile_texts_stay_texts(shop: Shop, stella: Reader) -> None:
    shop.shelves.change(5, title=HOSTILE, authors=(HOSTILE,), blurb=f"</textarea>{HOSTILE}")
    for path in (PAGE, "/staff/books?q=script", f"{PAGE}/withdraw"):
        page = stella.get(path).text
        assert "<script>alert" not in page, path
        assert "</textarea><" not in page.replace("</textarea>\n", ""), path
    assert stella.form(PAGE, f"{PAGE}/details").fields["blurb"] == f"</textarea>{HOSTILE}"
    assert msgspec.json.decode(stella.form(PAGE, f"{PAGE}/details").fields["shown"])["title"] == HOSTILE


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("5", "The price would go from $12.50 to $5.00."),
        ("18.76", "The price would go from $12.50 to $18.76."),
        ("0", "The book would cost nothing."),
    ],
)
def test_a_price_that_is_seldom_meant_is_asked_about_once(shop: Shop, stella: Reader, typed: str, said: str) -> None:
    answer = stella.send(stella.form(PAGE, f"{PAGE}/price"), price=typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert not shop.shelves.changes
    again = stella.form(answer, f"{PAGE}/price")
    assert again.fields["price"] == typed
    assert stella.send(again, price="1").status_code == 422, "another price than the one that was asked about"
    assert stella.send(again).status_code == 303
    assert f"from $12.50 to ${float(typed):.2f}" in stella.get("/staff/journal").text


@pytest.mark.parametrize("typed", ["6.25", "18.75", "12.50"])
def test_a_price_within_a_half_is_saved_at_once(stella: Reader, typed: str) -> None:
    assert stella.send(stella.form(PAGE, f"{PAGE}/price"), price=typed).status_code == 303


def test_an_isbn_that_another_book_has_is_asked_about_once(shop: Shop, stella: Reader) -> None:
    shop.shelves.change(6, isbn=ISBN)
    for page, action, typed in (
        (PAGE, f"{PAGE}/details", {"isbn": ISBN}),
        ("/staff/books/new", "/staff/books/new", {**NEW, "isbn": ISBN}),
    ):
        answer = stella.send(stella.form(page, action), **typed)
        assert answer.status_code == 422
        assert "Item 6 has this ISBN already:" in answer.text
        assert links(answer.text, "Volume 6") == ["/staff/books/6"]
        assert stella.send(stella.form(answer, action)).status_code == 303
    assert [number for number, book in shop.shelves.books.items() if book.isbn == ISBN] == [5, 6, 40]
    assert stella.send(stella.form(PAGE, f"{PAGE}/details"), title="Other").status_code == 303


def test_without_the_search_an_isbn_is_not_asked_about(shop: Shop, stella: Reader) -> None:
    shop.shelves.change(6, isbn=ISBN)
    form = stella.form(PAGE, f"{PAGE}/details")
    with shop.shelves.without_index():
        assert stella.send(form, isbn=ISBN).status_code == 303


def test_a_new_book_with_an_isbn_is_no_double_of_itself(shop: Shop, stella: Reader) -> None:
    form = stella.form("/staff/books/new", "/staff/books/new")
    assert {stella.send(form, **NEW, isbn=ISBN).status_code for _ in range(2)} == {303}
    shop.clock.now += SENT_AGAIN_WITHIN  # type: ignore[attr-defined]  # the clock of the fixture
    fresh = stella.send(stella.form("/staff/books/new", "/staff/books/new"), **NEW, isbn=ISBN)
    assert "Item 40 has this ISBN already:" in fresh.text


def test_a_book_that_costs_nothing_is_added_after_a_question(shop: Shop, stella: Reader) -> None:
    answer = stella.send(stella.form("/staff/books/new", "/staff/books/new"), **{**NEW, "price": "0"})
    assert (answer.status_code, max(shop.shelves.books)) == (422, 39)
    assert stella.send(stella.form(answer, "/staff/books/new")).status_code == 303
    assert shop.shelves.books[40].price.amount == 0
