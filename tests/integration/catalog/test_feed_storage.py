"""The feed of changes, on every database: nothing is overtaken, nothing passed over."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

import bazar.catalog.migrations
from bazar.catalog.storage.store import CatalogStore, CatalogTransaction
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.look_up import LookUp
from bazar.chassis.database import Database
from bazar.chassis.migrations import migrate
from bazar.contracts.books import BookChange, ChangeBook, ChangesQuery, Price, WithdrawBook
from holding import a_hold, an_order, hold, release
from postgresql import PostgreSQL
from shop_in_process import CURRENCY, add_book, noon
from together import together

WAIT_SECONDS = 30

Publish = Callable[[CatalogTransaction, int], None]


def publish(tx: CatalogTransaction, item: int) -> None:
    """As every use case does it, last in its transaction."""
    tx.raise_version(item)
    tx.publish([item])


def publish_by_a_bare_sequence(tx: CatalogTransaction, item: int) -> None:
    """The mutant: the number is given out without a lock that lasts until the commit."""
    tx._connection.execute(
        sa.text("INSERT INTO changes (number, item_number, version) VALUES (nextval('bare'), :item, 2)"),
        {"item": item},
    )


@pytest.fixture
def two_books(postgresql: PostgreSQL) -> Iterator[CatalogStore]:
    """A catalog whose writers run side by side; its books are 1 and 2, its last change is 2."""
    url = postgresql.new_database()
    database = Database(url)
    migrate(database, Path(bazar.catalog.migrations.__path__[0]))
    store = CatalogStore(database)
    with store.writing() as tx:
        tx.begin_feed()
        tx._connection.execute(sa.text("CREATE SEQUENCE bare START 3"))
    for _ in range(2):
        add_book(KeepStock(store, noon, CURRENCY))
    yield store
    database.close()
    postgresql.drop_database(url)


def numbers_after(store: CatalogStore, number: int) -> Sequence[int]:
    with store.reading() as tx:
        return [change.number for change in tx.changes_after(number, 1000)[2]]


def somebody_waits(store: CatalogStore) -> bool:
    """Whether a connection waits for a lock."""
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with store.reading() as tx:
        return bool(tx._connection.execute(waiting).scalar_one())


def seen_before_the_first_commits(store: CatalogStore, publish: Publish) -> Sequence[int]:
    """Of two writers, the first to publish is the last to commit, if it can be; what a reader sees before that."""

    def write_too() -> None:
        with store.writing() as tx:
            publish(tx, 2)

    with ThreadPoolExecutor(1) as thread:
        with store.writing() as first:
            publish(first, 1)
            second = thread.submit(write_too)
            deadline = time.monotonic() + WAIT_SECONDS
            while not (second.done() or somebody_waits(store)):
                assert time.monotonic() < deadline
            seen = numbers_after(store, 2)
        second.result()
    return seen


def test_a_change_is_not_overtaken_by_one_with_a_higher_number(two_books: CatalogStore) -> None:
    assert seen_before_the_first_commits(two_books, publish) == []
    assert numbers_after(two_books, 2) == [3, 4]


def test_a_bare_sequence_would_be_overtaken(two_books: CatalogStore) -> None:
    assert seen_before_the_first_commits(two_books, publish_by_a_bare_sequence) == [4]


def test_a_follower_sees_every_number_while_many_write(
    keep_stock: KeepStock, hold_copies: HoldCopies, look_up: LookUp
) -> None:
    items = [add_book(keep_stock, 100).item_number for _ in range(4)]
    writing = threading.Event()
    writing.set()
    seen = [len(items)]

    def follow() -> None:
        while writing.is_set() or seen[-1] < look_up.changes(ChangesQuery()).last:
            found = look_up.changes(ChangesQuery(after=seen[-1]))
            seen.extend(change.number for change in found.changes)
            assert seen[-1] == found.last

    def sell(number: int) -> None:
        for turn in range(10):
            order = 1000 * number + turn
            hold(hold_copies, a_hold((items[number], 1), (items[(number + 1) % 4], 1), number=order))
            release(hold_copies, an_order(order))

    with ThreadPoolExecutor(1) as follower:
        following = follower.submit(follow)
        try:
            together(*(partial(sell, number) for number in range(4)))
        finally:
            writing.clear()
        following.result(WAIT_SECONDS)
    # Each hold changes two books, and each release does.
    assert seen == list(range(4, 4 + 4 * 10 * 4 + 1))


def test_the_feed_comes_in_pages_and_names_the_versions(keep_stock: KeepStock, look_up: LookUp) -> None:
    items = [add_book(keep_stock).item_number for _ in range(5)]
    first = look_up.changes(ChangesQuery(limit=2))
    rest = look_up.changes(ChangesQuery(after=2, limit=1000))
    assert [change.item_number for change in (*first.changes, *rest.changes)] == items
    assert [change.version for change in first.changes] == [1, 1]
    assert (first.last, rest.last, first.epoch) == (5, 5, rest.epoch)
    assert look_up.position() == f"{first.epoch}-5"


def test_a_book_that_is_withdrawn_is_another_version_in_the_feed(keep_stock: KeepStock, look_up: LookUp) -> None:
    first, second = add_book(keep_stock).item_number, add_book(keep_stock).item_number
    keep_stock.withdraw_book(first, WithdrawBook(actor="staff"))
    (change,) = look_up.changes(ChangesQuery(after=2)).changes
    assert (change.item_number, change.version, change.offer_only) == (first, 2, False)
    assert look_up.book(second)[0].version == 1


def test_the_feed_of_a_database_has_one_epoch_whoever_begins_it(
    catalog_database: Database, catalog_store: CatalogStore
) -> None:
    def begin() -> str:
        store = CatalogStore(catalog_database)
        with store.writing() as tx:
            tx.begin_feed()
            return tx.position()

    before = LookUp(catalog_store, CURRENCY).position()
    assert set(together(begin, begin, begin)) == {before}


def test_the_feed_says_which_changes_are_of_price_and_copies_alone(
    keep_stock: KeepStock, hold_copies: HoldCopies, look_up: LookUp
) -> None:
    item = add_book(keep_stock, 5).item_number
    hold(hold_copies, a_hold((item, 1), number=1))
    release(hold_copies, an_order(1))
    dearer = Price(amount=9_900, currency=CURRENCY)
    for change in (
        BookChange(price=dearer, stock_change=2),
        BookChange(title="Another"),
        BookChange(title="Another one", stock_change=1),
    ):
        keep_stock.change_book(item, ChangeBook(actor="staff", change=change))
    with keep_stock._store.reading() as tx:
        of_offers = [change.offer_only for change in tx.changes_after(0, 10)[2]]
    assert of_offers == [False, True, True, True, False, False]
    between = {(0, 1): True, (1, 4): False, (3, 5): True, (5, 6): True, (6, 6): False, (6, 99): False}
    assert {span: look_up.lists_changed(*span) for span in between} == between
