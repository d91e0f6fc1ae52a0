"""Every text of the pages can be translated: a made-up language in brackets leaves nothing but data outside them."""

import re
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract

import bazar.frontend
from bazar.frontend.domain.accounts import Role
from bazar.frontend.pages import wording
from compiled_templates import compile_anew
from shop_window import Reader, Shop

TEMPLATES = Path(bazar.frontend.__file__).parent / "templates"
#: What is no text of ours: names of books and people, what is counted, brands and codes.
DATA = re.compile(
    r"Volume|Three|Left|Sold|Out|Long|Ago|RPCs|for|Noobs|Ada|Quill|All|about|history|distributed|systems|script|alert|x|"
    r"a|b|i|aaaa|ann|example|org|Bazar|ISBN|UTC|January|AM|PM|English|US"
)
ATTRIBUTES = ("placeholder", "aria-label", "title", "data-list", "data-author", "data-out", "data-put")
HIDDEN = {"script", "style", "svg"}


class Texts(HTMLParser):
    """The texts that a person sees or hears."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN:
            self._inside.append(tag)
        self.found += [value for name, value in attrs if name in ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.found.append(data)


def translate(shop: Shop) -> None:
    compile_anew(shop.app)
    wording.translate(shop.app, lambda text: f"⟦{text}⟧", lambda one, many, number: f"⟦{one if number == 1 else many}⟧")


def untranslated(page: str) -> set[str]:
    text = " ".join(Texts(page).found)
    while "⟦" in text:
        text, before = re.sub(r"⟦[^⟦⟧]*⟧", " ", text), text
        assert text != before, "a bracket is not closed"
    return {word for word in re.findall(r"[^\W\d_]+", text) if not DATA.fullmatch(word)}


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/books/2", "/books/3", "/search?q=volume&language=en&min_price=100", "/search?q=zzz", "/new"),
        *("/bestsellers", "/subjects/history", "/basket", "/books/2/basket", "/nothing", "/orders", "order"),
        *("/account?said=name", "/account/delete", "/account/deleted", "/account/links", "/new-password?link=x"),
    ],
)
def test_every_text_of_a_page_can_be_translated(shop: Shop, customer: Reader, path: str) -> None:
    translate(shop)  # first, as a shop's language is known before it opens: what was drawn is remembered
    address = customer.buy(5).headers["Location"]
    customer.put(2)
    customer.put(3)
    page = customer.get(address if path == "order" else path)
    assert untranslated(page.text) - set(shop.till.orders) == set()


@pytest.mark.parametrize(
    "path", ["/account", "/account/second-factor", "/account/links", "/admin/accounts", "one", "/admin/accounts/find"]
)
def test_every_text_of_an_admins_page_can_be_translated(shop: Shop, path: str) -> None:
    boss = shop.colleague("boss@example.org", Role.ADMIN)
    translate(shop)
    page = boss.get(f"/admin/accounts/{shop.account_id('boss@example.org')}" if path == "one" else path)
    assert untranslated(page.text) <= {"boss", "exactly", "one", "An", "address", "has"}


@pytest.mark.parametrize(
    "path",
    [
        *("/staff/books?q=volume", "/staff/books?q=zzz", "/staff/books/new", "/staff/books/5?done=price"),
        *(
            "/staff/books/5/withdraw",
            "/staff/import?added=1&present=2&bad=1",
            "/staff/journal",
            "/staff/journal?book=9",
        ),
        *("/staff/books/6", "/staff/books/low"),
    ],
)
def test_every_text_of_the_pages_for_books_can_be_translated(shop: Shop, path: str) -> None:
    stella = shop.bookseller()
    for price in ("11", "12"):
        form = stella.form("/staff/books/5", "/staff/books/5/price")
        assert stella.send(form, price=price).status_code == 303
    for page in ("goods-in", "stock-take"):
        form = stella.form("/staff/books/5", f"/staff/books/5/{page}")
        assert stella.send(form, stock="7").status_code == 303
    assert stella.send(stella.form("/staff/books/6/withdraw", "/staff/books/6/withdraw")).status_code == 303
    translate(shop)
    #: What the journal says is data; a currency and a language tag are codes.
    data = {"stella", "taken", "in", "from", "to", "stock", "take", "expected", "counted", "USD", "en"}
    assert untranslated(stella.get(path).text) <= data


@pytest.mark.parametrize(
    "path",
    [
        *("/staff", "/staff/orders", "/staff/orders?show=stuck", "/staff/orders?show=to-make-ready&done=ready"),
        *("/staff/orders?show=cancelled", "one", "/staff/journal/orders"),
    ],
)
def test_every_text_of_a_booksellers_page_can_be_translated(shop: Shop, customer: Reader, path: str) -> None:
    stella = shop.bookseller()
    address = customer.buy(5).headers["Location"].removesuffix("?bought=1")
    shop.till.stuck_orders[address.removeprefix("/orders/")] = "1"
    translate(shop)
    page = stella.get(f"/staff{address}" if path == "one" else path)
    assert untranslated(page.text) <= {"stella", "Jan"}


@pytest.mark.parametrize("path", ["/sign-in?registered=1", "/register"])
def test_every_text_of_a_guests_page_can_be_translated(shop: Shop, guest: Reader, path: str) -> None:
    translate(shop)
    assert untranslated(guest.get(path).text) == set()


def test_a_text_that_is_not_marked_is_seen() -> None:
    assert untranslated("<p>⟦Basket⟧ 3 copies</p><svg>cover</svg>") == {"copies"}


def test_the_marked_texts_can_be_extracted_for_translators() -> None:
    found = [
        message
        for template in sorted(TEMPLATES.glob("*.html"))
        for _, message, _, _ in extract(
            "jinja2", BytesIO(template.read_bytes()), options={"trimmed": "true", "silent": "false"}
        )
    ]
    assert {"Put in basket", ("%(n)s copy", "%(n)s copies")} <= set(found)
