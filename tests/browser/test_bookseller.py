"""The way of a bookseller, with what readers see of it in the next second."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from browser.chromium import DESK, PHONE
from browser.conftest import NewVisitor
from browser.visitor import Visitor
from processes import wait_until
from shop import Shop

pytestmark = pytest.mark.slow

SEEN_WITHIN_SECONDS = 1.0
LIST = """source_id;title;authors;subjects;price;stock
b1;{title};Ann Lee;poetry;12,50;7
b2;;Ann Lee;poetry;12,50;7
"""


def at_work(shop: Shop, visitor: Visitor) -> Visitor:
    """Signed in as somebody of the shop."""
    assert shop.admin
    visitor.go("/sign-in?next=/staff/books")
    visitor.sign_in(*shop.admin)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Books")
    return visitor


def seen_in_the_next_second(look: Callable[[], bool]) -> None:
    """A page that is asked for later than a second after the change shows it."""
    changed = time.monotonic()
    while True:
        asked = time.monotonic()
        if look():
            return
        assert asked - changed < SEEN_WITHIN_SECONDS, "a page that was asked for later does not show it"


def form(visitor: Visitor, heading: str) -> Locator:
    """The part of the page with this heading."""
    return visitor.page.get_by_role("region", name=heading)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_bookseller_adds_a_book_changes_it_and_takes_it_out(
    shop: Shop, new_visitor: NewVisitor, width: int, script: bool
) -> None:
    title = f"Ferries of the {'near' if script else 'far'} {'isles' if width == PHONE else 'coasts'}"
    seller, reader = at_work(shop, new_visitor(width=width, script=script)), new_visitor(width=width, script=script)
    page = seller.page
    seller.follow("Add a book")
    for label, value in (("Title", title), ("Price", "12.50"), ("Copies", "3")):
        page.get_by_role("main").get_by_label(label).first.fill(value)
    seller.press("Add it to the shop")
    expect(page.get_by_role("status")).to_have_text("The book is in the shop.")
    number = int(re.findall(r"/staff/books/(\d+)", page.url)[0])

    def shown(price: str, stock: str) -> bool:
        offer = reader.go(f"/books/{number}").locator(".buy .offer").first.inner_text()
        return price in offer and stock in offer

    seen_in_the_next_second(lambda: shown("$12.50", "3 left"))
    form(seller, "Change the price").get_by_label("New price").fill("9.75")
    seller.press("Save the price")
    expect(page.get_by_role("status")).to_have_text("The price is saved: from $12.50 to $9.75")
    seen_in_the_next_second(lambda: shown("$9.75", "3 left"))
    form(seller, "Take goods in").get_by_label("Copies that came").fill("4")
    seller.press("Put on the shelf")
    expect(page.get_by_role("status")).to_have_text("The copies are on the shelf.")
    seen_in_the_next_second(lambda: shown("$9.75", "7 left"))
    form(seller, "Count the stock").get_by_label("Copies counted").fill("6")
    seller.press("Save the count")
    expect(page.get_by_role("status")).to_have_text("The stock is as you counted it.")
    seen_in_the_next_second(lambda: shown("$9.75", "6 left"))
    seller.follow("Take this book out of the shop")
    seller.press("Take it out")
    seen_in_the_next_second(lambda: "We sell no such book" in reader.go(f"/books/{number}").inner_text("main"))


def test_a_double_click_takes_goods_in_once(shop: Shop, visitor: Visitor) -> None:
    seller = at_work(shop, visitor)
    page = seller.go(f"/staff/books/{shop.add_book(1)}")
    form(seller, "Take goods in").get_by_label("Copies that came").fill("4")
    page.get_by_role("button", name="Put on the shelf").dblclick()
    expect(page.get_by_role("status")).to_have_text("The copies are on the shelf.")
    page.reload()
    expect(form(seller, "Count the stock")).to_contain_text("5 are expected")


@pytest.mark.parametrize(("script", "most"), [(True, 40_000_000), (False, 3_000_000)], ids=["script", "no script"])
def test_a_file_that_is_too_large_is_told_the_limit(
    shop: Shop, new_visitor: NewVisitor, tmp_path: Path, script: bool, most: int
) -> None:
    seller = at_work(shop, new_visitor(script=script))
    page = seller.page
    file = tmp_path / "large.csv"
    for size in (300_000, most):
        file.write_bytes(b"x" * size)
        seller.go("/staff/import")
        page.get_by_label("File").set_input_files(file)
        said = "is larger than 256 KiB; divide it"
        seller.press("See what would change")
        if script:
            assert said in page.get_by_label("File").evaluate("input => input.validationMessage")
        else:
            expect(page.get_by_role("alert")).to_contain_text(said)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_list_is_imported_after_a_look_at_what_it_would_change(
    shop: Shop, new_visitor: NewVisitor, script: bool
) -> None:
    seller, reader = at_work(shop, new_visitor(script=script)), new_visitor(script=script)
    title = f"Moorings {'at dawn' if script else 'at dusk'}"
    page = seller.page
    seller.go("/staff/import")
    page.get_by_label("File").set_input_files(
        {"name": f"{title}.csv", "mimeType": "text/csv", "buffer": LIST.format(title=title).encode()}
    )
    seller.press("See what would change")
    expect(page.get_by_role("heading", level=1)).to_have_text("What the import would change")
    expect(page.get_by_role("main")).to_contain_text(title)
    assert "No book found" in reader.go(f"/search?q={title}").inner_text("main")
    seller.press("Import 1 book")
    expect(page.get_by_role("main")).to_contain_text("1 book")
    wait_until(lambda: reader.go(f"/search?q={title}").get_by_role("link", name=title).count())
