"""Who the shop is, and what it keeps of its readers."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bazar.chassis.database import Database
from bazar.frontend.api import openapi
from bazar.frontend.domain.accounts import SIGN_IN_LIFETIME
from bazar.frontend.use_cases.baskets import GUEST_LIFETIME
from bazar.frontend.wiring import ACCESS
from shop_window import Reader, Shop


@pytest.fixture
def known_shop(tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[Shop]:
    database = Database(f"sqlite:///{tmp_path}/known.sqlite3")
    told = {"address": "1 Book <Lane>", "hours": "Mo-Fr 9-18", "contact": "555 0100"}
    yield Shop(database, clock, **told)
    database.close()


def test_readers_learn_where_the_shop_is_and_when_it_is_open(known_shop: Shop) -> None:
    guest = known_shop.reader()
    for path in ("/", "/about", "/nothing-here"):
        page = guest.get(path).text
        assert "1 Book &lt;Lane&gt; · Mo-Fr 9-18 · 555 0100" in page
        assert 'href="/about"' in page
    assert "<dd>Mo-Fr 9-18</dd>" in guest.get("/about").text


def test_the_page_of_the_api_says_whose_it_is(tmp_path: Path, clock: Callable[[], datetime]) -> None:
    database = Database(f"sqlite:///{tmp_path}/named.sqlite3")
    shop = Shop(database, clock, name="Owl & Sons")
    shop.app.register_blueprint(openapi.routes(ACCESS))
    page = shop.reader().get("/api/v1/docs").text
    assert "<h1>The API of Owl &amp; Sons</h1>" in page
    assert "Bazar</" not in page
    database.close()


def test_an_order_says_where_it_is_collected_until_it_is(known_shop: Shop) -> None:
    customer = known_shop.customer()
    order = customer.buy(2).headers["Location"]
    assert "Collect them at 1 Book &lt;Lane&gt;. Open: Mo-Fr 9-18. Questions: 555 0100." in customer.get(order).text
    customer.send(customer.form(order, f"{order.split('?')[0]}/cancel"))
    assert "Collect them at" not in customer.get(order).text


def test_what_is_not_told_is_left_out(shop: Shop, customer: Reader) -> None:
    assert "Open" not in shop.reader().get("/about").text
    assert "Collect them at" not in customer.get(customer.buy(2).headers["Location"]).text


def test_the_page_says_what_is_kept_and_holds_nothing_of_who_reads_it(shop: Shop, customer: Reader) -> None:
    page = shop.reader().get("/about")
    assert f"for {SIGN_IN_LIFETIME.days} days at most" in page.text
    assert f"for {GUEST_LIFETIME.days} days" in page.text
    assert "ann@example.org" not in customer.get("/about").text.replace("Signed in as ann@example.org", "")
    assert not page.headers.getlist("Set-Cookie")


def test_whoever_registers_is_led_to_what_is_kept(guest: Reader) -> None:
    assert 'href="/about#data"' in guest.get("/register").text
