"""Many customers at once, through the front-end over TLS: nothing is sold twice, and every answer is final."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shop import Answer, Client, Shop

#: What makes the catalog of a shop read the stock, then write it.
MUTANT = Path(__file__).parent / "mutant"
CUSTOMERS = 64
PURCHASES = 500
COPIES = 100
WAIT_SECONDS = 60
MOST_MEGABYTES_IDLE = 300
MOST_MEGABYTES_AFTERWARDS = 350


def buy_at_once(shop: Shop, token: str, item: int, keys: Sequence[str]) -> list[Answer]:
    """One copy for each key, shared out to the customers, each on a connection that is open already."""
    begin = threading.Barrier(min(CUSTOMERS, len(keys)))

    def customer(number: int) -> list[Answer]:
        client = shop.client(token)
        try:
            client.call("GET", f"/info/{item}")
            begin.wait(WAIT_SECONDS)
            return [client.call("POST", f"/purchase/{item}", key=key) for key in keys[number :: begin.parties]]
        finally:
            client.close()

    with ThreadPoolExecutor(begin.parties) as threads:
        return [answer for answers in threads.map(customer, range(begin.parties)) for answer in answers]


def all_orders(client: Client) -> list[str]:
    """The ids of a customer's orders, page after page."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.call("GET", f"/orders?limit=100&cursor={cursor}").json
        found += [order["order_id"] for order in page["items"]]
        cursor = page["next"]
    return found


def sell_a_hundred_copies(shop: Shop) -> None:
    """500 purchases of one book at once; raises AssertionError unless exactly 100 get a copy."""
    item, token = shop.add_book(COPIES), shop.customer("ann@example.org")
    answers = buy_at_once(shop, token, item, [f"purchase-{number}" for number in range(PURCHASES)])
    assert Counter(answer.status for answer in answers) == {201: COPIES, 409: PURCHASES - COPIES}
    refusals = [answer.json for answer in answers if answer.status == 409]
    assert {refusal["type"] for refusal in refusals} == {"/problems/out-of-stock"}
    assert all(refusal["lines"] == [{"item_number": item, "requested": 1, "available": 0}] for refusal in refusals)
    client = shop.client(token)
    assert client.call("GET", f"/info/{item}").json["quantity"] == 0
    bought = {answer.json["order_id"] for answer in answers if answer.status == 201}
    assert len(bought) == COPIES
    assert sorted(all_orders(client)) == sorted(bought)
    client.close()


def test_a_hundred_copies_are_sold_a_hundred_times_however_many_want_one(each_shop: Shop) -> None:
    sell_a_hundred_copies(each_shop)


@pytest.mark.slow
def test_the_test_of_a_hundred_copies_notices_a_catalog_that_reads_then_writes(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(PYTHONPATH=f"{MUTANT}:{MUTANT.parents[1]}")
    with pytest.raises(AssertionError):
        sell_a_hundred_copies(shop)
    client = shop.client(shop.sign_in("ann@example.org"))
    assert len(all_orders(client)) > COPIES
    client.close()


def test_one_key_that_comes_fifty_times_at_once_is_one_order_with_one_answer(each_shop: Shop) -> None:
    item, token = each_shop.add_book(COPIES), each_shop.customer("ben@example.org")
    answers = buy_at_once(each_shop, token, item, ["the-key"] * 50)
    assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
    client = each_shop.client(token)
    assert all_orders(client) == [answers[0].json["order_id"]]
    assert client.call("GET", f"/info/{item}").json["quantity"] == COPIES - 1
    client.close()


def test_all_processes_together_take_little_memory_before_and_after(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    idle = shop.memory()
    assert sum(idle.values()) < MOST_MEGABYTES_IDLE, idle
    item, token = shop.add_book(COPIES), shop.customer("ann@example.org")
    buy_at_once(shop, token, item, [f"purchase-{number}" for number in range(PURCHASES)])
    afterwards = shop.memory()
    assert sum(afterwards.values()) < MOST_MEGABYTES_AFTERWARDS, afterwards
