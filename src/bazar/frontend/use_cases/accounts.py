"""Register, sign in, sign out, and who it is that asks."""

import hashlib
import secrets
from base64 import b32encode
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bazar.frontend.domain.accounts import (
    SIGN_IN_LIFETIME,
    Account,
    AccountExists,
    EmailAddress,
    Person,
    Role,
    SignIn,
    SignInKind,
    TooBusy,
    TooManyTries,
    WrongCredentials,
    read_name,
    subscriber_of,
)
from bazar.frontend.domain.passwords import check_strength, normalised
from bazar.frontend.use_cases.account_ports import AccountRecords, AccountStore, Hasher

FIRST_ADMIN_EMAIL = "admin@localhost"
WINDOW = timedelta(minutes=1)
ACCOUNT_ID_BYTES = 16
SECRET_BYTES = 32
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


@dataclass(frozen=True)
class SignedIn:
    """A new sign-in. ``secret`` is told to the person this once; the shop keeps only its hash."""

    secret: str = field(repr=False)
    expires_at: datetime
    person: Person


@dataclass(frozen=True)
class FirstAdmin:
    """How to sign in to a new shop."""

    email: str
    password: str = field(repr=False)


class Accounts:
    """The accounts of the shop. ``client_address`` is everywhere the IP address of who asks, as text."""

    def __init__(self, store: AccountStore, hasher: Hasher, clock: Callable[[], datetime], limits: Limits) -> None:
        """``clock`` gives the time in UTC."""
        self._store = store
        self._hasher = hasher
        self._clock = clock
        self._limits = limits

    def register(self, email: str, password: str, name: str, client_address: str) -> EmailAddress:
        """Make a customer's account; for an address that has one, answer the same and change nothing.

        Raises InvalidField, WeakPassword, TooManyTries, TooBusy.
        """
        address, name = _checked(email, password, name)
        now = self._clock()
        tries = f"register:{subscriber_of(client_address)}"
        with self._store.writing() as tx:
            within_limit = self._count(tx, tries, now, self._limits.registrations_per_address)
        if not within_limit:
            raise _too_many_tries(now)
        # The hash is made for a taken address too: the time must not tell which addresses have accounts.
        with self._taken_back_if_busy(tries, now):
            account = self._new_account(address, password, name, Role.CUSTOMER)
        with self._store.writing() as tx:
            tx.add(account)
        return address

    def sign_in(self, email: str, password: str, kind: SignInKind, client_address: str) -> SignedIn:
        """A new sign-in; raises InvalidField, WrongCredentials, TooManyTries, TooBusy."""
        address = EmailAddress.read(email)
        now = self._clock()
        tries = f"sign-in:{subscriber_of(client_address)}"
        failures = self._failures(address, client_address)
        with self._store.writing() as tx:
            within_limit = self._count(tx, tries, now, self._limits.sign_ins_per_address) and self._may_fail_once_more(
                tx, failures, now
            )
            account = tx.find(address)
        if not within_limit:
            raise _too_many_tries(now)
        with self._taken_back_if_busy(tries, now):
            verdict = self._hasher.verify(normalised(password), account.password_hash if account else None)
        if account is None or not verdict.right:
            with self._store.writing() as tx:
                # Each is counted, whatever the other says.
                within_limits = [self._count(tx, bucket, now, most) for bucket, most in failures.items()]
            raise WrongCredentials if all(within_limits) else _too_many_tries(now)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        sign_in = SignIn(_sha256(secret), kind, account.account_id, now, now + SIGN_IN_LIFETIME)
        with self._store.writing() as tx:
            # Looked at once more: of guesses made at once, the right one must not get in behind too many wrong ones.
            if not self._may_fail_once_more(tx, failures, now):
                raise _too_many_tries(now)
            if verdict.new_hash is not None:
                tx.change_password_hash(account.account_id, verdict.new_hash)
            tx.add_sign_in(sign_in)
            tx.sweep_sign_ins(now)
        return SignedIn(secret, sign_in.expires_at, account.person)

    def sign_out(self, secret: str, kind: SignInKind) -> None:
        """End the sign-in of this secret, if there is one."""
        with self._store.writing() as tx:
            tx.end_sign_in(_sha256(secret), kind)

    def who_is(self, secret: str, kind: SignInKind) -> Person | None:
        """Whose secret this is; None where it opens nothing, has ended, or is of another kind."""
        with self._store.reading() as tx:
            return tx.person_signed_in(_sha256(secret), kind, self._clock())

    def create_account(self, email: str, password: str, role: Role, name: str = "") -> Person:
        """Make an account of any role, for the operator; raises AccountExists, InvalidField, WeakPassword."""
        address, name = _checked(email, password, name)
        account = self._new_account(address, password, name, role)
        with self._store.writing() as tx:
            if not tx.add(account):
                raise AccountExists(address.text)
        return account.person

    def ensure_first_admin(self, email: str = FIRST_ADMIN_EMAIL) -> FirstAdmin | None:
        """Make an admin with a random password where the shop has none; None where it has one.

        Raises AccountExists where somebody without that role has the address.
        """
        with self._store.reading() as tx:
            if tx.has_account_of(Role.ADMIN):
                return None
        address = EmailAddress.read(email)
        password = _random_password()
        account = self._new_account(address, password, "", Role.ADMIN)
        with self._store.writing() as tx:
            if tx.add(account):
                return FirstAdmin(address.text, password)
            # Another front-end that starts at the same moment was first.
            if tx.has_account_of(Role.ADMIN):
                return None
            raise AccountExists(address.text)

    def names_of(self, account_ids: Collection[str]) -> Mapping[str, str]:
        """Who they are, for the journal: the address by account id, since a name can be anybody's.

        Ids that are no account's are left out.
        """
        if not account_ids:
            return {}
        with self._store.reading() as tx:
            return tx.emails(account_ids)

    def _new_account(self, address: EmailAddress, password: str, name: str, role: Role) -> Account:
        account_id = b32encode(secrets.token_bytes(ACCOUNT_ID_BYTES)).decode().rstrip("=").lower()
        password_hash = self._hasher.hash(normalised(password))
        return Account(account_id, address, name, role, password_hash, self._clock())

    @staticmethod
    def _count(tx: AccountRecords, bucket: str, now: datetime, most: int) -> bool:
        if not most:
            return True
        tx.sweep_tries(_window_start(now) - WINDOW)
        return tx.count_try(bucket, _window_start(now), most)

    def _failures(self, address: EmailAddress, client_address: str) -> Mapping[str, int]:
        """Where failures to sign in to the account are counted, and how many are allowed there."""
        # By a hash: the shop does not keep addresses that nobody registered.
        bucket = f"failed-sign-in:{_sha256(address.key)}"
        return {
            f"{bucket}:{subscriber_of(client_address)}": self._limits.failed_sign_ins,
            bucket: self._limits.failed_sign_ins * FROM_ALL_ADDRESSES,
        }

    def _may_fail_once_more(self, tx: AccountRecords, failures: Mapping[str, int], now: datetime) -> bool:
        """Whether the account's failures are not used up; counts nothing, for whoever is right has not failed."""
        for bucket, most in failures.items():
            if not self._count(tx, bucket, now, most):
                return False
            tx.take_back_try(bucket, _window_start(now))
        return True

    @contextmanager
    def _taken_back_if_busy(self, tries: str, now: datetime) -> Iterator[None]:
        """Whoever was not even looked at has not tried."""
        try:
            yield
        except TooBusy:
            with self._store.writing() as tx:
                tx.take_back_try(tries, _window_start(now))
            raise


def _checked(email: str, password: str, name: str) -> tuple[EmailAddress, str]:
    address, name = EmailAddress.read(email), read_name(name)
    check_strength(password, (name, address.text))
    return address, name


def _window_start(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)


def _too_many_tries(now: datetime) -> TooManyTries:
    left = _window_start(now) + WINDOW - now
    return TooManyTries(retry_after_seconds=max(1, -(-left // timedelta(seconds=1))))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _random_password() -> str:
    """125 random bits, in groups that can be read aloud."""
    letters = b32encode(secrets.token_bytes(16)).decode().lower()[:25]
    return "-".join(letters[start : start + 5] for start in range(0, 25, 5))
