"""The reader's own account: another name or password, all that the shop keeps, and the end of it."""

import json
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
import pytest

from bazar.frontend.domain.accounts import Role, SignInKind
from bazar.frontend.pages.account import ORDERS_IN_A_FILE
from bazar.frontend.pages.wording import order_number
from shop_window import EMAIL, PASSWORD, Reader, Shop

NEW = "seven green umbrellas"


class MovableClock(Protocol):
    """The clock of the fixture."""

    now: datetime

    def __call__(self) -> datetime: ...


def change_password(reader: Reader, old: str = PASSWORD, new: str = NEW) -> int:
    form = reader.form("/account", "/account/password")
    return reader.send(form, old_password=old, password=new).status_code


def test_a_new_password_counts_at_once_and_the_old_one_no_more(shop: Shop, customer: Reader) -> None:
    assert change_password(customer) == 303
    assert shop.reader().sign_in().status_code == 422
    assert shop.reader().sign_in(password=NEW).status_code == 303


def test_a_new_password_ends_all_sessions_and_tokens_but_a_new_one_here(shop: Shop, customer: Reader) -> None:
    elsewhere = shop.reader()
    elsewhere.sign_in()
    token = shop.accounts.sign_in(EMAIL, PASSWORD, SignInKind.TOKEN, "192.0.2.1").secret
    before = customer.client.get_cookie("__Host-bazar", domain="shop.example.org")
    change_password(customer)
    after = customer.client.get_cookie("__Host-bazar", domain="shop.example.org")
    assert before and after and before.value != after.value  # noqa: PT018 - for mypy
    assert customer.is_signed_in()
    assert not elsewhere.is_signed_in()
    assert shop.accounts.who_is(token, SignInKind.TOKEN) is None
    assert shop.accounts.who_is(before.value, SignInKind.SESSION) is None


def test_who_does_not_know_the_old_password_changes_nothing(shop: Shop, customer: Reader, clock: MovableClock) -> None:
    form = customer.form("/account", "/account/password")
    answers = [customer.send(form, old_password="a wrong password", password=NEW) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 429]
    assert "That is not your password." in answers[0].text
    assert customer.is_signed_in()
    clock.now += timedelta(minutes=1)
    assert shop.reader().sign_in(password=NEW).status_code == 422


def test_a_weak_new_password_is_refused_with_its_reason(shop: Shop, customer: Reader) -> None:
    form = customer.form("/account", "/account/password")
    page = customer.send(form, old_password=PASSWORD, password="short")
    assert page.status_code == 422
    assert "It has fewer than 15 characters." in page.text
    assert PASSWORD not in page.text
    assert shop.reader().sign_in().status_code == 303


def test_the_name_is_changed(customer: Reader) -> None:
    assert customer.send(customer.form("/account", "/account/name"), name=" Ann Lee ").status_code == 303
    assert 'title="Signed in as Ann Lee"' in customer.get("/account?said=name").text


@pytest.mark.parametrize("name", ["n" * 201, "two\nlines"])
def test_a_name_that_is_none_is_refused(customer: Reader, name: str) -> None:
    page = customer.send(customer.form("/account", "/account/name"), name=name)
    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.text


def test_the_data_are_account_basket_and_every_order(customer: Reader, shop: Shop) -> None:
    other = shop.customer("ben@example.org")
    other.buy(5)
    customer.buy(6)
    account_id, order = shop.till.orders[max(shop.till.orders)]
    for number in range(102):
        shop.till.orders[f"{number:032d}"] = (account_id, msgspec.structs.replace(order, order_id=f"{number:032d}"))
    customer.put(2, 3)
    answer = customer.get("/account/data")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bazar-account.json"'
    assert "no-store" in answer.headers["Cache-Control"]
    told = answer.json
    assert told is not None
    assert told["account"]["email"] == EMAIL
    assert told["account"]["created_at"] == "2026-01-31T12:00:00.000Z"
    assert told["basket"] == [
        {"item_number": 2, "title": "Three Left", "quantity": 3, "price": {"amount": 1250, "currency": "USD"}}
    ]
    assert len({order["order_id"] for order in told["orders"]}) == 103
    assert {line["title"] for order in told["orders"] for line in order["lines"]} == {"Volume 6"}
    assert "argon2" not in answer.text
    assert "hash" not in answer.text


def test_very_many_orders_are_in_several_files_and_each_in_one(shop: Shop, customer: Reader) -> None:
    customer.buy(5)
    ((first, (owner, order)),) = shop.till.orders.items()
    for number in range(2 * ORDERS_IN_A_FILE + 1):
        order_id = f"{number:032d}".translate(str.maketrans("0123456789", "bcdefghijk"))
        shop.till.orders[order_id] = (owner, msgspec.structs.replace(order, order_id=order_id))
    files: list[dict[str, Any]] = []
    address: str | None = "/account/data"
    while address:
        files.append(json.loads(customer.get(address).data))
        address = files[-1]["older_orders"]
    assert [len(file["orders"]) for file in files] == [ORDERS_IN_A_FILE, ORDERS_IN_A_FILE, 2]
    assert [order["order_id"] for file in files for order in file["orders"]] == [*shop.till.orders][::-1]
    assert files[-1]["orders"][-1]["order_id"] == first
    assert [set(file) for file in files[1:]] == [{"older_orders", "orders"}] * 2
    assert customer.get("/account/data?cursor=%20").status_code == 422


