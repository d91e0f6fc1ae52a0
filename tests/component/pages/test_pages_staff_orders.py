"""What booksellers do with orders: the list, one order, its moves, and those that need a hand."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from bazar.chassis.database import Database
from bazar.frontend.domain.accounts import Role
from bazar.frontend.pages.limits import PageLimits
from bazar.frontend.use_cases import accounts
from shop_window import Reader, Shop, links

NOT_FOUND = "/staff/orders/" + "z" * 32


class MovableClock(Protocol):
    """The clock of the fixture."""

    now: datetime

    def __call__(self) -> datetime: ...


@pytest.fixture
def stella(shop: Shop) -> Reader:
    return shop.bookseller()


@pytest.fixture
def order(customer: Reader) -> str:
    """The bookseller's address of an order of two copies of book 4."""
    return "/staff" + customer.buy(4, 2).headers["Location"].removesuffix("?bought=1")


def test_only_booksellers_come_in(shop: Shop, guest: Reader, customer: Reader, order: str) -> None:
    for path in ("/staff/orders", "/staff/orders?show=stuck", order):
        assert guest.get(path).headers["Location"].startswith("/sign-in")
        assert customer.get(path).status_code == 404
        assert shop.bookseller(Role.ADMIN, f"{len(path)}@example.org").get(path).status_code == 200
    token = customer.form("/", "/sign-out").fields["form_token"]
    for action in ("ready", "collected", "cancel", "settle"):
        assert customer.post(f"{order}/{action}", {"form_token": token, "reason": "mine"}).status_code == 404
    assert shop.till.happenings == {}


def test_an_order_is_made_ready_and_collected_and_its_life_is_told(stella: Reader, order: str) -> None:
    page = stella.get(order).text
    assert "ann@example.org" in page
    assert "$25.00" in page
    for move, said in (("ready", "It is ready to be collected."), ("collected", "It is collected and paid.")):
        form = stella.form(order, f"{order}/{move}")
        sent = stella.send(form)
        assert (sent.status_code, sent.headers["Location"]) == (303, f"{order}?done={move}")
        assert said in stella.get(sent.headers["Location"]).text
        assert stella.send(form).status_code == 303
    page = stella.get(order).text
    assert page.count("by stella@example.org") == 2
    assert 'action="/staff/orders' not in page


def test_the_list_shows_what_was_asked_for_and_moves_orders_on(stella: Reader, order: str) -> None:
    assert links(stella.get("/staff/orders").text, "alert") == [order]
    for show, move, after in (("to-make-ready", "ready", "ready"), ("ready", "collected", "collected")):
        listed = stella.get(f"/staff/orders?show={show}")
        assert links(listed.text, "alert") == [order]
        sent = stella.send(stella.form(listed, f"{order}/{move}"))
        assert sent.headers["Location"] == f"/staff/orders?show={show}&done={move}"
        assert "No orders here." in stella.get(sent.headers["Location"]).text
        assert links(stella.get(f"/staff/orders?show={after}").text, "alert") == [order]
    assert "No orders here." in stella.get("/staff/orders?show=cancelled").text


def test_collected_is_asked_for_once_more_with_what_is_handed_out_to_whom(stella: Reader, order: str) -> None:
    stella.send(stella.form(order, f"{order}/ready"))
    for page in (order, "/staff/orders?show=ready"):
        (step,) = re.findall(r'<details class="confirm">(.*?)</details>', stella.get(page).text, re.DOTALL)
        summary, _, form = step.partition("</summary>")
        assert "<button" not in summary
        assert f'action="{order}/collected"' in form
        asked = " ".join(form.partition("<p>")[2].partition("</p>")[0].split())
        assert asked.startswith("ann@example.org takes “&lt;script&gt;alert")
        assert "(2 copies) and pays $25.00? This is final" in asked
        assert stella.get(page).text.count("/collected") == 1


def test_the_list_comes_page_by_page(shop: Shop, stella: Reader, customer: Reader) -> None:
    shop.shelves.change(5, quantity=60)
    for _ in range(26):
        customer.buy(5)
    first = stella.get("/staff/orders?show=to-make-ready").text
    (onward,) = links(first, "Next page")
    assert "show=to-make-ready" in onward
    assert (first.count("<h2>"), stella.get(onward).text.count("<h2>")) == (25, 1)


def test_a_cancelled_order_is_not_moved_any_more(stella: Reader, order: str) -> None:
    ready = stella.form(order, f"{order}/ready")
    cancel = stella.form(order, f"{order}/cancel")
    for _ in range(2):
        assert stella.send(cancel, reason="asked for by telephone").status_code == 303
    refused = stella.send(ready)
    assert refused.status_code == 409
    assert "It was cancelled meanwhile" in refused.text
    assert refused.text.count("asked for by telephone") == 1


