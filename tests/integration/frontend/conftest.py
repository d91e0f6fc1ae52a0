"""The front-end's database, brought to the current schema, and accounts in it whose passwords hash fast."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import argon2
import pytest

import bazar.frontend.migrations
from bazar.chassis.database import Database
from bazar.chassis.migrations import migrate
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.use_cases.account_ports import Verdict
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.tries import Limits


class NotingHasher(PasswordHasher):
    """The real one with cheap parameters and many slots; notes what it does."""

    def __init__(self, work: list[str]) -> None:
        super().__init__(slots=64, argon2id=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self._work = work

    def hash(self, password: bytes) -> str:
        self._work.append("hash")
        return super().hash(password)

    def verify(self, password: bytes, password_hash: str | None) -> Verdict:
        self._work.append("verify")
        return super().verify(password, password_hash)


@pytest.fixture
def frontend_database(new_database: Callable[[], Database]) -> Database:
    database = new_database()
    migrate(database, Path(bazar.frontend.migrations.__file__).parent)
    return database


@pytest.fixture
def store(frontend_database: Database) -> SqlAccountStore:
    return SqlAccountStore(frontend_database)


@pytest.fixture
def work() -> list[str]:
    """What the hasher has done: "hash" or "verify" each."""
    return []


@pytest.fixture
def hasher(work: list[str]) -> PasswordHasher:
    return NotingHasher(work)


@pytest.fixture
def accounts(store: SqlAccountStore, hasher: PasswordHasher, clock: Callable[[], datetime]) -> Accounts:
    """No accounts yet, and no limits."""
    return Accounts(store, hasher, clock, Limits(0, 0, 0))
