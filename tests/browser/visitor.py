"""Somebody who looks at the shop with a browser, and what they do there."""

import itertools
import re

from playwright.sync_api import BrowserContext, Page, expect

from shop import PASSWORD

_NUMBERS = itertools.count(1)
#: What Chromium writes of every answer that is an error, ours on purpose too.
_ANSWERED_WITH_ERROR = re.compile(r"Failed to load resource: the server responded with a status of [45]\d\d")


class Visitor:
    """One browser and its first tab."""

    def __init__(self, context: BrowserContext, *, script: bool = True) -> None:
        self.context = context
        self.page = context.new_page()
        self.script = script
        #: What the browser complained of: scripts that broke, what the Content-Security-Policy kept from running.
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("console", lambda said: self._note(said.type, said.text))
        self.email = f"reader-{next(_NUMBERS)}@example.org"

    def go(self, path: str) -> Page:
        """Open an address; the page."""
        self.page.goto(path)
        return self.page

    def press(self, name: str, *, exact: bool = False) -> None:
        """Click the button of this name in the page; what it leads to is there whole."""
        self.page.get_by_role("main").get_by_role("button", name=name, exact=exact).click()
        self.page.wait_for_load_state()

    def follow(self, name: str) -> None:
        """Click the link of this name; the page that it leads to is there whole."""
        self.page.get_by_role("link", name=name).first.click()
        self.page.wait_for_load_state()

    def search(self, words: str) -> None:
        self.page.get_by_role("search").first.get_by_label("Search by").fill(words)
        self.page.get_by_role("search").first.get_by_role("button", name="Search").click()

    def put(self, copies: int = 1) -> None:
        """Put copies of the book that is looked at into the basket, and go to the basket."""
        self.page.wait_for_load_state()  # before that the form is sent without the script
        self.page.get_by_label("Copies").first.fill(str(copies))
        self.press("Put in basket")
        if not self.script:
            if self.page.url.endswith("/basket"):  # put at once
                return
            self.press("Put in basket")
        else:
            self.page.get_by_role("link", name="See the basket").click()
        expect(self.page).to_have_url(re.compile(r"/basket$"))

    def put_book(self, item_number: int, copies: int = 1) -> None:
        self.go(f"/books/{item_number}")
        self.put(copies)

    def register(self, path: str = "/register?next=/basket") -> None:
        """As a new customer; ends where ``next`` says."""
        self.go(path)
        self.fill_registration()

    def fill_registration(self) -> None:
        self.page.get_by_label("E-mail address").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.press("Register")
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        """On the page to sign in."""
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.press("Sign in")

    def buy_basket(self) -> None:
        """From the basket's page to the order's."""
        self.press("Buy for")
        expect(self.page.get_by_role("heading", name="Thank you")).to_be_visible()

    @property
    def order_id(self) -> str:
        """Of the order that is looked at."""
        found = re.search(r"/orders/([a-z2-7]{32})", self.page.url)
        assert found, self.page.url
        return found[1]

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not _ANSWERED_WITH_ERROR.match(text):
            self.complaints.append(f"{self.page.url}: {text}")