def test_without_the_order_server_the_data_are_not_given_by_half(shop: Shop, customer: Reader) -> None:
    with shop.till.away():
        assert customer.get("/account/data").status_code == 503


def delete(reader: Reader, password: str = PASSWORD) -> int:
    return reader.send(reader.form("/account/delete", "/account/delete"), password=password).status_code


def test_a_deleted_account_is_gone_with_its_sessions_and_basket_and_its_orders_stay(
    shop: Shop, customer: Reader
) -> None:
    elsewhere = shop.reader()
    elsewhere.sign_in()
    token = shop.accounts.sign_in(EMAIL, PASSWORD, SignInKind.TOKEN, "192.0.2.1").secret
    customer.buy(5)
    customer.put(2)
    gone = shop.account_id()
    assert delete(customer) == 303
    assert not customer.is_signed_in()
    assert not elsewhere.is_signed_in()
    assert shop.accounts.who_is(token, SignInKind.TOKEN) is None
    assert shop.reader().sign_in().status_code == 422
    assert [account_id for account_id, _ in shop.till.orders.values()] == [gone]
    assert shop.accounts.names_of([gone]) == {}


def test_the_address_of_a_deleted_account_registers_anew_as_somebody_else(shop: Shop, customer: Reader) -> None:
    customer.buy(5)
    customer.put(2)
    gone = shop.account_id()
    delete(customer)
    again = shop.customer()
    assert shop.account_id() != gone
    assert "Volume 5" not in again.get("/orders").text
    assert "Three Left" not in again.get("/basket").text


def test_who_deletes_the_account_is_told_first_which_orders_are_open(shop: Shop, customer: Reader) -> None:
    assert "<p>None.</p>" in customer.get("/account/delete").text
    for item_number in (5, 6, 7, 8):
        customer.buy(item_number)
    _placed, ready, collected, cancelled = shop.till.orders
    staff = shop.bookseller()
    staff.send(staff.form(f"/staff/orders/{ready}", f"/staff/orders/{ready}/ready"))
    staff.send(staff.form(f"/staff/orders/{collected}", f"/staff/orders/{collected}/collected"))
    customer.send(customer.form(f"/orders/{cancelled}", f"/orders/{cancelled}/cancel"))
    form = customer.form("/account/delete", "/account/delete")
    for page in (customer.get("/account/delete"), customer.send(form, password="a wrong password")):
        open_orders = page.text[: page.text.index('<form class="stacked"')]
        assert "whoever names a number at the counter can collect and pay" in open_orders
        assert [f"Volume {number}" in open_orders for number in (5, 6, 7, 8)] == [True, True, False, False]
        assert f"Ready to collect</span> · <code>{order_number(ready)}</code>" in open_orders


def test_of_very_many_open_orders_the_newest_are_named_and_the_list_of_all(shop: Shop, customer: Reader) -> None:
    for _ in range(21):
        customer.buy(5 + len(shop.till.orders))
    page = customer.get("/account/delete").text
    assert (page.count("<code>"), "There are more of them:" in page) == (20, True)


def test_the_order_server_keeps_nobody_from_deleting_the_account(shop: Shop, customer: Reader) -> None:
    customer.buy(5)
    with shop.till.away():
        assert "is not known just now" in customer.get("/account/delete").text
        assert delete(customer) == 303
    assert shop.reader().sign_in().status_code == 422


def test_an_account_is_deleted_by_its_password_only(shop: Shop, customer: Reader) -> None:
    assert delete(customer, "a wrong password") == 422
    assert customer.is_signed_in()
    assert shop.account_id()


def test_the_last_admin_cannot_delete_themselves(shop: Shop) -> None:
    only = shop.colleague("boss@example.org", Role.ADMIN)
    form = only.form("/account/delete", "/account/delete")
    page = only.send(form, password=PASSWORD)
    assert page.status_code == 409
    assert "Make another admin first." in page.text
    shop.accounts.create_account("chief@example.org", PASSWORD, Role.ADMIN)
    assert delete(only) == 303


def test_only_staff_are_shown_what_is_for_staff(shop: Shop, customer: Reader) -> None:
    assert "/account/links" not in customer.get("/account").text
    assert "/account/second-factor" not in customer.get("/account").text
    staff = shop.colleague("staff@example.org", Role.STAFF).get("/account").text
    assert "/account/links" in staff
    assert "Off. Whoever learns your password" in staff
    assert "/admin/accounts" not in staff
    assert "/admin/accounts" in shop.colleague("boss@example.org", Role.ADMIN).get("/account").text
