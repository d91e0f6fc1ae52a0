"""What the store of baskets promises, on every database that the shop runs on."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import pytest
import sqlalchemy as sa

from bazar.chassis.database import Database
from bazar.contracts.books import Money
from bazar.frontend.domain.accounts import Role, TooManyTries
from bazar.frontend.domain.basket import MOST_TITLES, Basket, BasketFull, BasketLine
from bazar.frontend.domain.errors import NotSignedIn
from bazar.frontend.storage.baskets import MOST_SWEPT, SqlBasketStore
from bazar.frontend.storage.schema import accounts as account_rows
from bazar.frontend.storage.schema import baskets as basket_rows
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.baskets import GUEST_LIFETIME, Baskets, Owner
from together import together

NOW = datetime(2026, 3, 14, 15, 9, 26, 535_897, UTC)
GUEST = Owner.guest("a secret")
ADDRESS = "192.0.2.7"


class MovableClock(Protocol):
    def __call__(self) -> datetime: ...

    def advance(self, **by: float) -> None: ...


class MishapError(Exception):
    """Something goes wrong inside a transaction."""


def line(item_number: int, quantity: int = 1, title: str = "Xen") -> BasketLine:
    return BasketLine(item_number, quantity, title, Money(amount=1500, currency="USD"))


@pytest.fixture
def basket_store(frontend_database: Database) -> SqlBasketStore:
    return SqlBasketStore(frontend_database)


@pytest.fixture
def baskets(basket_store: SqlBasketStore) -> Baskets:
    return Baskets(basket_store, lambda: NOW)


@pytest.fixture
def ann(accounts: Accounts) -> Owner:
    return Owner.account(accounts.create_account("ann@example.org", "violet tables dance", Role.CUSTOMER).account_id)


def rows(database: Database) -> int:
    with database.reading() as connection:
        count: int = connection.execute(sa.select(sa.func.count()).select_from(basket_rows)).scalar_one()
        return count


def quantities(baskets: Baskets, owner: Owner) -> dict[int, int]:
    found = baskets.of(owner)
    return {} if found is None else {one.item_number: one.quantity for one in found.lines}


def test_a_basket_is_found_as_it_was_left(baskets: Baskets) -> None:
    assert baskets.of(GUEST) is None
    baskets.put(GUEST, line(2, 3, "Ça \"déjà\" 'vu' \U0001f4da <b>"), ADDRESS)
    made = baskets.put(GUEST, line(1), ADDRESS)
    assert made.lines == (line(2, 3, "Ça \"déjà\" 'vu' \U0001f4da <b>"), line(1))
    assert baskets.of(GUEST) == made
    assert baskets.of(Owner.guest("another secret")) is None


def test_the_secret_itself_is_not_stored(baskets: Baskets, frontend_database: Database) -> None:
    baskets.put(GUEST, line(1), ADDRESS)
    with frontend_database.reading() as connection:
        assert "a secret" not in str(connection.execute(sa.select(basket_rows)).all())


def test_books_put_in_at_once_are_all_in_it(baskets: Baskets) -> None:
    together(*(partial(baskets.put, GUEST, line(1 + number % 3), ADDRESS) for number in range(12)))
    assert quantities(baskets, GUEST) == {1: 4, 2: 4, 3: 4}


def test_a_full_basket_stays_as_it_is(baskets: Baskets) -> None:
    for number in range(MOST_TITLES):
        baskets.put(GUEST, line(number + 1), ADDRESS)
    with pytest.raises(BasketFull):
        baskets.put(GUEST, line(999), ADDRESS)
    assert len(quantities(baskets, GUEST)) == MOST_TITLES


def test_the_lines_of_an_order_that_is_sent_twice_at_once_are_in_it_once(baskets: Baskets, ann: Owner) -> None:
    baskets.put(ann, line(1), ADDRESS)
    baskets.put(ann, line(2, 5), ADDRESS)
    together(*(partial(baskets.put_at_least, ann, [line(1, 3), line(2, 4), line(3, 2)]) for _ in range(4)))
    assert quantities(baskets, ann) == {1: 3, 2: 5, 3: 2}


def test_of_an_order_that_does_not_fit_nothing_is_put_in(baskets: Baskets, ann: Owner) -> None:
    for number in range(MOST_TITLES - 1):
        baskets.put(ann, line(number + 1), ADDRESS)
    with pytest.raises(BasketFull):
        baskets.put_at_least(ann, [line(1, 9), line(997), line(998)])
    assert quantities(baskets, ann) == {number + 1: 1 for number in range(MOST_TITLES - 1)}


def test_numbers_are_changed_and_books_taken_out(baskets: Baskets) -> None:
    baskets.put(GUEST, line(1), ADDRESS)
    baskets.put(GUEST, line(2), ADDRESS)
    baskets.set(GUEST, {1: 5, 2: 0})
    assert quantities(baskets, GUEST) == {1: 5}


def test_what_was_bought_is_taken_out_once_even_by_two_at_once(baskets: Baskets) -> None:
    key = baskets.put(GUEST, line(1, 4), ADDRESS).purchase_key
    together(*(partial(baskets.bought, GUEST, {1: 1}, key) for _ in range(4)))
    assert quantities(baskets, GUEST) == {1: 3}
    after = baskets.of(GUEST)
    assert after is not None
    assert after.purchase_key != key


def test_a_refusal_changes_the_key_alone(baskets: Baskets) -> None:
    before = baskets.put(GUEST, line(1), ADDRESS)
    baskets.refused(GUEST, before.purchase_key)
    after = baskets.of(GUEST)
    assert after is not None
    assert after.lines == before.lines
    assert after.purchase_key != before.purchase_key


def test_a_guests_basket_joins_the_accounts_once(baskets: Baskets, ann: Owner, frontend_database: Database) -> None:
    baskets.put(ann, line(1, 2), ADDRESS)
    baskets.put(GUEST, line(1), ADDRESS)
    baskets.put(GUEST, line(2), ADDRESS)
    together(*(partial(baskets.join, GUEST, ann) for _ in range(3)))
    assert quantities(baskets, ann) == {1: 2, 2: 1}
    assert baskets.of(GUEST) is None
    assert rows(frontend_database) == 1


def test_a_guest_without_a_basket_brings_none(baskets: Baskets, ann: Owner) -> None:
    baskets.join(GUEST, ann)
    assert baskets.of(ann) is None


def test_an_account_that_is_deleted_takes_its_basket_along(
    baskets: Baskets, ann: Owner, frontend_database: Database
) -> None:
    baskets.put(ann, line(1), ADDRESS)
    baskets.put(GUEST, line(1), ADDRESS)
    with frontend_database.writing() as connection:
        connection.execute(sa.delete(account_rows))
    assert rows(frontend_database) == 1


def test_an_account_that_was_deleted_a_moment_ago_gets_no_basket(baskets: Baskets, frontend_database: Database) -> None:
    with pytest.raises(NotSignedIn):
        baskets.put(Owner.account("nobody any more"), line(1), ADDRESS)
    assert rows(frontend_database) == 0


def test_what_guests_left_long_ago_is_swept_by_and_by(
    basket_store: SqlBasketStore, ann: Owner, frontend_database: Database
) -> None:
    long_ago = NOW - GUEST_LIFETIME - timedelta(microseconds=1)
    with basket_store.writing() as tx:
        for number in range(MOST_SWEPT + 5):
            tx.find_to_change(Owner.guest(f"guest {number}"), Basket("key"), long_ago)
        tx.find_to_change(Owner.guest("lately"), Basket("key"), long_ago + timedelta(seconds=1))
        tx.find_to_change(ann, Basket("key"), long_ago)
    baskets = Baskets(basket_store, lambda: NOW)
    baskets.put(GUEST, line(1), ADDRESS)
    assert rows(frontend_database) == 5 + 3
    baskets.put(GUEST, line(1), ADDRESS)
    assert rows(frontend_database) == 3
    assert baskets.of(ann) is not None


def test_an_error_undoes_what_was_written(basket_store: SqlBasketStore) -> None:
    def begin_and_fail() -> None:
        with basket_store.writing() as tx:
            tx.find_to_change(GUEST, Basket("key"), NOW)
            raise MishapError

    with pytest.raises(MishapError):
        begin_and_fail()
    assert basket_store.find(GUEST) is None


def test_an_address_begins_so_many_baskets_a_minute_and_changes_those_that_are_there(
    basket_store: SqlBasketStore, ann: Owner, clock: MovableClock, frontend_database: Database
) -> None:
    baskets = Baskets(basket_store, clock, guests_per_minute=2)
    first, second, third = (Owner.guest(f"guest {number}") for number in range(3))
    baskets.put(first, line(1), ADDRESS)
    baskets.put(second, line(1), ADDRESS)
    with pytest.raises(TooManyTries) as refused:
        baskets.put(third, line(1), ADDRESS)
    assert 0 < refused.value.retry_after_seconds <= 60
    assert rows(frontend_database) == 2
    baskets.put(first, line(2), ADDRESS)
    baskets.put(ann, line(1), ADDRESS)
    baskets.put(third, line(1), "192.0.2.8")
    clock.advance(minutes=1)
    baskets.put(Owner.guest("guest 3"), line(1), ADDRESS)
    assert rows(frontend_database) == 5


def test_a_secret_that_nobody_was_given_begins_no_basket(baskets: Baskets, frontend_database: Database) -> None:
    stranger = Owner.guest("made up")
    baskets.set(stranger, {1: 3})
    baskets.refused(stranger, "key")
    baskets.bought(stranger, {1: 1}, "key")
    assert rows(frontend_database) == 0
