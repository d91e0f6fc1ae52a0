"""How often one address may try, and one account be guessed at."""

import threading
from datetime import datetime, timedelta
from typing import Protocol

import argon2
import pytest
import sqlalchemy as sa

from bazar.chassis.database import Database
from bazar.frontend.domain.accounts import SignInKind, TooBusy, TooManyTries, WrongCredentials
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.storage.schema import tries
from bazar.frontend.use_cases.account_ports import Verdict
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.tries import Limits
from together import together

TOKEN = SignInKind.TOKEN
EMAIL, PASSWORD, WRONG = "ann@example.org", "violet tables dance", "violet tables sing"
A_WHILE_SECONDS = 10
HOME, AWAY = "192.0.2.7", "198.51.100.9"


class MovableClock(Protocol):
    """The clock of the fixture."""

    now: datetime

    def __call__(self) -> datetime: ...


class MeetingHasher(PasswordHasher):
    """Judges nobody before ``crowd`` are there at once, and the right password when so many have been ``answered``."""

    def __init__(self, crowd: int, answered_before_right: int = 0) -> None:
        super().__init__(slots=64, argon2id=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self._here = threading.Barrier(crowd)
        self._answered_before_right = answered_before_right
        self.answered = threading.Semaphore(0)

    def verify(self, password: bytes, password_hash: str | None) -> Verdict:
        self._here.wait(A_WHILE_SECONDS)
        verdict = super().verify(password, password_hash)
        for _ in range(self._answered_before_right if verdict.right else 0):
            assert self.answered.acquire(timeout=A_WHILE_SECONDS)
        return verdict


@pytest.fixture
def accounts(accounts: Accounts, work: list[str]) -> Accounts:
    """The shop without limits, and Ann in it."""
    accounts.register(EMAIL, PASSWORD, "Ann Lee", HOME)
    work.clear()
    return accounts


def limited(accounts: Accounts, limits: Limits) -> Accounts:
    return Accounts(accounts._store, accounts._hasher, accounts._clock, limits)


def test_one_address_signs_in_so_often_a_minute_whatever_the_account(
    accounts: Accounts, clock: MovableClock, work: list[str]
) -> None:
    shop = limited(accounts, Limits(3, 0, 0))
    clock.now += timedelta(seconds=18.5)
    shop.sign_in(EMAIL, PASSWORD, TOKEN, "2001:db8::1")
    for email in ("ben@example.org", "cyd@example.org"):
        with pytest.raises(WrongCredentials):
            shop.sign_in(email, WRONG, TOKEN, "2001:db8::2")
    with pytest.raises(TooManyTries) as refused:
        shop.sign_in(EMAIL, PASSWORD, TOKEN, "2001:db8::3")
    assert refused.value.retry_after_seconds == 42
    assert len(work) == 3
    shop.sign_in(EMAIL, PASSWORD, TOKEN, AWAY)
    clock.now += timedelta(seconds=42)
    shop.sign_in(EMAIL, PASSWORD, TOKEN, "2001:db8::1")


def test_one_address_registers_so_often_a_minute(accounts: Accounts, clock: MovableClock, work: list[str]) -> None:
    shop = limited(accounts, Limits(0, 2, 0))
    for email in (EMAIL, "ben@example.org"):
        shop.register(email, PASSWORD, "", "2001:db8::1")
    with pytest.raises(TooManyTries):
        shop.register("cyd@example.org", PASSWORD, "", "2001:db8::2")
    assert len(work) == 2
    shop.register("cyd@example.org", PASSWORD, "", AWAY)
    clock.now += timedelta(minutes=1)
    shop.register("dan@example.org", PASSWORD, "", "2001:db8::1")


@pytest.mark.parametrize("email", [EMAIL, "unknown@example.org"])
def test_an_account_is_guessed_at_so_often_a_minute_from_wherever(
    accounts: Accounts, clock: MovableClock, work: list[str], email: str
) -> None:
    shop = limited(accounts, Limits(0, 0, 3))
    for number in range(30):
        with pytest.raises(WrongCredentials):
            shop.sign_in(email, WRONG, TOKEN, f"192.0.2.{number % 15}")
    with pytest.raises(TooManyTries):
        shop.sign_in(email.upper(), PASSWORD, TOKEN, AWAY)
    assert len(work) == 30
    clock.now += timedelta(minutes=1)
    with pytest.raises(WrongCredentials):
        shop.sign_in(email, WRONG, TOKEN, HOME)


def test_a_stranger_who_guesses_does_not_keep_the_owner_out(accounts: Accounts) -> None:
    shop = limited(accounts, Limits(0, 0, 3))
    for _ in range(3):
        with pytest.raises(WrongCredentials):
            shop.sign_in(EMAIL, WRONG, TOKEN, AWAY)
    with pytest.raises(TooManyTries):
        shop.sign_in(EMAIL, PASSWORD, TOKEN, AWAY)
    shop.sign_in(EMAIL, PASSWORD, TOKEN, HOME)


def test_right_passwords_do_not_count_as_failures(accounts: Accounts) -> None:
    shop = limited(accounts, Limits(0, 0, 2))
    for _ in range(5):
        shop.sign_in(EMAIL, PASSWORD, TOKEN, HOME)
    with pytest.raises(WrongCredentials):
        shop.sign_in(EMAIL, WRONG, TOKEN, HOME)
    shop.sign_in(EMAIL, PASSWORD, TOKEN, HOME)


def test_being_too_busy_does_not_count_as_a_try(
    accounts: Accounts, store: SqlAccountStore, clock: MovableClock
) -> None:
    accounts.register("ben@example.org", PASSWORD, "", HOME)
    one_at_a_time = PasswordHasher(
        slots=1, waiting=0, argon2id=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    shop = Accounts(store, one_at_a_time, clock, Limits(1, 1, 1))
    with one_at_a_time._slot():
        for _ in range(3):
            with pytest.raises(TooBusy):
                shop.sign_in("ben@example.org", WRONG, TOKEN, HOME)
            with pytest.raises(TooBusy):
                shop.register("cyd@example.org", PASSWORD, "", HOME)
    shop.sign_in("ben@example.org", PASSWORD, TOKEN, HOME)
    shop.register("cyd@example.org", PASSWORD, "", HOME)


@pytest.mark.usefixtures("accounts")
def test_right_sign_ins_at_once_are_more_than_the_failures_of_an_account(
    store: SqlAccountStore, clock: MovableClock
) -> None:
    crowd = 4
    shop = Accounts(store, MeetingHasher(crowd), clock, Limits(0, 0, 1))
    signed_in = together(*[lambda: shop.sign_in(EMAIL, PASSWORD, TOKEN, HOME)] * crowd)
    assert {each.person.email for each in signed_in} == {EMAIL}


@pytest.mark.usefixtures("accounts")
def test_of_guesses_made_at_once_no_more_are_answered_and_the_right_one_not_after_them(
    store: SqlAccountStore, clock: MovableClock
) -> None:
    hasher = MeetingHasher(5, answered_before_right=4)
    shop = Accounts(store, hasher, clock, Limits(0, 0, 3))

    def guess(password: str) -> type[Exception]:
        with pytest.raises((WrongCredentials, TooManyTries)) as told:
            shop.sign_in(EMAIL, password, TOKEN, HOME)
        hasher.answered.release()
        return told.type

    *wrong, right = together(*[lambda: guess(WRONG)] * 4, lambda: guess(PASSWORD))
    assert (wrong.count(WrongCredentials), wrong.count(TooManyTries), right) == (3, 1, TooManyTries)


def test_a_refusal_for_the_account_still_counts_for_the_address(accounts: Accounts) -> None:
    shop = limited(accounts, Limits(2, 0, 1))
    with pytest.raises(WrongCredentials):
        shop.sign_in(EMAIL, WRONG, TOKEN, HOME)
    with pytest.raises(TooManyTries):
        shop.sign_in(EMAIL, WRONG, TOKEN, HOME)
    with pytest.raises(TooManyTries):
        shop.sign_in("ben@example.org", WRONG, TOKEN, HOME)


def test_old_counts_are_swept(accounts: Accounts, clock: MovableClock, frontend_database: Database) -> None:
    shop = limited(accounts, Limits(0, 0, 5))
    for number in range(3):
        with pytest.raises(WrongCredentials):
            shop.sign_in(f"p{number}@example.org", WRONG, TOKEN, HOME)
    clock.now += timedelta(minutes=2)
    shop.sign_in(EMAIL, PASSWORD, TOKEN, HOME)
    with frontend_database.reading() as connection:
        buckets = connection.execute(sa.select(tries.c.bucket)).scalars().all()
    # Of the last sign-in: its address and all addresses.
    assert len(buckets) == 2


def test_no_address_that_nobody_registered_is_kept(accounts: Accounts, frontend_database: Database) -> None:
    with pytest.raises(WrongCredentials):
        limited(accounts, Limits(5, 5, 5)).sign_in("secret.life@example.org", WRONG, TOKEN, HOME)
    with frontend_database.reading() as connection:
        assert "secret.life" not in str(connection.execute(sa.select(tries)).all())
