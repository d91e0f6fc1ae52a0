"""The whole way of a reader, on a telephone and at a desk, with JavaScript and without."""

import re

import pytest
from playwright.sync_api import expect

from bazar.frontend.pages.wording import order_number
from browser.chromium import DESK, PHONE
from browser.conftest import NewVisitor
from shop import Shop

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_reader_finds_a_book_buys_it_and_cancels(
    shop: Shop, new_visitor: NewVisitor, width: int, script: bool
) -> None:
    title = f"Lighthouses of the {'near' if script else 'far'} {'isles' if width == PHONE else 'coasts'}"
    item_number = shop.add_book(3, title)
    reader = new_visitor(width=width, script=script)
    page = reader.go("/")
    reader.search(title.replace("Light", "Ligth"))
    expect(page).to_have_url(re.compile(r"/search\?q=Ligthhouses"))
    reader.follow(title)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_text("3 left").first).to_be_visible()
    reader.put(2)
    expect(page.get_by_role("main")).to_contain_text(title)
    expect(page.locator("#basket-copies")).to_have_text("2")
    reader.press("Sign in to buy")
    reader.follow("Register")
    reader.fill_registration()
    expect(page).to_have_url(f"{shop.url}/basket")
    assert page.get_by_role("button", name="Buy for").inner_text() == "Buy for $80.00"
    reader.buy_basket()
    expect(page.get_by_role("status")).to_contain_text(
        f"You bought book {title}. It is order number {order_number(reader.order_id)}"
    )
    assert left(shop, item_number) == 1
    reader.follow("My orders")
    reader.follow(title)
    reader.press("Cancel this order")
    expect(page.get_by_role("status")).to_have_text("The order is cancelled.")
    expect(page.get_by_role("main")).to_contain_text("The copies went back to the shelf.")
    reader.follow("My orders")
    expect(page.get_by_role("listitem")).to_contain_text("Cancelled")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert left(shop, item_number) == 3


def left(shop: Shop, item_number: int) -> int:
    """Copies that can be bought now, as the order server's neighbour says it."""
    client = shop.client()
    try:
        return int(client.call("GET", f"/info/{item_number}").json["quantity"])
    finally:
        client.close()
