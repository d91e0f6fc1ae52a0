"""Many at the same moment: one account, one admin, and no more guesses than the limit allows."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

import pytest
import sqlalchemy as sa

from bazar.chassis.database import Database
from bazar.frontend.domain.accounts import SignInKind, TooManyTries, WrongCredentials
from bazar.frontend.storage.accounts import SqlAccountRecords, SqlAccountStore
from bazar.frontend.storage.schema import accounts as accounts_table
from bazar.frontend.use_cases.account_ports import AccountStore
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.tries import Limits

TOKEN = SignInKind.TOKEN
EMAIL, PASSWORD, WRONG = "ann@example.org", "violet tables dance", "violet tables sing"
HOME = "192.0.2.7"


@pytest.fixture
def accounts(accounts: Accounts, work: list[str]) -> Accounts:
    """The shop without limits, and Ann in it."""
    accounts.register(EMAIL, PASSWORD, "Ann Lee", HOME)
    work.clear()
    return accounts


def at_once(number: int, action: Callable[[], object]) -> Counter[str]:
    """How ``number`` threads that act at the same moment fared: by type of error, or "done"."""
    barrier = threading.Barrier(number)

    def run(_number: int) -> str:
        barrier.wait()
        try:
            action()
        except (WrongCredentials, TooManyTries) as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(number) as threads:
        return Counter(threads.map(run, range(number)))


def test_front_ends_that_start_together_make_one_admin(accounts: Accounts) -> None:
    made = []
    at_once(4, lambda: made.append(accounts.ensure_first_admin()))
    assert len([admin for admin in made if admin is not None]) == 1


def test_registrations_of_one_address_at_the_same_moment_make_one_account(
    accounts: Accounts, frontend_database: Database
) -> None:
    assert at_once(8, lambda: accounts.register("ben@example.org", PASSWORD, "", HOME)) == {"done": 8}
    with frontend_database.reading() as connection:
        assert len(connection.execute(sa.select(accounts_table)).all()) == 2
    accounts.sign_in("ben@example.org", PASSWORD, TOKEN, HOME)


@pytest.mark.usefixtures("accounts")
def test_guesses_at_the_same_moment_do_not_get_past_the_limit(
    store: SqlAccountStore, hasher: PasswordHasher, clock: Callable[[], datetime]
) -> None:
    shop = Accounts(store, hasher, clock, Limits(0, 0, 5))
    fared = at_once(16, lambda: shop.sign_in(EMAIL, WRONG, TOKEN, HOME))
    assert fared == {"WrongCredentials": 5, "TooManyTries": 11}


class AskAndCountNothing(SqlAccountRecords):
    """The mistake that the test above guards against: room is looked for, but not taken."""

    def count_try(self, bucket: str, window_start: datetime, most: int) -> bool:
        if not super().count_try(bucket, window_start, most):
            return False
        self.take_back_try(bucket, window_start)
        return True


class StoreThatCountsNothing(SqlAccountStore):
    @contextmanager
    def writing(self) -> Iterator[SqlAccountRecords]:
        with self._database.writing() as connection:
            yield AskAndCountNothing(connection)


@pytest.mark.usefixtures("accounts")
def test_the_test_of_the_limit_notices_a_count_that_is_not_kept(
    frontend_database: Database, hasher: PasswordHasher, clock: Callable[[], datetime]
) -> None:
    careless: AccountStore = StoreThatCountsNothing(frontend_database)
    shop = Accounts(careless, hasher, clock, Limits(0, 0, 5))
    assert at_once(16, lambda: shop.sign_in(EMAIL, WRONG, TOKEN, HOME)) == {"WrongCredentials": 16}