def test_what_was_collected_is_not_cancelled_any_more(stella: Reader, order: str) -> None:
    cancel = stella.form(order, f"{order}/cancel")
    stella.send(stella.form(order, f"{order}/collected"))
    refused = stella.send(cancel)
    assert refused.status_code == 409
    assert "It cannot be cancelled any more" in refused.text


@pytest.mark.parametrize(("action", "left"), [("settle", "Settled: the order stands"), ("cancel", "does not stand")])
def test_a_stuck_order_is_ended_with_a_reason(shop: Shop, stella: Reader, order: str, action: str, left: str) -> None:
    shop.till.stuck_orders[order.removeprefix("/staff/orders/")] = "the catalog has no copies"
    assert links(stella.get("/staff/orders?show=stuck").text, "alert") == [order]
    form = stella.form(order, f"{order}/{action}")
    for reason in ("", "  "):
        page = stella.send(form, reason=reason)
        assert page.status_code == 422
        assert "Please give a reason" in page.text
        assert "the catalog has no copies" in page.text
    for _ in range(2):
        assert stella.send(form, reason="looked at the shelf").status_code == 303
    told = stella.get(order).text
    assert left in told
    assert "looked at the shelf" in told
    assert "No order needs a hand." in stella.get("/staff/orders?show=stuck").text


def test_an_order_that_is_not_stuck_is_not_settled(stella: Reader, order: str) -> None:
    token = stella.form(order, f"{order}/ready").fields["form_token"]
    refused = stella.post(f"{order}/settle", {"form_token": token, "reason": "why not"})
    assert refused.status_code == 409
    assert "It needs no hand any more" in refused.text


def test_bad_input_is_refused(shop: Shop, stella: Reader, order: str) -> None:
    token = stella.form(order, f"{order}/ready").fields["form_token"]
    for path in ("/staff/orders?show=x", "/staff/orders?cursor=%00", "/staff/orders?cursor=" + "1" * 300):
        assert stella.get(path).status_code == 422
    for reason in ("x" * 501, "a\0b"):
        page = stella.post(f"{order}/cancel", {"form_token": token, "reason": reason})
        assert page.status_code == 422
        assert "The reason is too long" in page.text
    assert stella.get(NOT_FOUND).status_code == 404
    for action in ("ready", "collected", "cancel", "settle"):
        answer = stella.post(f"{NOT_FOUND}/{action}", {"form_token": token, "reason": "why"})
        assert answer.status_code == 404
    assert shop.till.happenings == {}


def test_without_the_order_server_nothing_is_claimed(shop: Shop, stella: Reader, order: str) -> None:
    form = stella.form(order, f"{order}/ready")
    with shop.till.away():
        for page in (stella.send(form), stella.get("/staff/orders"), stella.get("/staff")):
            assert page.status_code == 503
    assert stella.send(form).status_code == 303


def test_today_tells_what_waits_and_what_runs_low(shop: Shop, stella: Reader, customer: Reader, order: str) -> None:
    customer.buy(2)
    shop.till.stuck_orders[order.removeprefix("/staff/orders/")] = "no copies"
    page = stella.get("/staff").text
    assert links(page, "1 order needs a hand") == ["/staff/orders?show=stuck"]
    assert links(page, "Three Left") == ["/staff/books/2"]
    assert links(page, "alert") == []
    assert "/staff/orders?show=to-make-ready" in links(page, "2")
    assert page.count("<rect ") == 1
    assert page.count("Jan 31") == 5
    stella.send(stella.form(order, f"{order}/collected"))
    page = stella.get("/staff").text
    assert page.count("<rect ") == 2
    assert "$12.50" in page


def test_today_goes_without_the_catalog(shop: Shop, stella: Reader) -> None:
    with shop.shelves.away():
        page = stella.get("/staff")
    assert page.status_code == 200
    assert "a part of the shop does not answer" in page.text
    assert "None of the books that sold lately" in stella.get("/staff").text


def test_today_leads_to_all_books_that_run_low_also_those_that_nobody_bought(shop: Shop, stella: Reader) -> None:
    today = stella.get("/staff").text
    assert "None of the books that sold lately." in today
    (address,) = links(today, "2 books in all with 3 copies or fewer")
    page = stella.get(address).text
    assert re.findall(r'<th scope="row"><a href="/staff/books/(\d+)">', page) == ["3", "2"]
    for number in range(5, 35):
        shop.shelves.change(number, quantity=1)
    first = stella.get(address).text
    (onward,) = links(first, "Next page")
    assert "of 32" in first
    assert "32 of 32" in stella.get(onward).text
    assert stella.get(f"{address}?cursor=%20").status_code == 422
    with shop.shelves.without_index():
        assert "copies or fewer" not in stella.get("/staff").text


