"""Every page and every form that the application has, found by its map of addresses, held to the rules of all of them.

A page that is new is walked without being named here; where an address has a parameter without an example the walk
fails and names it.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from bazar.frontend.cache.answers import Answers
from bazar.frontend.domain.accounts import Role
from bazar.frontend.pages.sessions import GUEST_COOKIE
from bazar.frontend.wiring import cached
from page_walk import addresses
from shop_window import ADDRESS, PASSWORD, Form, Reader, Shop, forms_of
from stand_ins import HOSTILE

STAFF = "seller@example.org"
#: Names that some page may read from its address; besides these, those of the fields of all forms.
PARAMETERS = ("q", "subject", "author", "language", "sort", "cursor", "next", "quantity", "isbn", "min_price", "bought")
#: Answers that are no pages: what they hold is nobody's own.
FILES = ("/static/", "/suggest")
POSITION = "Bazar-Position="
#: What the browser is told not to do; a page may be told more.
TOLD = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
DENIED = ("camera", "geolocation", "microphone", "payment", "usb")


@dataclass
class Markup(HTMLParser):
    """What of a page could run, or lead somewhere."""

    page: str
    handlers: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.handlers += [f"{tag} {name}" for name in values if name.startswith("on") or name == "style"]
        if tag == "script" and values.get("type") == "application/ld+json":
            return
        if tag in {"style", "iframe", "object", "embed", "base", "meta"} and values.get("http-equiv", tag) != "meta":
            self.inline.append(tag)
        if tag == "script" and "src" not in values:
            self.inline.append(tag)
        self.loaded += [values["src"]] if "src" in values else []
        self.loaded += [values["href"]] if tag == "link" and values.get("rel") != "canonical" else []
        self.links += [values[name] for name in ("href", "action", "formaction") if name in values]


@pytest.fixture
def staff(shop: Shop) -> Reader:
    shop.accounts.create_account(STAFF, PASSWORD, Role.ADMIN)
    reader = shop.reader()
    signed_in = reader.send(reader.form("/sign-in", "/sign-in"), email=STAFF, password=PASSWORD)
    assert signed_in.status_code == 303
    return reader


@pytest.fixture
def readers(shop: Shop, customer: Reader, staff: Reader) -> dict[str, Reader]:
    """Everybody who may look: some have an order, a basket."""
    with_basket = shop.reader()
    for reader in (with_basket, customer, staff):
        reader.put(4)
    for reader in (customer, staff):
        assert reader.buy(4).status_code == 303
    return {"guest": shop.reader(), "guest with a basket": with_basket, "customer": customer, "staff": staff}


def walk(shop: Shop, readers: dict[str, Reader]) -> Iterator[tuple[str, str, TestResponse]]:
    """Who looked, at which address, and the answer."""
    for path in [*shop.paths_of_pages(), "/nothing-here", "/books/99", "/breaks"]:
        for who, reader in readers.items():
            yield who, path, reader.get(path)


def forms(shop: Shop, readers: dict[str, Reader]) -> Iterator[tuple[str, Form]]:
    """Who is shown the form, and the form: each that changes something once for everybody who is."""
    seen = set()
    for who, _, page in walk(shop, readers):
        for form in forms_of(page) if page.mimetype == "text/html" else []:
            if form.method == "post" and (who, form.action) not in seen:
                seen.add((who, form.action))
                yield who, form


def test_every_page_can_be_looked_at_by_somebody(shop: Shop, readers: dict[str, Reader]) -> None:
    answers: dict[str, set[int]] = {}
    for _, path, answer in walk(shop, readers):
        answers.setdefault(path, set()).add(answer.status_code)
    expected = {"/nothing-here": {404}, "/books/99": {404}, "/breaks": {500}}
    unseen = {path: statuses for path, statuses in answers.items() if not statuses & {200, 303}}
    assert unseen == expected


def test_every_answer_tells_the_browser_what_not_to_do(shop: Shop, readers: dict[str, Reader]) -> None:
    for _, path, answer in walk(shop, readers):
        policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'", path
        assert policy["base-uri"] == policy["frame-ancestors"] == "'none'", path
        assert not re.search(r"unsafe|nonce|\*|http", answer.headers["Content-Security-Policy"]), path
        for name, value in TOLD.items():
            # Where the address itself is a secret, it is passed on to nobody.
            told = "no-referrer" if name == "Referrer-Policy" and path.startswith("/new-password") else value
            assert answer.headers[name] == told, path
        for feature in DENIED:
            assert f"{feature}=()" in answer.headers["Permissions-Policy"], path


def test_every_cookie_is_of_this_host_alone_and_out_of_reach_of_scripts(shop: Shop, readers: dict[str, Reader]) -> None:
    for _, path, answer in walk(shop, readers):
        for cookie in answer.headers.getlist("Set-Cookie"):
            name, *attributes = [part.strip().lower() for part in cookie.split(";")]
            assert name.startswith(("__host-", POSITION.lower())), path
            assert {"secure", "httponly", "path=/", "samesite=lax"} <= set(attributes), (path, cookie)
            assert not any(attribute.startswith("domain") for attribute in attributes), (path, cookie)


def test_no_page_of_ones_own_is_kept_by_any_cache(shop: Shop, readers: dict[str, Reader]) -> None:
    for who, path, answer in walk(shop, readers):
        if answer.status_code == 303 or (path.startswith(FILES) and answer.status_code == 200):
            continue
        rule = answer.headers["Cache-Control"]
        if who != "guest":
            assert "no-store" in rule, (who, path)
        elif "no-store" not in rule:
            assert rule == "private, no-cache", path
            assert "form_token" not in answer.text, path
            assert not any("__Host-" in cookie for cookie in answer.headers.getlist("Set-Cookie")), path


def test_nobody_is_given_a_form_of_somebody_else_out_of_our_own_cache(shop: Shop, customer: Reader) -> None:
    customer.buy(4)
    answers = Answers(10_000_000, time.monotonic)
    cache = cached(shop.app.wsgi_app, answers, shop.visitors)
    epoch, _, number = shop.shelves.position.partition("-")
    for path in shop.paths_of_pages():
        answers.follow(epoch, int(number), (), time.monotonic())
        looks = [Client(cache).get(path, base_url=ADDRESS) for _ in range(2)]
        first, second = (set(re.findall(r'form_token" value="(\w+)"', look.text)) for look in looks)
        assert not first & second, path
        assert bool(first) == any(GUEST_COOKIE in cookie for cookie in looks[0].headers.getlist("Set-Cookie")), path
    assert cache.given


def test_nothing_stands_inline_and_all_that_is_loaded_is_ours(shop: Shop, readers: dict[str, Reader]) -> None:
    for who, path, answer in walk(shop, readers):
        if answer.mimetype != "text/html":
            continue
        markup = Markup(answer.text)
        assert (markup.handlers, markup.inline) == ([], []), (who, path)
        assert all(address.startswith("/static/") for address in markup.loaded), (who, path)
        assert all(urlsplit(address).scheme in {"", "https"} for address in markup.links), (who, path)


def test_every_form_says_where_it_goes_and_carries_its_browsers_token(shop: Shop, readers: dict[str, Reader]) -> None:
    found = list(forms(shop, readers))
    assert {who for who, _ in found} == set(readers)
    for who, form in found:
        assert form.action.startswith("/"), (who, form)
        assert not form.action.startswith("//"), (who, form)
        assert re.fullmatch(r"\w{64}", form.fields["form_token"]), (who, form)


@pytest.mark.parametrize("forgery", ["no token", "another's token", "cross-site", "same-site"])
def test_every_form_is_refused_where_it_was_forged(shop: Shop, readers: dict[str, Reader], forgery: str) -> None:
    """Each form that is shown, and each address that takes one, shown or not."""
    tried = [(who, form.action, form.fields) for who, form in forms(shop, readers)]
    for who, page, own_form in (("guest", "/sign-in", "/sign-in"), ("staff", "/basket", "/sign-out")):
        fields = readers[who].form(page, own_form).fields
        tried += [(who, path, fields) for path in addresses(shop.app, "POST", shop.examples()).values()]
    strangers_token = shop.reader().form("/sign-in", "/sign-in").fields["form_token"]
    before = dict(shop.till.orders)
    for who, action, fields in tried:
        sent = dict(fields)
        if forgery == "no token":
            del sent["form_token"]
        elif forgery == "another's token":
            sent["form_token"] = strangers_token
        site = {"Sec_Fetch_Site": forgery if "site" in forgery else "same-origin"}
        assert readers[who].post(action, sent, **site).status_code == 403, (who, action)
    assert shop.till.orders == before


def test_what_is_hostile_in_an_address_is_shown_as_it_is_or_refused(shop: Shop, readers: dict[str, Reader]) -> None:
    names = {name for _, form in forms(shop, readers) for name in form.fields if name != "form_token"}
    for path in shop.paths_of_pages():
        for who in ("guest", "staff"):
            for asked in [dict.fromkeys([*PARAMETERS, *names], HOSTILE), *({name: HOSTILE} for name in PARAMETERS)]:
                is_harmless(readers[who].get(f"{path}?{urlencode(asked)}"), (who, path))


def test_what_is_hostile_in_a_form_is_shown_as_it_is_or_refused(shop: Shop, readers: dict[str, Reader]) -> None:
    # The last one ends what they are signed in to.
    for who, form in sorted(forms(shop, readers), key=lambda found: found[1].action == "/sign-out"):
        for name in [name for name in form.fields if name != "form_token"]:
            is_harmless(readers[who].send(form, **{name: HOSTILE}), (who, form.action, name))


def is_harmless(answer: TestResponse, where: object) -> None:
    assert answer.status_code < 500, where
    assert not any("\n" in value or "<script" in value for _, value in answer.headers), where
    if answer.status_code == 303:
        assert answer.headers["Location"].startswith("/"), where
        assert not answer.headers["Location"].startswith("//"), where
    if answer.mimetype == "text/html":
        markup = Markup(answer.text)
        assert (markup.handlers, markup.inline) == ([], []), where
        assert "<script>alert" not in answer.text, where
        assert "{{7*7}}" in answer.text or "49" not in re.sub(r"<[^>]*>", "", answer.text), where


def test_an_address_that_cannot_be_filled_in_is_named() -> None:
    app = Flask(__name__)
    app.add_url_rule("/<int:shelf>/books", endpoint="pages.shelf", view_func=str)
    with pytest.raises(AssertionError, match=r"pages\.shelf.*<shelf>"):
        addresses(app, "GET", {})
