"""Register, sign in, sign out, and be sent on to where one was going."""

import re

import pytest

from bazar.frontend.domain.accounts import Role
from bazar.frontend.pages.people import own_address
from shop_window import PASSWORD, Reader, Shop, links

ELSEWHERE = [
    "https://evil.example",
    "//evil.example/books",
    "///evil.example",
    "//[",
    "//[::1",
    "//evil\N{ACCOUNT OF}.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n//evil.example",
    "javascript:alert(1)",
    "evil.example",
    " /books/1",
    "",
    "/books/1\r\nSet-Cookie: a=b",
]


def test_registering_signs_in_and_goes_on(guest: Reader) -> None:
    form = guest.form("/register?next=/books/2", "/register")
    sent = guest.send(form, email="ann@example.org", password="violet tables dance", name="Ann")
    assert (sent.status_code, sent.headers["Location"]) == (303, "/books/2")
    page = guest.get("/books/2").text
    assert 'action="/books/2/buy"' in page
    assert "Signed in as Ann" in page


def test_the_way_back_survives_a_mistake_and_the_change_from_sign_in_to_register(guest: Reader) -> None:
    page = guest.get("/sign-in?next=/books/2")
    assert 'href="/register?next=/books/2"' in page.text
    wrong = guest.send(guest.form(page, "/sign-in"), email="nobody@example.org", password="anything at all")
    assert guest.form(wrong, "/sign-in").fields["next"] == "/books/2"


def test_signing_in_opens_the_same_account_elsewhere(shop: Shop, customer: Reader) -> None:
    order = customer.buy(2).headers["Location"]
    elsewhere = shop.reader()
    form = elsewhere.form(f"/sign-in?next={order.partition('?')[0]}", "/sign-in")
    sent = elsewhere.send(form, email="ann@example.org", password="violet tables dance")
    assert sent.status_code == 303
    assert "Three Left" in elsewhere.get(sent.headers["Location"]).text


def test_a_taken_address_is_sent_to_sign_in_and_nobody_is_let_in(shop: Shop, customer: Reader) -> None:
    other = shop.reader()
    sent = other.register(password="another person's words")
    assert (sent.status_code, sent.headers["Location"]) == (303, "/sign-in?registered=1&next=%2F")
    assert "You can sign in now" in other.get(sent.headers["Location"]).text
    assert "Sign out" not in other.get("/").text
    assert "Sign out" in customer.get("/").text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"password": "short"}, "It has fewer than 15 characters."),
        ({"password": "a" * 2000}, "Please choose another password."),
        ({"email": "ann"}, "An address has exactly one @."),
        ({"email": "<b>@example.org"}, "no name of a mailbox"),
        ({"name": "n" * 201}, "at most 200 characters"),
    ],
)
def test_what_is_wrong_with_a_registration_is_said(guest: Reader, changed: dict[str, str], words: str) -> None:
    page = guest.register(**changed)
    assert page.status_code == 422
    assert words in page.text
    assert "<b>" not in page.text
    assert "violet" not in page.text


def test_a_wrong_password_is_said_and_too_many_are_stopped(shop: Shop, customer: Reader) -> None:
    assert customer.get("/").status_code == 200
    guest = shop.reader()
    form = guest.form("/sign-in", "/sign-in")
    answers = [guest.send(form, email="ann@example.org", password="not the right one") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 429]
    assert "No account has this address with this password." in answers[0].text
    assert answers[3].headers["Retry-After"] == "60"


def test_signing_out_ends_it(customer: Reader) -> None:
    form = customer.form("/", "/sign-out")
    assert customer.send(form).headers["Location"] == "/"
    assert "Sign in" in customer.get("/").text
    assert customer.get("/orders").status_code == 303


def test_who_is_signed_in_is_not_asked_again(customer: Reader) -> None:
    for page in ("/sign-in", "/register"):
        assert customer.get(f"{page}?next=/books/2").headers["Location"] == "/books/2"


@pytest.mark.parametrize("address", ["/orders", f"/orders/{'a' * 32}?bought=1", "/orders?cursor=20"])
def test_private_pages_ask_to_sign_in_and_lead_back(guest: Reader, address: str) -> None:
    sent = guest.get(address)
    assert sent.status_code == 303
    assert guest.form(sent.headers["Location"], "/sign-in").fields["next"] == address


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nobody_is_sent_to_another_site(shop: Shop, customer: Reader, address: str) -> None:
    assert own_address(address) == "/"
    guest = shop.reader()
    form = guest.form("/sign-in", "/sign-in")
    sent = guest.send(form, email="ann@example.org", password="violet tables dance", next=address)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/")
    assert (
        customer.client.get("/sign-in", query_string={"next": address}, base_url="https://shop.example.org").headers[
            "Location"
        ]
        == "/"
    )


@pytest.mark.parametrize("address", ["/", "/books/2", "/search?q=a//b&next=https://x", "/subjects/a/b%20c", "/o?a=ö"])
def test_addresses_of_the_shop_are_kept(address: str) -> None:
    assert own_address(address) == address


def test_who_works_here_begins_at_today_unless_another_page_was_asked_for(shop: Shop) -> None:
    for role, address in ((Role.CUSTOMER, "/"), (Role.STAFF, "/staff"), (Role.ADMIN, "/staff")):
        email = f"{role.value}@example.org"
        shop.accounts.create_account(email, PASSWORD, role)
        assert shop.reader().sign_in(email).headers["Location"] == address
        form = shop.reader()
        sent = form.send(form.form("/sign-in?next=/basket", "/sign-in"), email=email, password=PASSWORD)
        assert sent.headers["Location"] == "/basket"


def test_the_menu_of_booksellers_has_accounts_for_admins_alone_and_marks_where_they_are(shop: Shop) -> None:
    admin = shop.bookseller(Role.ADMIN, "ada@example.org")
    assert "Accounts" not in shop.bookseller().get("/staff").text
    for path, name in (
        ("/staff", "Today"),
        ("/staff/books/5", "Books"),
        ("/admin/accounts", "Accounts"),
        (f"/admin/accounts/{shop.account_id('ada@example.org')}", "Accounts"),
    ):
        here = re.findall(r'<li><a [^>]*aria-current="page">(.*?)</a>', admin.get(path).text)
        assert here == [name], path


def test_booksellers_are_led_from_a_book_to_its_form(shop: Shop, customer: Reader) -> None:
    assert links(shop.bookseller().get("/books/5").text, "Edit this book") == ["/staff/books/5"]
    assert "Edit this book" not in customer.get("/books/5").text
