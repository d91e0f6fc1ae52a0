"""The last copy sells once, on every database, and the test of it notices a shop that reads, then writes."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from bazar.chassis.database import Database, StorageUnavailable
from bazar.contracts.purchasing import OpenHoldsQuery
from bazar.order.domain.decisions import Decision
from bazar.order.domain.errors import OutOfStock
from read_then_write import ReadThenWriteStore
from shop_in_process import ShopInProcess, add_book, books_out_of_balance
from together import together

CUSTOMERS = 64
PURCHASES = 500
COPIES = 100
WAIT_SECONDS = 30


@pytest.fixture
def shop(catalog_database: Database, order_database: Database) -> ShopInProcess:
    return ShopInProcess(catalog_database, order_database)


def buy(shop: ShopInProcess, key: str, item: int) -> Decision | OutOfStock:
    """The order, or why there is none; who hears 503 asks again."""
    while True:
        try:
            return shop.buy(key, item)
        except OutOfStock as refusal:
            return refusal
        except StorageUnavailable:
            continue


def stock_up(shop: ShopInProcess, copies: int) -> int:
    """A new book, and the sale may begin; its item number."""
    item = add_book(shop.keep_stock, copies).item_number
    if isinstance(shop.store, ReadThenWriteStore):
        shop.store.mutated = True
    return item


def sell_the_last_copy(shop: ShopInProcess) -> None:
    """Two customers want it at the same moment; raises AssertionError unless exactly one gets it."""
    item = stock_up(shop, 1)
    answers = together(partial(buy, shop, "one", item), partial(buy, shop, "two", item))
    assert sorted(type(answer).__name__ for answer in answers) == ["Decision", "OutOfStock"]
    assert books_out_of_balance(shop.catalog_database) == []


def sell_a_hundred_copies(shop: ShopInProcess) -> None:
    """64 customers make 500 purchases; raises AssertionError unless exactly 100 get a copy."""
    item = stock_up(shop, COPIES)
    begin = threading.Barrier(CUSTOMERS)

    def customer(number: int) -> list[Decision | OutOfStock]:
        begin.wait(WAIT_SECONDS)
        return [buy(shop, f"key {purchase}", item) for purchase in range(number, PURCHASES, CUSTOMERS)]

    with ThreadPoolExecutor(CUSTOMERS) as threads:
        answers = [answer for answers in threads.map(customer, range(CUSTOMERS)) for answer in answers]
    assert Counter(type(answer) for answer in answers) == {Decision: COPIES, OutOfStock: PURCHASES - COPIES}
    assert shop.outcomes() == {"confirmed": COPIES, "out-of-stock": PURCHASES - COPIES}
    assert shop.look_up.book(item)[0].quantity == 0
    assert books_out_of_balance(shop.catalog_database) == []
    shop.finish_all()
    assert shop.hold_states() == {"settled": COPIES, "refused": PURCHASES - COPIES}
    assert shop.hold_copies.open_holds(OpenHoldsQuery()).holds == ()
    assert books_out_of_balance(shop.catalog_database) == []


def test_last_copy_sells_once(shop: ShopInProcess) -> None:
    sell_the_last_copy(shop)


def test_the_test_of_the_last_copy_notices_a_shop_that_reads_then_writes(
    catalog_database: Database, order_database: Database
) -> None:
    shop = ShopInProcess(catalog_database, order_database, ReadThenWriteStore)
    with pytest.raises(AssertionError):
        sell_the_last_copy(shop)
    assert shop.outcomes() == {"confirmed": 2}
    assert [(row.stock, row.taken, row.came_in) for row in books_out_of_balance(catalog_database)] == [(0, 2, 1)]


def test_a_hundred_copies_are_sold_a_hundred_times_however_many_want_one(shop: ShopInProcess) -> None:
    sell_a_hundred_copies(shop)


def test_the_test_of_a_hundred_copies_notices_a_shop_that_reads_then_writes(
    catalog_database: Database, order_database: Database
) -> None:
    shop = ShopInProcess(catalog_database, order_database, ReadThenWriteStore)
    with pytest.raises(AssertionError):
        sell_a_hundred_copies(shop)
    assert shop.outcomes()["confirmed"] > COPIES
    (row,) = books_out_of_balance(catalog_database)
    assert row.stock + row.taken > row.came_in == COPIES


def test_one_key_that_comes_fifty_times_at_once_is_one_order_with_one_answer(shop: ShopInProcess) -> None:
    item = add_book(shop.keep_stock, COPIES).item_number
    answers = together(*[partial(buy, shop, "key", item)] * 50)
    assert len(set(answers)) == 1
    assert shop.outcomes() == {"confirmed": 1}
    assert shop.look_up.book(item)[0].quantity == COPIES - 1


def test_one_key_that_comes_fifty_times_at_once_is_refused_once_and_for_ever(shop: ShopInProcess) -> None:
    item = add_book(shop.keep_stock, stock=0).item_number
    answers = together(*[partial(buy, shop, "key", item)] * 50)
    assert len({answer.shortages for answer in answers if isinstance(answer, OutOfStock)}) == 1
    assert shop.outcomes() == {"out-of-stock": 1}
    with shop.store.writing() as tx:
        tx.change_stock(item, COPIES)
    with pytest.raises(OutOfStock):
        shop.buy("key", item)
