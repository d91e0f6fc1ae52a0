"""What booksellers read of what was done: the history of a book, its prices as a line, the journal."""

import re

import pytest

from bazar.frontend.pages.staff.price_line import price_line
from shop_window import Reader, Shop, links
from stand_ins import HOSTILE

PAGE = "/staff/books/5"


@pytest.fixture
def stella(shop: Shop) -> Reader:
    return shop.bookseller()


def set_price(reader: Reader, price: str, reason: str = "") -> None:
    assert reader.send(reader.form(PAGE, f"{PAGE}/price"), price=price, reason=reason).status_code == 303


def told(page: str) -> list[str]:
    """The entries of a page, as they are read."""
    entries = re.findall(r"<li>\s*(<p class=\"what\">.*?)</li>", page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", entry).split()) for entry in entries]


def test_the_history_says_who_when_and_why(shop: Shop, stella: Reader) -> None:
    shop.shelves.note(5, "added", "operator", "import of a list", price=shop.shelves.books[5].price, stock_change=20)
    shop.shelves.note(5, "sold", "no-account", price=shop.shelves.books[5].price, stock_change=-1)
    set_price(stella, "9.99", HOSTILE)
    newest, sold, added = told(stella.get(PAGE).text)
    assert newest.startswith("Price changed to $9.99 from $12.50 to $9.99; &lt;script&gt;")
    assert newest.endswith("January 31, 2026, 12:02 PM UTC · stella@example.org")
    assert "1 copy sold at $12.50" in sold
    assert "no-account" in sold
    assert "Added at $12.50 with 20 copies import of a list" in added
    assert "operator, by a command" in added


def test_the_prices_are_drawn_and_told_as_a_table(shop: Shop, stella: Reader) -> None:
    shop.shelves.note(5, "added", "operator", price=shop.shelves.books[5].price, stock_change=20)
    assert "<path" not in stella.get(PAGE).text.partition("History")[2]
    set_price(stella, "9.99")
    set_price(stella, "14")
    page = stella.get(PAGE).text
    assert "The price, from $12.50 to $14.00; lowest $9.99, highest $14.00</title>" in page
    table = page.partition("As a table")[2].partition("</table>")[0]
    assert re.findall(r"\$[\d.]+", table) == ["$14.00", "$9.99", "$12.50"]


@pytest.mark.parametrize(
    ("amounts", "path"),
    [
        ([5], "M0 60.0 H600.0"),
        ([5, 5], "M0 60.0 H300.0 V60.0 H600.0"),
        ([0, 10, 5], "M0 114.0 H200.0 V6.0 H400.0 V60.0 H600.0"),
        ([0, 10**9], "M0 114.0 H300.0 V6.0 H600.0"),
    ],
)
def test_the_line_has_a_step_for_each_price(amounts: list[int], path: str) -> None:
    assert price_line(amounts) == path


def test_a_long_history_has_pages(stella: Reader) -> None:
    for turn in range(21):
        set_price(stella, str(13 + turn))
    page = stella.get(PAGE).text
    assert len(told(page)) == 20
    (older,) = links(page, "Next page")
    page = stella.get(older).text
    assert [entry[:22] for entry in told(page)] == ["Price changed to $13.0"]
    assert links(page, "First page") == [f"{PAGE}#history-head"]


def test_a_withdrawn_book_keeps_its_history(stella: Reader) -> None:
    set_price(stella, "9.99")
    gone = stella.send(stella.form(f"{PAGE}/withdraw", f"{PAGE}/withdraw"))
    page = stella.get(gone.headers["Location"]).text
    assert "The book is out of the shop." in page
    assert "Volume 5" in page
    assert [entry.partition(" January")[0].partition(" stella")[0][:16] for entry in told(page)] == [
        "Taken out of the",
        "Price changed to",
    ]
    assert f'action="{PAGE}' not in page
    assert stella.get("/staff/books/999").status_code == 404


def test_the_journal_tells_of_all_books_or_of_one(stella: Reader) -> None:
    set_price(stella, "9.99")
    assert stella.send(stella.form("/staff/books/4", "/staff/books/4/goods-in"), stock="2").status_code == 303
    newest, oldest = told(stella.get("/staff/journal").text)
    assert newest.startswith("&lt;script&gt;")
    assert "2 copies more taken in" in newest
    assert "Volume 5 : Price changed to $9.99" in oldest
    page = stella.get("/staff/journal?book=5").text
    assert [entry[:8] for entry in told(page)] == ["Volume 5"]
    assert links(page, "Volume 5") == [PAGE]
    assert "Nothing yet." in stella.get("/staff/journal?book=7").text


def test_a_long_journal_has_pages_that_keep_the_filter(stella: Reader) -> None:
    for turn in range(21):
        set_price(stella, str(13 + turn))
    (older,) = links(stella.get("/staff/journal?book=5").text, "Next page")
    assert "book=5" in older
    page = stella.get(older).text
    assert len(told(page)) == 1
    assert links(page, "First page") == ["/staff/journal?book=5"]


@pytest.mark.parametrize("typed", ["x", "0", "-1", "1.5", "9" * 30, "<b>"])
def test_what_is_no_item_number_is_said(stella: Reader, typed: str) -> None:
    answer = stella.client.get("/staff/journal", query_string={"book": typed}, base_url="https://shop.example.org")
    assert answer.status_code == 200
    assert 'id="book-mistake"' in answer.text
    assert "<b>" not in answer.text


def test_what_was_done_to_orders_is_in_a_journal_of_its_own(shop: Shop, stella: Reader) -> None:
    customer = shop.customer()
    assert "Nothing yet." in stella.get("/staff/journal/orders").text
    for item_number in (5, 6):
        customer.buy(item_number)
    collected, cancelled = (f"/orders/{order_id}" for order_id in shop.till.orders)
    for move in ("ready", "collected"):
        stella.send(stella.form(f"/staff{collected}", f"/staff{collected}/{move}"))
    customer.send(customer.form(cancelled, f"{cancelled}/cancel"))
    page = stella.get(links(stella.get("/staff/journal").text, "Orders")[-1]).text
    by_customer, handed_out, laid_out = told(page)
    assert by_customer.startswith("Volume 6 : Cancelled")
    assert by_customer.endswith("ann@example.org (whose order it was)")
    assert handed_out.startswith("Volume 5 : Collected and paid")
    assert handed_out.endswith("stella@example.org · order of ann@example.org")
    assert laid_out.startswith("Volume 5 : Made ready")
    assert links(page, "Volume 6") == [f"/staff{cancelled}"]


def test_the_journal_of_orders_is_paged(shop: Shop, stella: Reader) -> None:
    customer = shop.customer()
    for number in range(21):
        customer.buy(5 + number)
    for order_id in shop.till.orders:
        stella.send(stella.form(f"/staff/orders/{order_id}", f"/staff/orders/{order_id}/ready"))
    first = stella.get("/staff/journal/orders").text
    (address,) = links(first, "Next page")
    rest = stella.get(address).text
    assert (len(told(first)), len(told(rest))) == (20, 1)
    assert links(rest, "First page") == ["/staff/journal/orders"]


def test_a_place_in_the_journal_of_orders_that_nobody_gave_is_refused(stella: Reader) -> None:
    assert stella.get("/staff/journal/orders?cursor=%20").status_code == 422