def found(reader: Reader, words: str) -> list[str]:
    """Addresses of the orders that are listed for these words."""
    page = reader.get(f"/staff/orders?{urlencode({'q': words})}")
    assert page.status_code == 200
    return re.findall(r'href="(/staff/orders/[a-z2-7]{32})"', page.text)


def test_an_order_is_found_by_how_its_number_begins_however_it_is_read_aloud(stella: Reader, order: str) -> None:
    number = order.rpartition("/")[2]
    for words in (number, number[:4], f"{number[:4]} {number[4:8]}".upper(), f" {number[:4]}-{number[4:6]} "):
        assert found(stella, words) == [order]
    for words in (number[:3], "z" + number[1:8], f"{number}a"):
        assert found(stella, words) == []
    assert " ".join(re.findall("....", number)) in stella.get(order).text


def test_orders_are_found_by_how_the_customers_address_name_or_surname_begins(
    shop: Shop, stella: Reader, customer: Reader, order: str
) -> None:
    customer.send(customer.form("/account", "/account/name"), name="Ann Élan")
    for words in ("ann@example.org", "ANN@", "ann é", "Ann É", "élan", "É"):
        assert found(stella, words) == [order]
    assert found(stella, "example.org") == []
    assert "Ann Élan (ann@example.org)" in stella.get(order).text
    anna = shop.customer("anna@example.org")
    anna.buy(2)
    page = stella.get("/staff/orders?q=ann").text
    assert links(page, "anna@example.org") == ["/staff/orders?q=anna@example.org"]
    assert links(page, "Ann Élan (ann@example.org)") == ["/staff/orders?q=ann@example.org"]
    assert found(stella, "ann") == []
    assert found(stella, "ann@example.org") == [order]


def test_where_more_are_called_so_than_are_shown_the_page_says_so(
    shop: Shop, stella: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("anna", "anne"):
        shop.customer(f"{name}@example.org")
    monkeypatch.setattr(accounts, "MOST_FOUND", 2)
    monkeypatch.setitem(shop.app.jinja_env.globals, "limits", PageLimits(people_found=2))
    assert "There may be more" in stella.get("/staff/orders?q=ann").text
    assert "There may be more" not in stella.get("/staff/orders?q=anna").text


def test_people_who_are_gone_a_moment_after_they_were_found_are_named_as_they_were_found(
    shop: Shop, stella: Reader, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.customer("anna@example.org")
    monkeypatch.setattr(shop.accounts, "customers", lambda _account_ids: {})
    page = stella.get("/staff/orders?q=ann").text
    assert [links(page, name) for name in ("ann@", "anna@")] == [
        ["/staff/orders?q=ann@example.org"],
        ["/staff/orders?q=anna@example.org"],
    ]
    assert "an account that is gone" in stella.get("/staff/orders?q=ann@example.org").text
    assert found(stella, "ann@example.org") == [order]


@pytest.mark.usefixtures("order")
def test_what_nobody_has_is_not_found(stella: Reader) -> None:
    for words in ("nobody@example.org", "%", "_nn", "\\", "a" * 2000, "\U0010ffff"):
        assert found(stella, words) == []
    assert "will do" in stella.get("/staff/orders?q=nobody").text


def test_pages_show_the_time_of_the_shop_and_a_day_ends_at_its_midnight(tmp_path: Path, clock: MovableClock) -> None:
    clock.now = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)  # when the till's orders are placed
    database = Database(f"sqlite:///{tmp_path}/frontend.sqlite3")
    shop = Shop(database, clock, time_zone=ZoneInfo("Pacific/Auckland"))  # thirteen hours ahead
    customer, stella = shop.customer(), shop.bookseller()
    order = customer.buy(5).headers["Location"]
    assert "February 1, 2026, 1:00" in customer.get(order).text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "until 2:00 AM NZDT" in customer.get(order).text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "days by Pacific/Auckland" in stella.get("/staff").text
    clock.now = datetime(2026, 2, 1, 10, 59, tzinfo=UTC)
    assert links(stella.get("/staff/orders?show=today").text, "Volume 5")
    clock.now = datetime(2026, 2, 1, 11, 0, tzinfo=UTC)
    assert "No orders here." in stella.get("/staff/orders?show=today").text
    database.close()


def test_todays_orders_are_a_list_of_their_own(shop: Shop, stella: Reader, customer: Reader, order: str) -> None:
    assert stella.get("/staff").text.count("/staff/orders?show=today") == 1
    listed = stella.get("/staff/orders?show=today").text
    assert links(listed, "alert") == [order]
    assert "Placed" in listed
    for number in range(5, 35):
        customer.buy(number)
    assert len(links(stella.get("/staff/orders?show=today").text, "Next page")) == 1
    shop.clock.now += timedelta(days=1)  # type: ignore[attr-defined]  # the clock of the fixture
    tomorrow = stella.get("/staff/orders?show=today").text
    assert "No orders here." in tomorrow
    assert links(tomorrow, "Next page") == []
