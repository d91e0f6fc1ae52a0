"""What an admin does with the accounts of others."""

import re

import pyotp
import pytest
from werkzeug.test import TestResponse

from bazar.frontend.domain.accounts import Role, SignInKind
from bazar.frontend.use_cases.staff_accounts import LINES_ON_A_PAGE
from shop_window import ADDRESS, EMAIL, PASSWORD, Reader, Shop, links

BOSS = "boss@example.org"


@pytest.fixture
def boss(shop: Shop) -> Reader:
    return shop.colleague(BOSS, Role.ADMIN)


def do(shop: Shop, boss: Reader, email: str, what: str, **fields: str) -> TestResponse:
    page = f"/admin/accounts/{shop.account_id(email)}"
    return boss.send(boss.form(page, f"{page}/{what}"), **fields)


def test_who_works_here_is_listed_and_customers_are_not(shop: Shop, customer: Reader, boss: Reader) -> None:
    assert customer.is_signed_in()
    shop.accounts.create_account("staff@example.org", PASSWORD, Role.STAFF, "Bea <b>")
    page = boss.get("/admin/accounts").text
    assert "staff@example.org" in page
    assert "Bea &lt;b&gt;" in page
    assert BOSS in page
    assert EMAIL not in page
    assert page.count("No second factor") == 2


@pytest.mark.parametrize("role", list(Role))
def test_an_account_is_made_and_its_owner_chooses_the_password_by_the_link(
    shop: Shop, boss: Reader, role: Role
) -> None:
    form = boss.form("/admin/accounts", "/admin/accounts")
    page = boss.send(form, email="new@example.org", name="New", role=role.value)
    (path,) = re.findall(rf'id="link"[^>]*>{ADDRESS}(/new-password\?link=[\w-]+)<', page.text)
    owner = shop.reader()
    owner.send(owner.form(path, "/new-password"), password=PASSWORD)
    assert owner.sign_in("new@example.org").status_code == 303
    assert shop.people.staff_accounts.find("new@example.org").role is role


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"email": BOSS.upper()}, "This address has an account already."),
        ({"email": "new"}, "An address has exactly one @."),
        ({"name": "n" * 201}, "at most 200 characters"),
        ({"role": "owner"}, "A role is one of customer, staff, admin."),
        ({"role": ""}, "A role is one of customer, staff, admin."),
    ],
)
def test_an_account_that_cannot_be_made_is_refused(boss: Reader, fields: dict[str, str], words: str) -> None:
    form = boss.form("/admin/accounts", "/admin/accounts")
    page = boss.send(form, **{"email": "new@example.org", "role": "staff", **fields})
    assert page.status_code == 422
    assert words in page.text
    assert "/new-password" not in page.text


def test_any_account_is_found_by_its_address(shop: Shop, customer: Reader, boss: Reader) -> None:
    assert customer.is_signed_in()
    found = boss.get(f"/admin/accounts/find?email={EMAIL}")
    assert found.headers["Location"] == f"/admin/accounts/{shop.account_id()}"
    assert boss.get("/admin/accounts/find?email=none@example.org").status_code == 422


def test_a_role_is_given_and_withdrawn_and_counts_at_once(shop: Shop, customer: Reader, boss: Reader) -> None:
    assert customer.get("/account/links").status_code == 403
    assert do(shop, boss, EMAIL, "role", role="staff").status_code == 303
    assert customer.get("/account/links").status_code == 200
    assert do(shop, boss, EMAIL, "role", role="customer").status_code == 303
    assert customer.get("/account/links").status_code == 403


def test_a_role_that_is_none_changes_nothing(shop: Shop, boss: Reader) -> None:
    shop.accounts.create_account("staff@example.org", PASSWORD, Role.STAFF)
    assert do(shop, boss, "staff@example.org", "role", role="owner").status_code == 422
    assert shop.people.staff_accounts.find("staff@example.org").role is Role.STAFF


def test_the_last_admin_cannot_be_demoted(shop: Shop, boss: Reader) -> None:
    page = do(shop, boss, BOSS, "role", role="staff")
    assert page.status_code == 409
    assert "Make another admin first." in page.text
    shop.accounts.create_account("chief@example.org", PASSWORD, Role.ADMIN)
    assert do(shop, boss, BOSS, "role", role="staff").headers["Location"] == "/account"
    assert boss.get("/admin/accounts").status_code == 403


def test_sessions_and_tokens_are_ended(shop: Shop, customer: Reader, boss: Reader) -> None:
    token = shop.accounts.sign_in(EMAIL, PASSWORD, SignInKind.TOKEN, "192.0.2.1").secret
    assert do(shop, boss, EMAIL, "sessions").status_code == 303
    assert not customer.is_signed_in()
    assert shop.accounts.who_is(token, SignInKind.TOKEN) is None
    assert boss.is_signed_in()


