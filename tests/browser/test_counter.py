"""From the order to the counter: the bookseller makes it ready and hands it out, and the reader sees how far it is."""

import pytest
from playwright.sync_api import expect

from browser.chromium import DESK, PHONE
from browser.conftest import NewVisitor
from shop import Shop

pytestmark = pytest.mark.slow

ITEM = 12


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_reader_sees_that_the_books_are_ready_and_that_they_were_collected(
    shop: Shop, new_visitor: NewVisitor, width: int, script: bool
) -> None:
    assert shop.admin
    reader, seller = new_visitor(width=width, script=script), new_visitor(width=width, script=script)
    reader.put_book(ITEM)
    reader.register()
    reader.buy_basket()
    state = reader.page.locator(".state")
    expect(state).to_contain_text("Placed")
    order_id = reader.order_id

    seller.go("/sign-in?next=/staff")
    seller.sign_in(*shop.admin)
    expect(seller.page.get_by_role("heading", level=1)).to_have_text("Today")
    seller.go(f"/staff/orders/{order_id}")
    seller.page.emulate_media(media="print")
    for part, is_printed in ((".staff-menu", False), (".life", False), (".facts code", True), ("table", True)):
        assert seller.page.locator(part).is_visible() is is_printed, part
    seller.page.emulate_media(media="screen")
    seller.press("Ready to collect")
    reader.page.reload()
    expect(state).to_contain_text("Ready: the books wait for you")

    seller.go(f"/staff/orders/{order_id}")
    final = seller.page.get_by_role("button", name="Collected and paid")
    expect(final).to_have_count(0)  # not before it was asked for
    seller.page.locator("summary", has_text="Collected").press("Enter")
    expect(seller.page.get_by_text(f"{reader.email} takes")).to_be_visible()
    final.press("Enter")
    expect(seller.page.get_by_role("main")).to_contain_text("Collected and paid")
    reader.page.reload()
    expect(state).to_contain_text("Collected and paid")
    expect(reader.page.get_by_role("button", name="Cancel this order")).to_have_count(0)
    assert (reader.complaints, seller.complaints) == ([], [])
