"""A lost password: who makes a link for whom, and that it works once and not for long."""

import re
from datetime import datetime, timedelta
from typing import Protocol

import pytest

from bazar.frontend.domain.accounts import Role, SignInKind
from shop_window import ADDRESS, EMAIL, PASSWORD, Reader, Shop

NEW = "seven green umbrellas"


class MovableClock(Protocol):
    """The clock of the fixture."""

    now: datetime

    def __call__(self) -> datetime: ...


@pytest.fixture
def staff(shop: Shop) -> Reader:
    return shop.colleague("staff@example.org", Role.STAFF)


def make_link(reader: Reader, email: str = EMAIL) -> str:
    """The path of the link that the page shows."""
    page = reader.send(reader.form("/account/links", "/account/links"), email=email)
    (path,) = re.findall(rf'id="link"[^>]*>{ADDRESS}(/new-password\?link=[\w-]+)<', page.text)
    return str(path)


def use(reader: Reader, path: str, password: str = NEW) -> int:
    return reader.send(reader.form(path, "/new-password"), password=password).status_code


def test_a_link_sets_the_password_and_ends_all_sessions_and_tokens(shop: Shop, customer: Reader, staff: Reader) -> None:
    token = shop.accounts.sign_in(EMAIL, PASSWORD, SignInKind.TOKEN, "192.0.2.1").secret
    path = make_link(staff)
    assert customer.is_signed_in(), "a link that was only made changes nothing"
    assert use(shop.reader(), path) == 303
    assert not customer.is_signed_in()
    assert shop.accounts.who_is(token, SignInKind.TOKEN) is None
    assert shop.reader().sign_in().status_code == 422
    assert shop.reader().sign_in(password=NEW).status_code == 303


def test_a_link_works_once(shop: Shop, customer: Reader, staff: Reader) -> None:
    assert customer.is_signed_in()
    path, late = make_link(staff), shop.reader()
    form = late.form(path, "/new-password")
    assert use(shop.reader(), path) == 303
    page = late.send(form, password="another person's words")
    assert page.status_code == 422
    assert "This link was used" in page.text
    assert "This link was used" in late.get(path).text
    assert shop.reader().sign_in(password=NEW).status_code == 303


def test_looking_at_a_link_and_a_weak_password_use_nothing_up(shop: Shop, customer: Reader, staff: Reader) -> None:
    assert customer.is_signed_in()
    path, reader = make_link(staff), shop.reader()
    assert reader.get(path).status_code == reader.get(path).status_code == 200
    assert use(reader, path, "short") == 422
    assert use(reader, path) == 303


def test_a_link_ends_after_half_an_hour(shop: Shop, customer: Reader, staff: Reader, clock: MovableClock) -> None:
    assert customer.is_signed_in()
    path, reader = make_link(staff), shop.reader()
    clock.now += timedelta(minutes=30) - timedelta(seconds=1)
    form = reader.form(path, "/new-password")
    clock.now += timedelta(seconds=1)
    assert reader.send(form, password=NEW).status_code == 422
    assert shop.reader().sign_in().status_code == 303


def test_a_new_link_replaces_the_one_before(shop: Shop, customer: Reader, staff: Reader) -> None:
    assert customer.is_signed_in()
    first, second = make_link(staff), make_link(staff)
    assert "This link was used" in shop.reader().get(first).text
    assert use(shop.reader(), second) == 303


def test_a_password_that_was_found_again_ends_the_link(shop: Shop, customer: Reader, staff: Reader) -> None:
    path = make_link(staff)
    form = customer.form("/account", "/account/password")
    customer.send(form, old_password=PASSWORD, password=NEW)
    assert "This link was used" in shop.reader().get(path).text


@pytest.mark.parametrize("secret", ["", "x", "\x00", "é", "x" * 5000])
def test_what_is_no_link_opens_nothing(shop: Shop, secret: str) -> None:
    reader = shop.reader()
    assert (
        "This link was used" in reader.client.get("/new-password", query_string={"link": secret}, base_url=ADDRESS).text
    )
    token = reader.form("/sign-in", "/sign-in").fields["form_token"]
    page = reader.post("/new-password", {"form_token": token, "link": secret, "password": NEW})
    assert page.status_code == 422


@pytest.mark.parametrize(
    ("maker", "whose", "status"),
    [
        (Role.STAFF, Role.CUSTOMER, 200),
        (Role.STAFF, Role.STAFF, 403),
        (Role.STAFF, Role.ADMIN, 403),
        (Role.ADMIN, Role.CUSTOMER, 200),
        (Role.ADMIN, Role.STAFF, 200),
        (Role.ADMIN, Role.ADMIN, 200),
    ],
)
def test_staff_make_links_for_customers_and_admins_for_all(shop: Shop, maker: Role, whose: Role, status: int) -> None:
    reader = shop.colleague("maker@example.org", maker)
    shop.accounts.create_account("whose@example.org", PASSWORD, whose)
    form = reader.form("/account/links", "/account/links")
    page = reader.send(form, email="whose@example.org")
    assert page.status_code == status
    assert ("/new-password?link=" in page.text) is (status == 200)
    assert ("An admin can make the link." in page.text) is (status == 403)


def test_a_customers_link_does_not_open_the_account_of_who_was_made_staff(
    shop: Shop, customer: Reader, staff: Reader
) -> None:
    assert customer.is_signed_in()
    path = make_link(staff)
    boss = shop.colleague("boss@example.org", Role.ADMIN)
    form = boss.form(f"/admin/accounts/{shop.account_id()}", f"/admin/accounts/{shop.account_id()}/role")
    assert boss.send(form, role="staff").status_code == 303
    assert "This link was used" in shop.reader().get(path).text


@pytest.mark.parametrize(("email", "words"), [("none@example.org", "No account has this"), ("x", "exactly one @")])
def test_an_address_without_an_account_is_said(staff: Reader, email: str, words: str) -> None:
    page = staff.send(staff.form("/account/links", "/account/links"), email=email)
    assert page.status_code == 422
    assert words in page.text


def test_customers_and_guests_make_no_links(customer: Reader, guest: Reader) -> None:
    assert customer.get("/account/links").status_code == 403
    assert "This page is for the people of the shop" in customer.get("/account/links").text
    form = customer.form("/account", "/account/name")
    assert customer.post("/account/links", {**form.fields, "email": EMAIL}).status_code == 403
    assert guest.get("/account/links").status_code == 303


def test_the_journal_tells_who_made_a_link_for_whom(shop: Shop, customer: Reader, staff: Reader) -> None:
    assert customer.is_signed_in()
    use(shop.reader(), make_link(staff))
    told = shop.people.staff_accounts.journal(shop.account_id()).lines
    assert [(each.line.deed, each.actor) for each in told] == [("link-used", EMAIL), ("link-made", "staff@example.org")]
