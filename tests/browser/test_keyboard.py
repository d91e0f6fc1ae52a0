"""The keyboard alone is enough, and it is always seen where one stands."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.chromium import DESK, PHONE
from browser.conftest import NewVisitor
from shop import PASSWORD, Shop

pytestmark = pytest.mark.slow

MOST_STOPS = 60
LEAST_OUTLINE_PX = 2
#: Of what has the focus, or of what around it shows the focus in its stead, as the card of a book does.
OUTLINE = """() => {
  for (let one = document.activeElement; one; one = one.parentElement) {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    if (outlineStyle !== "none") return parseFloat(outlineWidth);
  }
  return 0;
}"""
FOCUSED = "() => document.activeElement.outerHTML.slice(0, 200)"


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus; at each stop it is seen where one stands."""
    expect(wanted).to_be_visible()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        assert page.evaluate(OUTLINE) >= LEAST_OUTLINE_PX, page.evaluate(FOCUSED)
        if wanted.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by Tab")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_keyboard_alone_buys_a_book(shop: Shop, new_visitor: NewVisitor, width: int) -> None:
    title = f"Keys of {width} Doors"
    shop.add_book(3, title)
    visitor = new_visitor(width=width)
    page, keyboard = visitor.go("/"), visitor.page.keyboard
    tab_to(page, page.get_by_label("Search by"))
    keyboard.type(title[:12])
    option = page.get_by_role("option", name=title)
    expect(option).to_be_visible()
    keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.wait_for_load_state()
    tab_to(page, page.get_by_role("button", name="Put in basket"))
    keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("It is in your basket.")
    tab_to(page, page.get_by_role("link", name="See the basket"))
    keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Sign in to buy"))
    keyboard.press("Enter")
    tab_to(page, page.get_by_role("main").get_by_role("link", name="Register"))
    keyboard.press("Enter")
    tab_to(page, page.get_by_label("E-mail address"))
    keyboard.type(visitor.email)
    tab_to(page, page.get_by_label("Password"))
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Buy for"))
    keyboard.press("Space")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert visitor.order_id


def test_the_first_stop_leads_past_the_head_of_the_page(new_visitor: NewVisitor) -> None:
    visitor = new_visitor()
    page = visitor.go("/search?q=history")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#main$"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("path", ["/", "/search?q=history&in_stock=true", "/books/2", "/new", "/sign-in", "/register"])
def test_every_stop_of_a_page_is_seen(new_visitor: NewVisitor, path: str) -> None:
    page = new_visitor().go(path)
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):  # past the last one
            break
        assert page.evaluate(OUTLINE) >= LEAST_OUTLINE_PX, page.evaluate(FOCUSED)