def test_the_second_factor_of_who_lost_the_device_is_switched_off(shop: Shop, boss: Reader) -> None:
    shop.accounts.create_account("staff@example.org", PASSWORD, Role.STAFF)
    bea = shop.people.staff_accounts.find("staff@example.org")
    shop.people.second_factors.begin(bea)
    setting_up = shop.people.second_factors.setting_up(bea)
    assert setting_up is not None
    shop.people.second_factors.confirm(bea, PASSWORD, pyotp.TOTP(setting_up.secret).at(shop.clock()), "127.0.0.1")
    assert shop.reader().sign_in("staff@example.org").status_code == 200
    assert do(shop, boss, "staff@example.org", "second-factor").status_code == 303
    assert shop.reader().sign_in("staff@example.org").status_code == 303


def test_the_journal_tells_who_did_what_and_when(shop: Shop, customer: Reader, boss: Reader) -> None:
    do(shop, boss, EMAIL, "role", role="staff")
    do(shop, boss, EMAIL, "sessions")
    customer.sign_in()
    page = boss.get("/admin/accounts").text
    assert f"<b>{BOSS}</b> changed the role: staff" in page
    assert f"<b>{BOSS}</b> ended all sessions" in page
    assert "January 31, 2026" in page
    assert "The operator made the account: admin" in page
    customer.send(customer.form("/account/delete", "/account/delete"), password=PASSWORD)
    page = boss.get("/admin/accounts").text
    assert "<b>A deleted account</b> deleted the account" in page
    assert EMAIL not in page


@pytest.mark.usefixtures("customer")
def test_the_journal_goes_back_to_its_first_line_page_by_page(shop: Shop, boss: Reader) -> None:
    one = f"/admin/accounts/{shop.account_id()}"
    token = boss.form(one, f"{one}/sessions").fields
    for _ in range(LINES_ON_A_PAGE + 1):
        assert boss.post(f"{one}/sessions", token).status_code == 303
    for address, oldest in (("/admin/accounts", "The operator made the account"), (one, "ended all sessions")):
        newest = boss.get(address).text
        assert newest.count("ended all sessions") == LINES_ON_A_PAGE
        (older,) = links(newest, "Next page")
        rest = boss.get(older).text
        assert rest.count("ended all sessions") == 1
        assert oldest in rest
        assert (links(rest, "Next page"), links(rest, "First page")) == ([], [f"{address}#journal-heading"])
        assert boss.get(f"{address}?cursor=x").status_code == 422


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.STAFF])
def test_nobody_but_an_admin_sees_or_does_any_of_it(shop: Shop, boss: Reader, role: Role) -> None:
    reader = shop.colleague("other@example.org", role)
    token = reader.form("/account", "/account/name").fields
    page = f"/admin/accounts/{shop.account_id(BOSS)}"
    for path in ("/admin/accounts", f"/admin/accounts/find?email={BOSS}", page):
        assert reader.get(path).status_code == 403
        assert shop.reader().get(path).status_code == 303
    for path in ("/admin/accounts", f"{page}/role", f"{page}/sessions", f"{page}/second-factor"):
        fields = {**token, "email": "new@example.org", "role": "admin"}
        assert reader.post(path, fields).status_code == 403
    assert boss.is_signed_in()
    assert [each.line.deed for each in shop.people.staff_accounts.journal().lines] == ["made", "made"]


@pytest.mark.parametrize("account_id", ["a" * 26, "none", "%00", "%F0%9F%98%80", "x" * 3000])
def test_an_account_that_is_none_is_not_found(boss: Reader, account_id: str) -> None:
    assert boss.get(f"/admin/accounts/{account_id}").status_code == 404
    token = boss.form("/account", "/account/name").fields
    for what in ("role", "sessions", "second-factor"):
        assert boss.post(f"/admin/accounts/{account_id}/{what}", {**token, "role": "staff"}).status_code == 404


def test_an_admins_session_alone_weakens_not_that_admins_own_account(shop: Shop, boss: Reader) -> None:
    shop.people.second_factors.begin(shop.people.staff_accounts.find(BOSS))
    own = f"/admin/accounts/{shop.account_id(BOSS)}"
    page = boss.get(own).text
    assert f"{own}/second-factor" not in page
    assert "/account/links" not in page
    token = boss.form(own, f"{own}/sessions").fields
    for refused in (boss.post(f"{own}/second-factor", token), boss.post("/account/links", {**token, "email": BOSS})):
        assert refused.status_code == 403
        assert "This is your own account" in refused.text
    assert shop.people.second_factors.setting_up(shop.people.staff_accounts.find(BOSS)) is not None


def test_who_makes_an_account_twice_is_led_to_another_link(boss: Reader) -> None:
    form = boss.form("/admin/accounts", "/admin/accounts")
    assert boss.send(form, email="new@example.org", role="staff").status_code == 200
    again = boss.send(form, email="new@example.org", role="staff")
    assert again.status_code == 422
    assert "/account/links?email=new" in again.text
