"""What people do with a form that buys: click twice, go back, open a second tab, come back too late."""

import re

import pytest
from playwright.sync_api import Page, Request, expect

from browser.conftest import NewVisitor
from browser.visitor import Visitor
from shop import Shop

pytestmark = pytest.mark.slow

SESSION_COOKIE = "__Host-bazar"
#: Sends a form as it was, and says where that ends.
SEND = """async ([address, fields]) => {
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  return (await fetch(address, { method: "POST", headers, body: fields })).url;
}"""


def orders_of(visitor: Visitor) -> int:
    return visitor.go("/orders").locator("ol.orders li").count()


def says_still_works(page: Page) -> None:
    """The page for 503 leads to what goes on meanwhile."""
    main = page.get_by_role("main")
    expect(main.get_by_role("heading", level=1)).to_have_text("The till is out of reach")
    expect(main).to_contain_text("You can go on looking for books")
    expect(main.get_by_role("search")).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_double_click_on_buy_makes_one_order(shop: Shop, new_visitor: NewVisitor, script: bool) -> None:
    visitor = new_visitor(script=script)
    visitor.put_book(shop.add_book(5))
    visitor.register()
    visitor.page.get_by_role("button", name="Buy for").dblclick()
    expect(visitor.page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert orders_of(visitor) == 1


def test_a_double_click_on_buy_at_once_makes_one_order(shop: Shop, visitor: Visitor) -> None:
    visitor.register()
    page = visitor.go(f"/books/{shop.add_book(5)}")
    page.get_by_text("Buy at once").click()
    page.get_by_role("button", name="Buy", exact=True).dblclick()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert orders_of(visitor) == 1


def test_a_double_click_puts_one_copy_into_the_basket(shop: Shop, visitor: Visitor) -> None:
    page = visitor.go(f"/books/{shop.add_book(5)}")
    page.get_by_role("button", name="Put in basket").dblclick()
    expect(page.get_by_role("link", name="See the basket")).to_be_visible()
    expect(page.locator("#basket-copies")).to_have_text("1")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_back_after_buying_shows_an_empty_basket(shop: Shop, new_visitor: NewVisitor, script: bool) -> None:
    visitor = new_visitor(script=script)
    visitor.put_book(shop.add_book(5))
    visitor.register()
    visitor.buy_basket()
    visitor.page.go_back()
    expect(visitor.page).to_have_url(re.compile(r"/basket$"))
    expect(visitor.page.get_by_role("main")).to_contain_text("There is nothing in it yet.")


def test_a_form_sent_once_more_leads_to_the_same_order(shop: Shop, visitor: Visitor) -> None:
    visitor.put_book(shop.add_book(5))
    visitor.register()
    posted: list[Request] = []
    visitor.page.on("request", lambda request: posted.append(request) if request.method == "POST" else None)
    visitor.buy_basket()
    bought = visitor.order_id
    (form,) = posted
    ends_at = visitor.page.evaluate(SEND, [form.url, form.post_data])
    assert bought in ends_at
    assert orders_of(visitor) == 1


def test_two_tabs_with_one_basket_make_one_order(shop: Shop, visitor: Visitor) -> None:
    visitor.put_book(shop.add_book(5))
    visitor.register()
    other = visitor.context.new_page()
    other.goto("/basket")
    visitor.buy_basket()
    other.get_by_role("button", name="Buy for").click()
    expect(other.get_by_role("heading", name="Thank you")).to_be_visible()
    assert visitor.order_id in other.url
    assert orders_of(visitor) == 1


def test_a_basket_that_was_changed_in_another_tab_is_not_bought_as_it_was(shop: Shop, visitor: Visitor) -> None:
    item_number = shop.add_book(5)
    visitor.put_book(item_number)
    visitor.register()
    other = visitor.context.new_page()
    other.goto("/basket")
    other.get_by_label("Copies").fill("3")
    other.get_by_role("button", name="Update the numbers").click()
    visitor.buy_basket()
    other.reload()
    expect(other.get_by_role("button", name="Buy for")).to_have_text("Buy for $80.00")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_numbers_that_are_typed_are_what_is_bought(shop: Shop, new_visitor: NewVisitor, script: bool) -> None:
    visitor = new_visitor(script=script)
    visitor.put_book(shop.add_book(5))
    copies = visitor.page.get_by_role("spinbutton", name="Copies")
    copies.fill("2")
    visitor.press("Sign in to buy")
    visitor.register("/register?next=/basket")
    expect(copies).to_have_value("2")
    copies.fill("3")
    visitor.press("Buy for $80.00")
    expect(visitor.page.get_by_role("alert")).to_contain_text("The sum is now $120.00.")
    copies.fill("4")
    copies.press("Enter")
    expect(visitor.page.get_by_role("alert")).to_have_count(0)
    visitor.press("Buy for $160.00")
    expect(visitor.page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_session_that_ended_in_the_middle_is_begun_again_and_the_basket_is_there(
    shop: Shop, visitor: Visitor
) -> None:
    visitor.put_book(shop.add_book(5))
    visitor.register()
    (secret,) = (cookie["value"] for cookie in visitor.context.cookies() if cookie["name"] == SESSION_COOKIE)
    elsewhere = visitor.context.new_page()
    elsewhere.goto("/orders")
    elsewhere.get_by_role("button", name="Sign out").click()
    expect(elsewhere.get_by_role("link", name="Sign in")).to_be_visible()
    # The browser still holds the secret, as after the account's password was changed somewhere else.
    visitor.context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": shop.url, "secure": True}])
    visitor.press("Buy for")
    expect(visitor.page).to_have_url(re.compile(r"/sign-in\?next=%2Fbasket$"))
    visitor.sign_in(visitor.email)
    visitor.buy_basket()
    assert orders_of(visitor) == 1


def test_a_form_of_a_session_that_is_gone_changes_nothing_and_says_what_to_do(shop: Shop, visitor: Visitor) -> None:
    visitor.put_book(shop.add_book(5))
    visitor.register()
    visitor.context.clear_cookies(name=SESSION_COOKIE)
    visitor.press("Buy for")
    expect(visitor.page.get_by_role("main")).to_contain_text("Nothing has changed.")
    visitor.go("/sign-in?next=/basket")
    visitor.sign_in(visitor.email)
    visitor.buy_basket()
    assert orders_of(visitor) == 1


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_while_the_order_server_is_away_the_shop_is_open_and_the_same_key_gives_the_order_later(
    shop: Shop, new_visitor: NewVisitor, script: bool
) -> None:
    visitor = new_visitor(script=script)
    visitor.put_book(shop.add_book(5, "Stillness"))
    visitor.register()
    with shop.standing_still("order"):
        visitor.press("Buy for")
        expect(visitor.page.get_by_role("heading", name="We do not know yet")).to_be_visible()
        other = visitor.context.new_page()
        other.goto("/orders")
        says_still_works(other)
        other.get_by_role("main").get_by_label("Search by").fill("stillness")
        other.get_by_role("main").get_by_role("button", name="Search").click()
        expect(other.get_by_role("link", name="Stillness").first).to_be_visible()
    visitor.press("Ask again")
    expect(visitor.page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert orders_of(visitor) == 1
    expect(visitor.go("/basket").get_by_role("main")).to_contain_text("There is nothing in it yet.")
