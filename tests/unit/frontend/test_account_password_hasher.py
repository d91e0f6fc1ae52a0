"""Hashing: the parameters, the answers, and the bound on how many run at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest

from bazar.frontend.domain.accounts import TooBusy
from bazar.frontend.use_cases.account_ports import Verdict
from bazar.frontend.use_cases.password_hasher import PasswordHasher

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
A_WHILE_SECONDS = 10
PASSWORD = b"violet tables dance"


class HeldArgon2(argon2.PasswordHasher):
    """Cheap, and every hash is held up until it may go on; counts those that have begun."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.may_go_on = threading.Event()
        self.begun = threading.Semaphore(0)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.begun.release()
        assert self.may_go_on.wait(A_WHILE_SECONDS)
        return super().hash(password, salt=salt)


def held(slots: int, waiting: int, longest_wait_seconds: float) -> tuple[PasswordHasher, HeldArgon2]:
    argon2id = HeldArgon2()
    argon2id.may_go_on.set()
    hasher = PasswordHasher(slots, waiting, longest_wait_seconds, argon2id)
    assert argon2id.begun.acquire(timeout=A_WHILE_SECONDS)
    argon2id.may_go_on.clear()
    return hasher, argon2id


def test_the_shop_hashes_with_argon2id_at_19_mib_two_passes_one_lane() -> None:
    assert PasswordHasher().hash(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_right_password_is_right_and_another_is_not() -> None:
    hasher = PasswordHasher(argon2id=CHEAP)
    password_hash = hasher.hash(PASSWORD)
    assert hasher.verify(PASSWORD, password_hash) == Verdict(right=True)
    assert hasher.verify(b"violet tables dancE", password_hash) == Verdict(right=False)


def test_two_hashes_of_one_password_differ() -> None:
    hasher = PasswordHasher(argon2id=CHEAP)
    assert hasher.hash(PASSWORD) != hasher.hash(PASSWORD)


def test_without_an_account_no_password_is_right_not_even_that_of_the_stand_in() -> None:
    hasher = PasswordHasher(argon2id=CHEAP)
    assert hasher.verify(b"the password of an account that is not there", None) == Verdict(right=False)


def test_a_hash_of_older_parameters_is_renewed_when_the_password_is_right() -> None:
    old_hash = CHEAP.hash(PASSWORD)
    hasher = PasswordHasher(argon2id=argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert hasher.verify(b"wrong", old_hash) == Verdict(right=False)
    new_hash = hasher.verify(PASSWORD, old_hash).new_hash
    assert new_hash is not None
    assert "m=16,t=2,p=1" in new_hash
    assert hasher.verify(PASSWORD, new_hash) == Verdict(right=True)


def test_no_more_than_the_slots_hash_at_a_time_and_those_who_wait_get_their_turn() -> None:
    hasher, argon2id = held(slots=2, waiting=6, longest_wait_seconds=A_WHILE_SECONDS)
    with ThreadPoolExecutor(8) as threads:
        hashes = [threads.submit(hasher.hash, PASSWORD) for _ in range(8)]
        assert argon2id.begun.acquire(timeout=A_WHILE_SECONDS)
        assert argon2id.begun.acquire(timeout=A_WHILE_SECONDS)
        assert not argon2id.begun.acquire(timeout=0.1)
        argon2id.may_go_on.set()
        assert len({future.result() for future in hashes}) == 8


def test_who_finds_no_place_to_wait_is_told_at_once() -> None:
    hasher, argon2id = held(slots=1, waiting=0, longest_wait_seconds=A_WHILE_SECONDS)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(hasher.hash, PASSWORD)
        assert argon2id.begun.acquire(timeout=A_WHILE_SECONDS)
        with pytest.raises(TooBusy):
            hasher.verify(PASSWORD, None)
        argon2id.may_go_on.set()
        assert first.result()
    assert hasher.hash(PASSWORD)


def test_who_waited_long_enough_is_told_and_leaves_the_place_to_others() -> None:
    hasher, argon2id = held(slots=1, waiting=1, longest_wait_seconds=0.01)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(hasher.hash, PASSWORD)
        assert argon2id.begun.acquire(timeout=A_WHILE_SECONDS)
        for _ in range(3):
            with pytest.raises(TooBusy):
                hasher.hash(PASSWORD)
        argon2id.may_go_on.set()
        assert first.result()
    assert hasher.hash(PASSWORD)


def test_an_error_while_hashing_gives_the_slot_back() -> None:
    hasher = PasswordHasher(slots=1, waiting=0, argon2id=CHEAP)
    for _ in range(2):
        with pytest.raises(argon2.exceptions.InvalidHashError):
            hasher.verify(PASSWORD, "no hash at all")
    assert hasher.hash(PASSWORD)
