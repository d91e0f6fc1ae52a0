"""Answers to purchases: what binds a key, who answers when two decide, and what is left undecided."""

import ssl
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bazar.chassis.client import ServiceClient
from bazar.chassis.clock import Deadline
from bazar.chassis.connections import Response
from bazar.contracts import problems
from bazar.order.api.routes import PROBLEMS
from bazar.order.domain.decisions import Outcome
from bazar.order.domain.errors import (
    CatalogAway,
    GivenUp,
    KeyReused,
    OutOfStock,
    PriceChanged,
    UnknownBooks,
    WrongCurrency,
)
from bazar.order.gateways.catalog_service import CatalogService
from faulty_catalog import (
    AtOnce,
    RecoveringShop,
    recovering_shop,
)
from holding import a_hold

STOCK = 3


@pytest.fixture
def shop(tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[RecoveringShop]:
    with recovering_shop(tmp_path, clock) as opened:
        yield opened


def test_a_refusal_binds_its_key_though_copies_arrive_before_it_is_decided(shop: RecoveringShop) -> None:
    book = shop.book(0)
    shop.leave_open("key", (book.item_number, 1))
    with shop.catalog_store.writing() as tx:
        tx.change_stock(book.item_number, 5)
    with pytest.raises(OutOfStock) as caught:
        shop.buy("key", (book.item_number, 1))
    assert [(short.requested, short.available) for short in caught.value.shortages] == [(1, 0)]


def test_the_answer_stays_though_price_and_stock_move(shop: RecoveringShop) -> None:
    book = shop.book(1, price_minor=1000)
    first = shop.answer("bought", (book.item_number, 1), expected_total=1000)
    refused = shop.answer("refused", (book.item_number, 1))
    with shop.catalog_store.writing() as tx:
        tx.change_stock(book.item_number, 9)
        tx.set_price(book.item_number, 1)
    changed = shop.answer("changed", (book.item_number, 1), expected_total=1000)
    with shop.catalog_store.writing() as tx:
        tx.set_price(book.item_number, 1000)
    assert shop.answer("bought", (book.item_number, 1), expected_total=1000) == first
    assert shop.answer("refused", (book.item_number, 1)) == refused
    assert shop.answer("changed", (book.item_number, 1), expected_total=1000) == changed
    assert sorted(shop.decisions().values()) == ["confirmed", "out-of-stock", "price-changed"]


def test_a_key_of_a_decided_purchase_is_refused_for_another_one(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    shop.buy("key", (item, 1))
    for lines, total in (((item, 2),), None), (((item, 1),), 1000):
        with pytest.raises(KeyReused):
            shop.buy("key", *lines, expected_total=total)
    assert shop.stock(item) == STOCK - 1


def test_a_key_of_a_held_purchase_is_refused_for_another_one_and_nothing_is_decided(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    shop.leave_open("key", (item, 1))
    with pytest.raises(KeyReused):
        shop.buy("key", (item, 2))
    assert shop.decisions() == {}
    assert shop.buy("key", (item, 1)).outcome is Outcome.CONFIRMED
    shop.sweep_until_quiet()
    assert shop.stock(item) == STOCK - 1
    shop.assert_nothing_lost()


@pytest.mark.parametrize(("decided_copies", "answer"), [(2, "confirmed"), (3, KeyReused)])
def test_after_a_hash_mismatch_the_decision_answers_if_there_is_one_by_then(
    shop: RecoveringShop, decided_copies: int, answer: object
) -> None:
    """The hold is of one body, the decision, made while we asked for the hold, of another."""
    item = shop.book(9).item_number
    shop.leave_open("key", (item, 1))

    def decided_meanwhile(call: Callable[[], object]) -> object:
        result = call()
        mismatching = shop.buy("other key", (item, decided_copies))
        with shop.orders.writing() as tx:
            ((order_id, _),) = (found for found in shop.holds().items() if found[0] != mismatching.order_id)
            tx.decide([type(mismatching)(**{**vars(mismatching), "order_id": order_id})])
        return result

    shop.catalog.meets("hold", decided_meanwhile)
    if answer == "confirmed":
        assert shop.buy("key", (item, 2)).lines[0].quantity == 2
    else:
        with pytest.raises(KeyReused):
            shop.buy("key", (item, 2))


def test_whoever_decides_second_answers_what_the_first_decided(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number

    def given_up_meanwhile(call: Callable[[], object]) -> object:
        result = call()
        shop.sweep_until_quiet()
        return result

    shop.catalog.meets("hold", given_up_meanwhile)
    with pytest.raises(GivenUp):
        shop.buy("key", (item, 1), finisher=AtOnce(shop.finish_orders()))
    assert list(shop.decisions().values()) == ["cancelled"]
    assert shop.stock(item) == STOCK
    assert shop.stuck() == {}
    shop.assert_nothing_lost()


@pytest.mark.parametrize("expected", [1999, 2001, 0])
def test_another_total_than_expected_is_not_bought_and_the_copies_come_back(
    shop: RecoveringShop, expected: int
) -> None:
    item = shop.book(STOCK).item_number
    with pytest.raises(PriceChanged) as caught:
        shop.buy("key", (item, 2), expected_total=expected, finisher=AtOnce(shop.finish_orders()))
    assert (caught.value.total_minor, caught.value.currency) == (2000, "USD")
    assert shop.stock(item) == STOCK
    shop.assert_nothing_lost()


def test_an_order_gets_all_its_books_or_none(shop: RecoveringShop) -> None:
    many, few = shop.book(9).item_number, shop.book(1).item_number
    with pytest.raises(OutOfStock) as caught:
        shop.buy("key", (many, 1), (few, 1), (few, 1), finisher=AtOnce(shop.finish_orders()))
    assert [(short.item_number, short.requested, short.available) for short in caught.value.shortages] == [(few, 2, 1)]
    assert (shop.stock(many), shop.stock(few)) == (9, 1)


def test_an_unknown_book_uses_up_no_key(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    with pytest.raises(UnknownBooks) as caught:
        shop.buy("key", (item, 1), (item + 1, 1))
    assert caught.value.item_numbers == (item + 1,)
    assert (shop.decisions(), shop.holds(), shop.stock(item)) == ({}, {}, STOCK)
    assert shop.book(1).item_number == item + 1
    assert shop.buy("key", (item, 1), (item + 1, 1)).outcome is Outcome.CONFIRMED


def test_another_currency_begins_nothing(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    with pytest.raises(WrongCurrency) as caught:
        shop.buy("key", (item, 1), expected_total=1000, currency="EUR")
    assert list(vars(caught.value).values()) == ["EUR", "USD"]
    assert shop.catalog.calls == []


def test_a_catalog_that_is_away_is_told_as_503_and_decides_nothing(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    shop.catalog.away = True
    with pytest.raises(CatalogAway) as caught:
        shop.buy("key", (item, 1))
    problem = PROBLEMS[CatalogAway](caught.value)
    assert problem.type is problems.UNAVAILABLE
    assert problem.retry_after_seconds
    shop.catalog.away = False
    assert (shop.decisions(), shop.holds()) == ({}, {})


def test_past_its_deadline_nothing_is_begun(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    with pytest.raises(CatalogAway):
        shop.buy("key", (item, 1), deadline=Deadline.after(-1))
    assert (shop.decisions(), shop.holds()) == ({}, {})


def test_past_its_deadline_no_call_leaves_for_the_catalog() -> None:
    def no_token(_audience: str) -> str:
        raise AssertionError("a call was begun")

    client = ServiceClient("catalog", "https://127.0.0.1:1", ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), no_token)
    with pytest.raises(CatalogAway, match="time for the request has run out"):
        CatalogService(client).hold([a_hold((1, 1))], Deadline.after(0))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"no JSON"),
        (200, b'{"answers": "none"}'),
        (200, b'{"answers": []}'),
        (200, b'{"answers": [{"order_id": "a", "outcome": "sold"}]}'),
        (302, b""),
        (404, b"no problem document"),
        (422, problems.INVALID.because("field: no").dump()),
        (500, b""),
        (503, problems.UNAVAILABLE.because("later").dump()),
    ],
)
def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown(status: int, body: bytes) -> None:
    """Above all it is not blamed on the customer."""

    class Connections:
        def ask(self, *_arguments: object) -> Response:
            return Response(status, {}, body)

    client = ServiceClient("catalog", "https://127.0.0.1:1", ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), lambda _: "token")
    client._connections = Connections()  # type: ignore[assignment]  # a stand-in
    with pytest.raises(CatalogAway):
        CatalogService(client).hold([a_hold((1, 1))], Deadline.after(60))


def test_what_is_decided_is_answered_though_the_catalog_is_away(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    first = shop.answer("bought", (item, 1)), shop.answer("refused", (item, STOCK))
    shop.catalog.away = True
    assert (shop.answer("bought", (item, 1)), shop.answer("refused", (item, STOCK))) == first
