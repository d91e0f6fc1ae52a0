"""Orders at the counter over the real services: what stand-ins could get wrong between them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bazar.contracts.names import ORDER
from conftest import MovableClock
from shop_window import Reader, links
from three_services import PASSWORD, ThreeServices


@pytest.fixture
def shop(tmp_path: Path, clock: MovableClock) -> Iterator[ThreeServices]:
    opened = ThreeServices(tmp_path, clock)
    opened.add_book(title="Towers of Hanoi", stock=4)
    yield opened
    opened.close()


def somebody(shop: ThreeServices, name: str) -> Reader:
    reader = Reader(shop.app.test_client())
    form = reader.form("/sign-in", "/sign-in")
    assert reader.send(form, email=f"{name}@example.org", password=PASSWORD).status_code == 303
    return reader


def test_an_order_goes_over_the_counter(shop: ThreeServices) -> None:
    reader, staff = somebody(shop, "customer"), somebody(shop, "staff")
    address = reader.buy(1, 2).headers["Location"].removesuffix("?bought=1")
    today = staff.get("/staff").text
    assert links(today, "Towers of Hanoi") == ["/staff/books/1"]
    (to_make_ready,) = (link for link in links(today, "1") if "to-make-ready" in link)
    listed = staff.get(to_make_ready)
    assert "customer@example.org" in listed.text
    staff.send(staff.form(listed, f"/staff{address}/ready"))
    assert "the books wait for you" in reader.get(address).text
    cancel = reader.form(address, f"{address}/cancel")
    collected = staff.form("/staff/orders?show=ready", f"/staff{address}/collected")
    for _ in range(2):
        assert staff.send(collected).status_code == 303
    assert reader.send(cancel).status_code == 409
    assert "Collected and paid" in reader.get(address).text
    life = staff.get(f"/staff{address}").text
    assert life.count("by staff@example.org") == 2
    assert "$80.00" in staff.get("/staff").text
    assert shop.call("GET", address, "customer").json["status"] == "confirmed"  # type: ignore[index]  # JSON or None


def test_a_cancelled_order_goes_nowhere(shop: ThreeServices) -> None:
    reader, staff = somebody(shop, "customer"), somebody(shop, "staff")
    address = reader.buy(1).headers["Location"].removesuffix("?bought=1")
    ready = staff.form(f"/staff{address}", f"/staff{address}/ready")
    assert reader.send(reader.form(address, f"{address}/cancel")).status_code == 303
    refused = staff.send(ready)
    assert refused.status_code == 409
    assert "Copies back on the shelf" in refused.text
    assert "Cancelled" in staff.get("/staff/orders?show=cancelled").text


@pytest.mark.parametrize("action", ["settle", "cancel"])
def test_a_stuck_order_is_ended_on_its_page(shop: ThreeServices, action: str) -> None:
    reader, staff = somebody(shop, "customer"), somebody(shop, "staff")
    address = reader.buy(1).headers["Location"].removesuffix("?bought=1")
    with shop.orders.writing() as tx:
        tx.mark_stuck(address.removeprefix("/orders/"), "somebody said so", shop.clock())
    assert links(staff.get("/staff/orders?show=stuck").text, "Towers") == [f"/staff{address}"]
    form = staff.form(f"/staff{address}", f"/staff{address}/{action}")
    for _ in range(2):
        assert staff.send(form, reason="looked at the shelf").status_code == 303
    assert "looked at the shelf" in staff.get(f"/staff{address}").text
    with shop.databases[ORDER].reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM journal").scalar_one() == 1


@pytest.mark.parametrize("cursor", ["x", "1", "9" * 19 + ".a", "-1.a"])
def test_a_cursor_that_was_never_given_out_is_no_failure(shop: ThreeServices, cursor: str) -> None:
    staff = somebody(shop, "staff")
    for show in ("", "to-make-ready", "collected", "stuck"):
        assert staff.get(f"/staff/orders?show={show}&cursor={cursor}").status_code == 422
    assert somebody(shop, "customer").get(f"/orders?cursor={cursor}").status_code == 422


def test_an_order_is_found_by_its_number_and_by_its_customer(shop: ThreeServices) -> None:
    reader, staff = somebody(shop, "customer"), somebody(shop, "staff")
    addresses = [reader.buy(1).headers["Location"].removesuffix("?bought=1") for _ in range(2)]
    number = addresses[0].removeprefix("/orders/")
    assert links(staff.get(f"/staff/orders?q={number[:12]}").text, "Towers") == [f"/staff{addresses[0]}"]
    found = links(staff.get("/staff/orders?q=customer@").text, "Towers")
    assert sorted(found) == sorted(f"/staff{address}" for address in addresses)
