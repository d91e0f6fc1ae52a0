"""Argon2id, so many at a time and no more."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import BoundedSemaphore

import argon2

from bazar.frontend.domain.accounts import TooBusy
from bazar.frontend.use_cases.account_ports import Verdict

#: OWASP Password Storage Cheat Sheet, the first choice for Argon2id.
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1

SLOTS = 2
WAITING = 2
LONGEST_WAIT_SECONDS = 0.5


class PasswordHasher:
    """Hashes and verifies at most ``slots`` passwords at a time; ``waiting`` more callers may wait for one.

    A hash takes 19 MiB and a core for some 20 ms. Without a bound a burst of sign-ins would take all memory,
    cores and slots from those who buy. So requests are held back here, with semaphores and not by the database:
    what is shared out is this process's memory and cores. Their lane has no more slots than there are ``places``
    (ADR 0014): who was let in finds one, and the other lanes are the shop's.
    """

    def __init__(
        self,
        slots: int = SLOTS,
        waiting: int = WAITING,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
        argon2id: argon2.PasswordHasher | None = None,
        while_hashing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """``argon2id``: parameters other than the shop's, for tests. ``while_hashing``: entered for each hash."""
        self.places = slots + waiting
        self._slots = BoundedSemaphore(slots)
        self._places = BoundedSemaphore(self.places)
        self._longest_wait_seconds = longest_wait_seconds
        self._while_hashing = while_hashing
        self._argon2id = argon2id or argon2.PasswordHasher(PASSES, MEMORY_KIB, LANES)
        self._hash_of_nobody = self._argon2id.hash(b"the password of an account that is not there")

    def hash(self, password: bytes) -> str:
        """The hash in PHC string format, with a salt of its own; raises TooBusy."""
        with self._slot():
            return self._argon2id.hash(password)

    def verify(self, password: bytes, password_hash: str | None) -> Verdict:
        """Whether the password is right; without a hash it is not, after the same work. Raises TooBusy."""
        with self._slot():
            try:
                self._argon2id.verify(password_hash or self._hash_of_nobody, password)
            except argon2.exceptions.VerifyMismatchError:
                return Verdict(right=False)
            if password_hash is None:
                return Verdict(right=False)
            if self._argon2id.check_needs_rehash(password_hash):
                return Verdict(right=True, new_hash=self._argon2id.hash(password))
            return Verdict(right=True)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise TooBusy
        try:
            if not self._slots.acquire(timeout=self._longest_wait_seconds):
                raise TooBusy
            try:
                with self._while_hashing():
                    yield
            finally:
                self._slots.release()
        finally:
            self._places.release()
