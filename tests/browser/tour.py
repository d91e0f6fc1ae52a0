"""Every page of the shop in every state that somebody can meet, one after another.

Each way yields the name of the state that the visitor's page has just reached.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

from flask import Flask
from playwright.sync_api import expect
from pyotp import TOTP

import shop_window
from bazar.chassis.database import Database
from browser.visitor import Visitor
from page_walk import addresses
from shop import PASSWORD, Shop

States = Iterator[str]


#: What booksellers press to bring an order so far.
COUNTER = {
    "placed": (),
    "ready": ("Ready to collect",),
    "collected": ("Collected and paid",),
    "cancelled": ("Cancel",),
}
LIST = b"source_id,title,price,stock\nk1,Kites and kestrels,12.50,3\nk2,,12.50,3\n"


def as_guest(visitor: Visitor, shop: Shop) -> States:
    """Who has no account: looks around, fills a basket, makes mistakes with the forms."""
    plenty, sold_out = shop.add_book(50, "Plenty of Room"), shop.add_book(0, "None Left")
    for name, path in {
        "home": "/",
        "search": "/search?q=history",
        "search, narrowed down": "/search?q=history&in_stock=true&max_price=4999&sort=price",
        "search, nothing found": "/search?q=zzzqqq",
        "search, all words but one": "/search?q=history+zzzqqq",
        "search, all words but one within a filter": "/search?q=history+zzzqqq&in_stock=true",
        "search, what cannot be asked": "/search?sort=x",
        "subject": "/subjects/poetry",
        "subject, unknown": "/subjects/zzzqqq",
        "new books": "/new",
        "new books of a subject": "/new?subject=poetry",
        "best sellers": "/bestsellers",
        "book": f"/books/{plenty}",
        "book of the sample": "/books/12",
        "book, sold out": f"/books/{sold_out}",
        "book, unknown": "/books/999999",
        "no such page": "/nothing-here",
        "problem": "/problems/out-of-stock",
        "the API": "/api/v1/docs",
        "basket, none yet": "/basket",
        "put in basket": f"/books/{plenty}/basket",
        "sign in": "/sign-in",
        "sign in, registered": "/sign-in?registered=1",
        "register": "/register",
        "order, not signed in": "/orders",
    }.items():
        visitor.go(path)
        yield name
    page = visitor.go("/search?q=undergradaute")
    expect(page.get_by_text("as it is written")).to_be_visible()
    yield "search, a word that was mistyped"
    visitor.go("/")
    page.get_by_label("Search by").fill("po")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    yield "suggestions"
    visitor.go("/sign-in")
    visitor.sign_in("nobody@example.org")
    yield "sign in, refused"
    visitor.go("/register")
    visitor.page.get_by_label("E-mail address").fill("nobody")
    visitor.page.get_by_label("Password").fill("long enough for this")
    visitor.press("Register")
    yield "register, refused"
    visitor.go(f"/books/{plenty}")
    visitor.press("Put in basket")
    expect(page.get_by_role("link", name="See the basket")).to_be_visible()
    yield "book, put in basket"
    visitor.go("/basket")
    yield "basket of a guest"
    page.get_by_label("Copies").fill("50000")
    page.evaluate("document.querySelector('form[action=\"/basket\"]').noValidate = true")
    visitor.press("Update the numbers")
    yield "basket, how many copies"


def as_customer(visitor: Visitor, shop: Shop) -> States:
    """Who registers, buys, is refused, and cancels."""
    dearer, short, gone, withdrawn = (shop.add_book(5, f"A Book That Is {what}") for what in ("A", "B", "C", "D"))
    visitor.register("/register?next=/orders")
    page = visitor.page
    yield "orders, none yet"
    for path in ("/", "/search?q=history", "/subjects/poetry", "/new", "/bestsellers", "/books/12"):
        visitor.go(path)
        yield f"{path}, signed in"
    visitor.go(f"/books/{dearer}")
    page.get_by_text("Buy at once").click()
    yield "book, buy at once"
    visitor.put_book(dearer)
    yield "basket"
    visitor.buy_basket()
    yield "order, bought"
    order = visitor.go(f"/orders/{visitor.order_id}").url
    yield "order"
    visitor.press("Cancel this order")
    yield "order, just cancelled"
    visitor.go(order)
    yield "order, cancelled"
    visitor.go("/orders")
    yield "orders"
    visitor.go("/orders/" + "a" * 32)
    yield "order, unknown"
    visitor.put_book(dearer)
    with closing(shop.client(shop.staff())) as staff:
        staff.call("PATCH", f"/books/{dearer}", {"price": {"amount": 4100, "currency": "USD"}})
        visitor.press("Buy for")
        yield "basket, the price has changed"
        visitor.put_book(short, 4)
        visitor.put_book(gone)
        visitor.put_book(withdrawn)
        staff.call("PATCH", f"/books/{short}", {"stock_change": -3})
        staff.call("PATCH", f"/books/{gone}", {"stock_change": -5})
        visitor.press("Buy for")
        yield "basket, not enough copies"
        staff.call("DELETE", f"/books/{withdrawn}")
    visitor.go("/basket")
    yield "basket, changed since"
    page.evaluate("document.querySelectorAll('[name=form_token]').forEach(field => field.value = '')")
    visitor.press("Keep what is there")
    yield "form refused"


def in_trouble(visitor: Visitor, shop: Shop) -> States:
    """While one of the servers behind the pages stands still."""
    visitor.put_book(shop.add_book(5, "Patience"))
    visitor.register()
    page = visitor.page
    with shop.standing_still("order"):
        visitor.press("Buy for")
        expect(page.get_by_role("button", name="Ask again")).to_be_visible()
        yield "purchase, not known yet"
        visitor.go("/orders")
        yield "orders, out of reach"
    with shop.standing_still("catalog"):
        visitor.go("/basket")
        yield "basket, prices out of reach"
        visitor.go("/search?q=patience")
        yield "search, out of reach"


def with_an_account(visitor: Visitor, shop: Shop) -> States:
    """Who looks after their account, loses the password, and is helped."""
    visitor.register("/register?next=/account")
    page = visitor.page
    yield "account"
    page.get_by_label("Password until now").fill("another one than it is")
    page.get_by_label("New password").fill("quiet harbours wake")
    visitor.press("Change the password")
    expect(page.get_by_role("alert")).to_be_visible()
    yield "account, password refused"
    visitor.go("/account/delete")
    page.get_by_label("Password").fill("another one than it is")
    page.get_by_role("main").locator("form button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "account, not deleted"
    page.get_by_role("button", name="Sign out").click()
    _sign_in_as_admin(visitor, shop)
    visitor.go("/account/links")
    page.get_by_label("E-mail address of the account").fill(visitor.email)
    visitor.press("Make a link")
    yield "link for a lost password"


def as_colleague(visitor: Visitor, shop: Shop) -> States:
    """Who comes to work in the shop: gets an account, chooses its password, and gives a code besides."""
    _sign_in_as_admin(visitor, shop)
    page = visitor.go("/admin/accounts")
    email = f"colleague-of-{visitor.email}"
    for refused in (False, True):
        create = page.get_by_role("region", name="Make an account")
        create.get_by_label("E-mail address").fill(email)
        create.get_by_role("button").click()
        if not refused:
            link = page.locator("#link").inner_text()
        yield "account refused" if refused else "account made"
    page.get_by_role("button", name="Sign out").click()
    visitor.go(link[link.index("/new-password") :])
    yield "another password by a link"
    page.get_by_label("New password").fill(PASSWORD)
    visitor.press("Set the password")
    visitor.sign_in(email)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    visitor.go("/account/second-factor")
    visitor.press("Set it up")
    key = page.locator("code.key").inner_text().replace(" ", "")
    yield "second factor, its key"
    _switch_on(visitor, "no code")
    expect(page.get_by_role("alert")).to_be_visible()
    yield "second factor, wrong code"
    _switch_on(visitor, TOTP(key).now())
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    yield "second factor, its recovery codes"
    visitor.go("/account/second-factor")
    expect(page.get_by_role("button", name="Switch it off")).to_be_visible()
    yield "second factor, on"
    page.get_by_role("button", name="Sign out").click()
    visitor.go("/sign-in")
    visitor.sign_in(email)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your code")
    yield "sign in, its code"
    page.get_by_label("Code").fill("no code")
    visitor.press("Sign in")
    expect(page.get_by_role("alert")).to_be_visible()
    yield "sign in, wrong code"


def as_admin(visitor: Visitor, shop: Shop) -> States:
    """Who may look at everything: each page that the application has, those too that nobody named here."""
    with closing(shop.client(shop.staff())) as admin:
        item_number = shop.add_book(5)
        order = admin.call("POST", f"/purchase/{item_number}", key=f"as-admin-{item_number}").json
    _sign_in_as_admin(visitor, shop)
    examples = {"item_number": "12", "order_id": order["order_id"], "subject": "poetry", "name": "not-found"}
    visitor.go("/admin/accounts")
    yield "accounts of the shop"
    visitor.page.locator("main a[href^='/admin/accounts/']").first.click()
    examples["account_id"] = visitor.page.url.rpartition("/")[2]
    for endpoint, path in addresses(application(), "GET", {**examples, "path": ""}).items():
        if endpoint not in NO_PAGES:
            visitor.go(path)
            yield endpoint


def as_bookseller(visitor: Visitor, shop: Shop) -> States:
    """What stands nowhere but in the answer to a form, or in what forms have made of orders and books."""
    orders = _orders(shop)
    _sign_in_as_admin(visitor, shop)
    page = visitor.page
    for state, buttons in COUNTER.items():
        _bring(visitor, orders[state], buttons)
        visitor.go(f"/staff/orders/{orders[state]}")
        yield f"order for booksellers, {state}"
        if state == "ready":
            page.locator("summary", has_text="Collected").press("Enter")
            yield "collected, to be confirmed"
    for asked in ("today", "to-make-ready", "ready", "collected", "cancelled", "stuck", "&q=cus"):
        visitor.go(f"/staff/orders?show={asked}")
        yield f"orders, {asked}"
    visitor.go(f"/orders/{orders['placed']}")
    _bring(Visitor(visitor.context), orders["placed"], ("Ready to collect", *COUNTER["collected"]))
    visitor.press("Cancel this order")
    expect(page.get_by_role("alert")).to_contain_text("too late")
    yield "order, too late to cancel"
    visitor.go(f"/staff/books/{shop.add_book(3, 'Kites')}")
    price = page.get_by_label("New price")
    price.fill("dear")
    visitor.press("Save the price")
    yield "price refused"
    price.fill("9.75")
    visitor.press("Save the price")
    yield "price, asked once more"
    visitor.press("Save the price")
    yield "price saved"
    visitor.follow("Take this book out of the shop")
    yield "taking a book out"
    address = page.url
    visitor.press("Take it out")
    visitor.go(address.removesuffix("/withdraw"))
    yield "a book that was taken out"
    visitor.go("/staff/books/new")
    page.get_by_label("Title").last.fill("Kites")
    page.evaluate("document.querySelectorAll('[required]').forEach(field => field.required = false)")
    visitor.press("Add it to the shop")
    yield "new book refused"
    visitor.go("/staff/import")
    page.get_by_label("File").set_input_files({"name": "l.csv", "mimeType": "text/csv", "buffer": LIST})
    visitor.press("See what would change")
    yield "import, its preview"
    visitor.go("/staff/import")
    page.get_by_label("File").set_input_files({"name": "l.csv", "mimeType": "text/csv", "buffer": b"x" * 300_000})
    page.get_by_label("File").evaluate("input => input.form.noValidate = true")
    visitor.press("See what would change")
    expect(page.get_by_role("alert")).to_contain_text("is larger than 256 KiB")
    yield "import, the file is too large"


def _orders(shop: Shop) -> dict[str, str]:
    """An order for each state that booksellers bring it into."""
    item_number = shop.add_book(20, "Lanterns")
    with closing(shop.client(shop.staff())) as buyer:
        return {
            state: buyer.call("POST", f"/purchase/{item_number}", key=f"{state}-{item_number}").json["order_id"]
            for state in COUNTER
        }


def _bring(visitor: Visitor, order_id: str, buttons: Iterable[str]) -> None:
    """Press these on the booksellers' page of the order, one after another."""
    for button in buttons:
        visitor.go(f"/staff/orders/{order_id}")
        visitor.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        visitor.press(button)
        expect(visitor.page.get_by_role("main").get_by_role("button", name=button)).to_be_hidden()


def _switch_on(visitor: Visitor, code: str) -> None:
    """The second factor of who is signed in, with this code."""
    visitor.page.get_by_label("Code").fill(code)
    visitor.page.get_by_label("Your password").fill(PASSWORD)
    visitor.press("Switch it on")


def _sign_in_as_admin(visitor: Visitor, shop: Shop) -> None:
    assert shop.admin
    visitor.go("/sign-in")
    visitor.sign_in(*shop.admin)
    expect(visitor.page.get_by_role("button", name="Sign out")).to_be_visible()


def application() -> Flask:
    """The pages as they are mounted, for the map of their addresses alone."""
    with TemporaryDirectory() as folder, closing(Database(f"sqlite:///{folder}/map.sqlite3")) as database:
        return shop_window.Shop(database, lambda: datetime.now(UTC)).app


#: What is no page to look at: files, a download, and what the script asks for.
NO_PAGES = {"pages.static", "pages.suggest", "pages.account_data", "pages.staff_import_sample"}
WAYS = [as_guest, as_customer, with_an_account, as_admin, as_bookseller, as_colleague, in_trouble]
