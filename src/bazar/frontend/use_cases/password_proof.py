"""Whether somebody knows an account's password: each guess is counted, and what was proven still has to be so later."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bazar.frontend.domain.accounts import Account, EmailAddress, TooBusy, WrongCredentials, subscriber_of
from bazar.frontend.domain.passwords import normalised
from bazar.frontend.use_cases.account_ports import AccountRecords, AccountStore, Hasher
from bazar.frontend.use_cases.tries import Tries, too_many_tries


@dataclass(frozen=True)
class Proven:
    """The password of ``account``, as it was read, is right. ``new_hash``: what should replace its hash."""

    account: Account
    new_hash: str | None = field(repr=False)
    failures: Mapping[str, int]


class PasswordProof:
    """``clock`` gives the time in UTC."""

    def __init__(self, store: AccountStore, hasher: Hasher, clock: Callable[[], datetime], tries: Tries) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock
        self._tries = tries

    def prove(self, address: EmailAddress, password: str, client_address: str) -> Proven:
        """Raises WrongCredentials, TooManyTries, TooBusy."""
        now = self._clock()
        tries = f"sign-in:{subscriber_of(client_address)}"
        failures = self._tries.failures(address, client_address)
        with self._store.writing() as tx:
            within_limit = self._tries.count(
                tx, tries, self._tries.limits.sign_ins_per_address, now
            ) and self._tries.may_fail_once_more(tx, failures, now)
            account = tx.find(address)
        if not within_limit:
            raise too_many_tries(now)
        with self._tries.taken_back_if_busy(tries, now):
            verdict = self._hasher.verify(normalised(password), account.password_hash if account else None)
        if account is None or not verdict.right:
            with self._store.writing() as tx:
                # Each is counted, whatever the other says.
                within_limits = [self._tries.count(tx, bucket, most, now) for bucket, most in failures.items()]
            raise WrongCredentials if all(within_limits) else too_many_tries(now)
        return Proven(account, verdict.new_hash, failures)

    def confirm(self, tx: AccountRecords, proven: Proven) -> Account:
        """The account as it is now, held for the transaction that acts on the proof.

        Raises TooManyTries; WrongCredentials where the account was deleted while the proof was made. Where its hash
        was replaced, what the old password opens must not outlive it: TooBusy, since it may be the same password under
        a stronger hash, and whoever tries again learns which.
        """
        now = self._clock()
        # Looked at once more: of guesses made at once, the right one must not get in behind too many wrong ones.
        if not self._tries.may_fail_once_more(tx, proven.failures, now):
            raise too_many_tries(now)
        account = tx.find_to_change(proven.account.account_id)
        if account is None:
            raise WrongCredentials
        if account.password_hash != proven.account.password_hash:
            raise TooBusy
        if proven.new_hash is not None:
            tx.change_password_hash(account.account_id, proven.new_hash)
        return account
