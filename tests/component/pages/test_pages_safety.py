"""What holds for every page: its headers, its forms, nothing that could run, nothing private in a cache."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

import pyotp
import pytest
from werkzeug.test import TestResponse

from bazar.frontend.domain.accounts import Role
from bazar.frontend.pages.protection import Protected, names_public_host
from shop_window import PASSWORD, Reader, Shop
from stand_ins import HOSTILE

BOSS = "boss@example.org"
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: All forms of the shop that change something.
FORMS = {
    *("/sign-out", "/sign-in", "/register", "/books/1/buy", "/books/1/basket", "/orders/x/again", "/orders/x/cancel"),
    *("/basket", "/basket/remove", "/basket/adjust", "/basket/buy"),
    *("/staff/orders/x/ready", "/staff/orders/x/collected", "/staff/orders/x/cancel", "/staff/orders/x/settle"),
    *("/account/name", "/account/password", "/account/delete", "/account/links", "/new-password", "/sign-in/code"),
    *("/account/second-factor", "/account/second-factor/confirm", "/account/second-factor/off"),
    *("/admin/accounts", "/admin/accounts/x/role", "/admin/accounts/x/sessions", "/admin/accounts/x/second-factor"),
    *("/staff/books/new", "/staff/books/1/details", "/staff/books/1/price", "/staff/books/1/goods-in"),
    *("/staff/books/1/stock-take", "/staff/books/1/withdraw", "/staff/import", "/staff/import/preview"),
}
#: Our one script, and data that is no script to a browser.
SCRIPTS = (
    r'<script type="module" src="/static/shop\.\w+\.js"></script>|<script type="application/ld\+json">[^<]*</script>'
)
EXAMPLES = {"item_number": "1", "order_id": "x"}
#: For people of the shop; a customer is told so.
OF_THE_SHOP = ("/account/second-factor", "/account/links", "/admin/accounts")
#: Not one of our pages: what stands there for an address that is none, or breaks.
ASTRAY = ("/nothing-here", "/books/99", "/breaks", "/static/nothing.css", "/search?sort=x", "/problems/none")


def every_page(shop: Shop, reader: Reader) -> list[str]:
    reader.buy(4)
    shop.accounts.create_account(BOSS, PASSWORD, Role.ADMIN)
    return [*shop.paths_of_pages(), "/search?q=script", "/subjects/a/b%20%3Ci%3E&%3F%23", *ASTRAY]


def test_every_page_answers_who_may_see_it(shop: Shop, customer: Reader) -> None:
    pages = every_page(shop, customer)
    astray = {path: customer.get(path).status_code for path in ASTRAY}
    assert list(astray.values()) == [404, 404, 500, 404, 422, 404]
    expected = {"/sign-in": 303, "/register": 303, "/books/4/buy": 303, "/basket/buy": 303}
    boss = shop.reader()
    boss.sign_in(BOSS)
    for path in pages:
        if path not in ASTRAY:
            of_staff = 404 if path.startswith("/staff") else 403 if path.startswith(OF_THE_SHOP) else 200
            assert (path, customer.get(path).status_code) == (path, expected.get(path, of_staff))
        if path.startswith(OF_THE_SHOP):
            assert (path, boss.get(path).status_code) == (path, 422 if path.endswith("/find") else 200)


def test_every_answer_carries_the_headers_that_protect(shop: Shop, customer: Reader, guest: Reader) -> None:
    for path in every_page(shop, customer):
        for reader in (customer, guest):
            headers = reader.get(path).headers
            assert headers["Content-Security-Policy"] == POLICY, path
            assert headers["X-Content-Type-Options"] == "nosniff"
            # The address of a link for a lost password holds its secret.
            assert headers["Referrer-Policy"] == ("no-referrer" if path == "/new-password" else "same-origin")
            assert "camera=()" in headers["Permissions-Policy"]
            assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_an_answer_that_is_begun_again_after_an_error_is_protected_too() -> None:
    begun: list[tuple[str, list[tuple[str, str]], object]] = []
    error = ValueError("half way")

    def app(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        stricter = [("content-type", "text/html"), ("referrer-policy", "no-referrer")]
        start_response("500 Internal Server Error", stricter, (ValueError, error, None))  # type: ignore[arg-type]  # no traceback is needed
        return []

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
        begun.append((status, headers, exc_info))
        return lambda _data: None

    Protected(app, "https://localhost")({}, start)
    ((status, headers, exc_info),) = begun
    assert (status, exc_info) == ("500 Internal Server Error", (ValueError, error, None))
    names = [name.lower() for name, _ in headers]
    assert len(names) == len(set(names))
    told = {name.lower(): value for name, value in headers}
    assert (told["referrer-policy"], told["cache-control"]) == ("no-referrer", "private, no-cache")
    assert (told["x-content-type-options"], told["content-security-policy"]) == ("nosniff", POLICY)


def test_nothing_on_any_page_could_run_or_be_styled_inline(shop: Shop, customer: Reader, guest: Reader) -> None:
    bookseller = shop.bookseller()
    for path in every_page(shop, customer):
        for reader in (customer, guest, bookseller):
            response = reader.get(path)
            page = re.sub(SCRIPTS, "", response.text) if response.mimetype == "text/html" else ""
            assert not re.search(r"<(script|style|iframe|object|i>)|\sstyle=|\son\w+=|javascript:", page), path


def test_hostile_titles_are_shown_as_they_are(customer: Reader) -> None:
    address = customer.buy(4).headers["Location"]
    customer.put(4)
    for path in ("/books/4", "/search?q=script", "/orders", address, "/basket", "/books/4/basket", "/bestsellers"):
        page = re.sub(SCRIPTS, "", customer.get(path).text)
        assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page, path
        assert "{{7*7}}" in page
        assert "<script" not in page


def test_a_hostile_title_does_not_end_the_data_for_search_engines(guest: Reader) -> None:
    page = guest.get("/books/4").text
    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert json.loads(data)["name"] == HOSTILE
    assert not set("<>&'") & set(data)


def test_every_page_made_for_one_person_is_kept_by_no_cache(shop: Shop, customer: Reader) -> None:
    for path in every_page(shop, customer):
        response = customer.get(path)
        if not path.startswith("/static/") or response.status_code != 200:
            assert "no-store" in response.headers["Cache-Control"], path


def test_pages_of_a_guest_are_not_shared(guest: Reader) -> None:
    for path in ("/", "/books/2", "/search?q=volume", "/subjects/history", "/new", "/bestsellers"):
        page = guest.get(path)
        assert page.headers["Cache-Control"] == "private, no-cache", path
        assert page.headers["Vary"] == "Accept-Language", path
        assert not any("__Host-" in cookie for cookie in page.headers.getlist("Set-Cookie")), path
        assert 'method="post"' not in page.text, path
    assert guest.get("/sign-in").headers["Cache-Control"].endswith("no-store")


def test_every_form_that_changes_something_has_a_token(shop: Shop, customer: Reader, guest: Reader) -> None:
    paths = every_page(shop, customer)
    bookseller = shop.bookseller()
    pages = [reader.get(path) for path in paths for reader in (customer, guest, bookseller)]
    pages.append(
        bookseller.upload("/staff/import", "/staff/import/preview", b"source_id,title,price,stock\n1,A,1.00,1")
    )
    shop.till.stuck_orders[next(iter(shop.till.orders))] = "no copies"
    pages += [bookseller.get(path) for path in paths if path.startswith("/staff/orders/")]
    for quantity in (9, 0):
        shop.shelves.change(2, quantity=quantity)
        pages += [(reader.put(2), reader.get("/basket"))[1] for reader in (customer, guest)]
    order = f"/orders/{next(iter(shop.till.orders))}"
    pages.append(customer.get(customer.send(customer.form(order, f"{order}/cancel")).headers["Location"]))
    pages += pages_about_accounts(shop)
    actions = {action for page in pages for action in guarded_actions(page)}
    routes = {
        re.sub(r"<\w+:(\w+)>", lambda match: EXAMPLES[match[1]], rule.rule.replace("<account_id>", "x"))
        for rule in shop.app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
    }
    assert actions == routes == FORMS


def pages_about_accounts(shop: Shop) -> Iterator[TestResponse]:
    """Those of an admin, as they are while a second factor is set up and used; and where a link leads."""
    boss, somebody = shop.reader(), shop.reader()
    boss.sign_in(BOSS)
    paths = ("/account/second-factor", "/account/links", "/admin/accounts", f"/admin/accounts/{shop.account_id(BOSS)}")
    yield from (boss.get(path) for path in paths)
    shop.accounts.create_account("worker@example.org", PASSWORD, Role.STAFF)
    second_factors = shop.people.second_factors
    for email in ("worker@example.org", BOSS):
        person = shop.people.staff_accounts.find(email)
        second_factors.begin(person)
        yield boss.get("/account/second-factor")
        setting_up = second_factors.setting_up(person)
        assert setting_up
        code = pyotp.TOTP(setting_up.secret).at(shop.clock())
        switched_on = second_factors.confirm(person, PASSWORD, code, "127.0.0.1")
        assert switched_on
        recovery_codes = switched_on.recovery_codes
    # Those of the boss came last; by the second factor all earlier sessions have ended.
    boss.send(boss.form(boss.sign_in(BOSS), "/sign-in/code"), code=recovery_codes[0])
    yield from (boss.get(path) for path in paths)
    yield boss.get(f"/admin/accounts/{shop.account_id('worker@example.org')}")
    yield somebody.sign_in(BOSS)
    yield somebody.get(f"/new-password?link={shop.people.lost_passwords.make_link(BOSS, actor=None)}")


def guarded_actions(page: TestResponse) -> Iterator[str]:
    """Where the forms of a page that change something post to; each has a token, all others only look."""
    for form in re.findall(r"<form[^>]*>.*?</form>", page.text, re.DOTALL):
        action = re.search(r'action="([^"]*)"', form)
        assert action
        plain = re.sub(r"/(\d+)/", "/1/", re.sub(r"/[a-z2-7]{26,32}/", "/x/", action[1]))
        if 'method="post"' in form:
            assert re.search(r'name="form_token" value="\w{64}"', form), page.request.path
            yield plain
            yield from re.findall(r'<button[^>]* formaction="([^"]*)"', form)
        else:
            assert 'method="get"' in form
            at_work = {"/admin/accounts/find", "/staff/books", "/staff/journal", "/staff/orders"}
            assert plain in {"/search", "/books/1/basket"} | at_work


@pytest.mark.parametrize("action", [*sorted(FORMS - {"/books/1/buy"}), "/books/2/buy"])
@pytest.mark.parametrize("forgery", ["no token", "another's token", "another site"])
def test_a_forged_form_is_refused(shop: Shop, customer: Reader, action: str, forgery: str) -> None:
    address = customer.buy(5).headers["Location"]
    own_id = f"/{shop.account_id()}/" if action.startswith("/admin") else f"{address.removesuffix('?bought=1')}/"
    action = action.replace("/x/", own_id.removeprefix("/orders"))
    customer.put(5)
    shop.till.asked.clear()
    own = customer.form("/books/2", "/books/2/buy")
    fields = {**own.fields, "email": "ann@example.org", "password": "violet tables dance", "quantity": "1"}
    headers = {"Sec_Fetch_Site": "cross-site"} if forgery == "another site" else {"Sec_Fetch_Site": "same-origin"}
    if forgery == "no token":
        del fields["form_token"]
    elif forgery == "another's token":
        fields["form_token"] = shop.reader().form("/sign-in", "/sign-in").fields["form_token"]
    page = customer.post(action, fields, **headers)
    assert page.status_code == 403
    assert "Nothing has changed." in page.text
    assert not shop.till.asked
    assert 'value="1" required' in customer.get("/basket").text
    assert "Cancelled" not in customer.get(address).text
    assert "Sign out" in customer.get("/").text
    assert shop.reader().sign_in().status_code == 303


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://books.example.org", True),
        ("https://BAZAR.de:8443", True),
        ("https://localhost:8443", False),
        ("https://shop.localhost", False),
        ("https://shop", False),
        ("https://shop.local", False),
        ("https://nas.home.arpa", False),
        ("https://192.0.2.7", False),
        ("https://[2001:db8::1]:8443", False),
    ],
)
def test_only_a_public_host_is_told_to_stay_on_https(url: str, public: bool) -> None:
    assert names_public_host(url) is public
