"""`make screenshots`: the pictures of the README, taken from an open shop with the sample catalogue."""

import base64
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from browser.chromium import chromium, look, open_shop
from browser.visitor import Visitor
from shop import Shop

FOLDER = Path(__file__).parents[2] / "docs" / "images"
HEIGHT = 900
QUALITY = 82
MOST_BYTES = 150_000
#: Books of the sample that somebody bought before, the first one most often.
BOUGHT = (2, 12, 40, 77, 101, 150)
#: Orders that are laid out; one of them is collected.
READY = 3
IN_THE_BASKET = {12: 1, 2: 2, 101: 1}


def main() -> None:
    """Replace them."""
    with open_shop() as shop:
        _sell(shop)
        with chromium(shop) as browser:
            visitor = Visitor(look(browser, shop))
            visitor.page.set_viewport_size({"width": 1280, "height": HEIGHT})
            for name in _way(visitor, shop):
                file = FOLDER / f"{name}.webp"
                file.write_bytes(_picture(visitor))
                size_bytes = file.stat().st_size
                assert size_bytes <= MOST_BYTES, f"{file} has {size_bytes} bytes"
                print(f"{file.relative_to(Path.cwd())}: {size_bytes} bytes")


def _sell(shop: Shop) -> None:
    with closing(shop.client(shop.customer("earlier@example.org"))) as buyer:
        for rank, item_number in enumerate(BOUGHT):
            copies = {"quantity": len(BOUGHT) - rank}
            assert buyer.call("POST", f"/purchase/{item_number}", copies, key=f"{rank}").status == 201


def _way(visitor: Visitor, shop: Shop) -> Iterator[str]:
    visitor.go("/")
    yield "home"
    visitor.go("/search?q=histroy&in_stock=true")
    yield "search"
    visitor.go("/books/12")
    yield "book"
    for item_number, copies in IN_THE_BASKET.items():
        visitor.put_book(item_number, copies)
    visitor.register()
    yield "basket"
    visitor.buy_basket()
    yield "order"
    assert shop.admin
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.go("/sign-in?next=/staff/orders?show=to-make-ready")
    visitor.sign_in(*shop.admin)
    for _ in range(READY):
        visitor.page.get_by_role("main").get_by_role("button", name="Ready").first.click()
    visitor.go("/staff/orders?show=ready")
    visitor.page.locator("summary", has_text="Collected").first.click()
    visitor.press("Collected and paid")
    visitor.go("/staff")
    yield "dashboard"


def _picture(visitor: Visitor) -> bytes:
    """What the window shows, as WebP."""
    visitor.page.wait_for_load_state("networkidle")
    visitor.page.mouse.move(0, HEIGHT - 1)
    wire = visitor.context.new_cdp_session(visitor.page)
    answer = wire.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    wire.detach()
    return base64.b64decode(answer["data"])


if __name__ == "__main__":
    main()
