"""The pages over the real services: what stand-ins could get wrong between them."""

import itertools
import time
from collections.abc import Iterator

import pytest
import werkzeug

from bazar.chassis.clock import system_clock
from bazar.frontend.cache.answers import Answers
from bazar.frontend.wiring import cached
from shop_window import Reader, links
from three_services import ThreeServices

_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeServices]:
    """A shop with three books of which there are ten copies each, and one that is sold out."""
    opened = ThreeServices(tmp_path_factory.mktemp("shop"), system_clock)
    for title, stock in (("RPCs for Noobs", 10), ("Towers of Hanoi", 10), ("The Two Towers", 10), ("Gone", 0)):
        opened.add_book(title=title, stock=stock, subjects=["Fantasy"] if "Two" in title else ["distributed systems"])
    opened.index_now()
    yield opened
    opened.close()


@pytest.fixture
def reader(shop: ThreeServices) -> Reader:
    """Who has just registered."""
    reader = Reader(shop.app.test_client())
    assert reader.register(f"reader{next(_NUMBERS)}@example.org").status_code == 303
    return reader


def copies_left(shop: ThreeServices) -> list[int]:
    """Of the books 1 and 2."""
    return [shop.call("GET", f"/info/{number}").json["quantity"] for number in (1, 2)]  # type: ignore[index]  # JSON or None


def test_new_books_best_sellers_and_suggestions_come_from_the_services(shop: ThreeServices, reader: Reader) -> None:
    newest = reader.get("/new").text
    assert newest.index('"/books/3"') < newest.index('"/books/1"')
    reader.put(3, 2)
    reader.put(1)
    assert reader.buy_basket().status_code == 303
    shop.index_now()
    page = reader.get("/bestsellers").text
    assert links(page, "The Two Towers") == ["/books/3"]
    assert page.index("/books/3") < page.index("/books/1")
    assert links(reader.get("/bestsellers?subject=FANTASY").text, "RPCs") == []
    suggested = reader.get("/suggest?q=tow").json
    assert suggested is not None
    assert [item["address"] for item in suggested["items"]] == ["/books/2", "/books/3"]
    assert links(reader.get("/books/1").text, "Towers of Hanoi") == ["/books/2"] * 2


def test_a_stranger_without_script_puts_a_book_into_a_basket_through_the_cache(shop: ThreeServices) -> None:
    cache = cached(shop.app.wsgi_app, Answers(1_000_000, time.monotonic), shop.visitors)
    stranger = Reader(werkzeug.Client(cache))  # type: ignore[arg-type]  # it asks what both clients have
    assert stranger.put(1).status_code == 303
    assert "RPCs for Noobs" in stranger.get("/basket").text


def test_a_basket_is_bought_once_and_its_order_cancelled(shop: ThreeServices, reader: Reader) -> None:
    left = copies_left(shop)
    reader.put(1, 2)
    reader.put(2)
    form = reader.form("/basket", "/basket/buy")
    addresses = {reader.send(form).headers["Location"] for _ in range(3)}
    (bought,) = addresses
    page = reader.get(bought).text
    assert "bought books RPCs for Noobs, Towers of Hanoi" in page
    assert "There is nothing in it yet" in reader.get("/basket").text
    address = bought.removesuffix("?bought=1")
    assert reader.send(reader.form(address, f"{address}/cancel")).status_code == 303
    assert copies_left(shop) == left


def test_what_is_sold_out_or_costs_more_is_said_by_the_order_server(reader: Reader) -> None:
    reader.put(1)
    reader.put(4)
    page = reader.get("/basket")
    assert "Sold out since you put it in." in page.text
    fields = {**reader.form("/basket", "/basket/adjust").fields, "key": "mine", "copies-1": "1", "copies-4": "1"}
    refused = reader.post("/basket/buy", {**fields, "amount": "12000", "currency": "USD"})
    assert refused.status_code == 409
    assert "<b>Gone</b>: sold out." in refused.text
    reader.send(reader.form("/basket", "/basket/adjust"))
    dearer = reader.buy_basket(amount="3999")
    assert dearer.status_code == 409
    assert "The price has changed" in dearer.text
    assert reader.send(reader.form(dearer, "/basket/buy")).status_code == 303
