"""What staff change is seen by readers: in the next second, and on a page that stands open."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import expect

from browser.visitor import Visitor
from shop import Client, Shop

pytestmark = pytest.mark.slow

SEEN_WITHIN_SECONDS = 1.0
LOOKS_AGAIN_MS = 15_000


@pytest.fixture
def staff(shop: Shop) -> Iterator[Client]:
    with closing(shop.client(shop.staff())) as client:
        yield client


def change(staff: Client, item_number: int, **facts: object) -> None:
    assert staff.call("PATCH", f"/books/{item_number}", facts).status == 200


def test_a_new_price_is_seen_in_the_next_second(shop: Shop, staff: Client, visitor: Visitor) -> None:
    item_number = shop.add_book(5)
    page = visitor.go(f"/books/{item_number}")
    expect(page.locator(".buy .price")).to_have_text("$40.00")
    change(staff, item_number, price={"amount": 3150, "currency": "USD"})
    changed = time.monotonic()
    while True:
        looked = time.monotonic()
        if visitor.go(f"/books/{item_number}").locator(".buy .price").inner_text() == "$31.50":
            break
        assert looked - changed < SEEN_WITHIN_SECONDS, "a page that was asked for later than that shows the old price"


def test_an_open_page_follows_stock_and_price(shop: Shop, staff: Client, visitor: Visitor) -> None:
    item_number = shop.add_book(5)
    visitor.page.clock.install()
    page = visitor.go(f"/books/{item_number}")
    stock, new_price = page.locator("#stock"), page.locator("#new-price")
    expect(stock).to_have_text("5 left")
    change(staff, item_number, stock_change=-3, price={"amount": 4400, "currency": "USD"})
    deadline = time.monotonic() + 20
    while stock.inner_text() != "2 left" or not new_price.is_visible():
        assert time.monotonic() < deadline, stock.inner_text()
        page.clock.fast_forward(LOOKS_AGAIN_MS)
    change(staff, item_number, stock_change=-2)
    while stock.inner_text() != "Sold out":
        assert time.monotonic() < deadline, stock.inner_text()
        page.clock.fast_forward(LOOKS_AGAIN_MS)
    expect(page.locator(".buy > .offer .price")).to_have_text("$40.00")
    new_price.get_by_role("link").click()
    expect(page.locator(".buy .price")).to_have_text("$44.00")


def test_a_basket_says_what_became_dearer_and_asks_for_the_new_price(
    shop: Shop, staff: Client, visitor: Visitor
) -> None:
    item_number = shop.add_book(5)
    visitor.put_book(item_number)
    visitor.register()
    change(staff, item_number, price={"amount": 4500, "currency": "USD"})
    visitor.press("Buy for $40.00")
    expect(visitor.page.get_by_role("alert")).to_contain_text("nothing was bought")
    expect(visitor.page.get_by_role("main")).to_contain_text("It was $40.00 when you put it in.")
    visitor.press("Buy for $45.00")
    expect(visitor.page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_the_last_copy_that_went_to_another_is_said_line_by_line(shop: Shop, staff: Client, visitor: Visitor) -> None:
    kept, gone = shop.add_book(5, "Kept"), shop.add_book(1, "Gone")
    visitor.put_book(kept)
    visitor.put_book(gone)
    visitor.register()
    change(staff, gone, stock_change=-1)
    visitor.press("Buy for")
    expect(visitor.page.get_by_role("alert")).to_contain_text("Gone: sold out. Somebody was faster, no copy is left.")
    visitor.press("Keep what is there")
    visitor.buy_basket()
    expect(visitor.page.get_by_role("status")).to_contain_text("You bought book Kept.")
