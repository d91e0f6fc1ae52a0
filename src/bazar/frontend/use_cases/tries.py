"""How often somebody may try, counted in the database so that it holds over restarts and several processes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bazar.frontend.domain.accounts import EmailAddress, TooBusy, TooManyTries, subscriber_of
from bazar.frontend.use_cases.account_ports import AccountRecords, AccountStore
from bazar.frontend.use_cases.secret_texts import sha256

WINDOW = timedelta(minutes=1)
FROM_ALL_ADDRESSES = 10


@dataclass(frozen=True)
class Limits:
    """Tries in a minute; 0 sets no limit. ``failed_sign_ins``: to one account from one address.

    From all addresses together an account may fail FROM_ALL_ADDRESSES times as often. Whoever uses that up also keeps
    its owner from signing in for the rest of the minute: the price of a limit that no number of addresses gets around.
    """

    sign_ins_per_address: int = 30
    registrations_per_address: int = 30
    failed_sign_ins: int = 10


class CountedTries(Protocol):
    """Counted tries inside one transaction; see AccountRecords for what the methods promise."""

    def count_try(self, bucket: str, window_start: datetime, most: int) -> bool: ...

    def sweep_tries(self, before: datetime) -> None: ...


class Tries:
    """Counts within the running minute. ``clock`` gives the time in UTC."""

    def __init__(self, store: AccountStore, clock: Callable[[], datetime], limits: Limits) -> None:
        self._store = store
        self._clock = clock
        self.limits = limits

    def count(self, tx: AccountRecords, bucket: str, most: int, now: datetime) -> bool:
        """Count one more; False, and nothing counted, where there were ``most``."""
        return is_within_limit(tx, bucket, most, now)

    def failures(self, address: EmailAddress, client_address: str) -> Mapping[str, int]:
        """Where failures to sign in to the account are counted, and how many are allowed there."""
        # By a hash: the shop does not keep addresses that nobody registered.
        bucket = f"failed-sign-in:{sha256(address.key)}"
        return {
            f"{bucket}:{subscriber_of(client_address)}": self.limits.failed_sign_ins,
            bucket: self.limits.failed_sign_ins * FROM_ALL_ADDRESSES,
        }

    def may_fail_once_more(self, tx: AccountRecords, failures: Mapping[str, int], now: datetime) -> bool:
        """Whether the account's failures are not used up; counts nothing, for whoever is right has not failed."""
        for bucket, most in failures.items():
            if not self.count(tx, bucket, most, now):
                return False
            tx.take_back_try(bucket, _window_start(now))
        return True

    @contextmanager
    def taken_back_if_busy(self, bucket: str, now: datetime) -> Iterator[None]:
        """Whoever was not even looked at has not tried."""
        try:
            yield
        except TooBusy:
            with self._store.writing() as tx:
                tx.take_back_try(bucket, _window_start(now))
            raise


def is_within_limit(tx: CountedTries, bucket: str, most: int, now: datetime) -> bool:
    """Count one more; False, and nothing counted, where there were ``most`` in this minute. 0 is no limit."""
    if not most:
        return True
    tx.sweep_tries(_window_start(now) - WINDOW)
    return tx.count_try(bucket, _window_start(now), most)


def too_many_tries(now: datetime) -> TooManyTries:
    """Until the next window begins."""
    left = _window_start(now) + WINDOW - now
    return TooManyTries(retry_after_seconds=max(1, -(-left // timedelta(seconds=1))))


def _window_start(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)
