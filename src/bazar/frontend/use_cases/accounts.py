"""Register, sign in, sign out, and who it is that asks."""

import secrets
from base64 import b32encode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bazar.frontend.domain.account_care import (
    HALF_SIGN_IN_LIFETIME,
    OPERATOR,
    Deed,
    JournalLine,
    OneTimeSecret,
    Purpose,
)
from bazar.frontend.domain.accounts import (
    SIGN_IN_LIFETIME,
    Account,
    AccountExists,
    EmailAddress,
    Person,
    Role,
    SignIn,
    SignInKind,
    key_of_name,
    read_name,
    subscriber_of,
)
from bazar.frontend.domain.errors import ShopError
from bazar.frontend.domain.passwords import check_strength, normalised
from bazar.frontend.domain.second_factor import CodeNeeded, HalfSignInEnded
from bazar.frontend.use_cases.account_ports import AccountRecords, AccountStore, Hasher
from bazar.frontend.use_cases.codes import judge
from bazar.frontend.use_cases.password_proof import PasswordProof
from bazar.frontend.use_cases.secret_texts import new_password, new_secret, sha256
from bazar.frontend.use_cases.tries import Limits, Tries, too_many_tries

FIRST_ADMIN_EMAIL = "admin@localhost"
ACCOUNT_ID_BYTES = 16
MOST_FOUND = 50


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
        self._tries = Tries(store, clock, limits)
        self._proof = PasswordProof(store, hasher, clock, self._tries)

    def register(self, email: str, password: str, name: str, client_address: str) -> EmailAddress:
        """Make a customer's account; for an address that has one, answer the same and change nothing.

        Raises InvalidField, WeakPassword, TooManyTries, TooBusy.
        """
        address, name = _checked(email, password, name)
        now = self._clock()
        tries = f"register:{subscriber_of(client_address)}"
        with self._store.writing() as tx:
            within_limit = self._tries.count(tx, tries, self._tries.limits.registrations_per_address, now)
        if not within_limit:
            raise too_many_tries(now)
        # The hash is made for a taken address too: the time must not tell which addresses have accounts.
        with self._tries.taken_back_if_busy(tries, now):
            account = self.new_account(address, password, name, Role.CUSTOMER)
        with self._store.writing() as tx:
            tx.add(account)
        return address

    def sign_in(
        self, email: str, password: str, kind: SignInKind, client_address: str, code: str | None = None
    ) -> SignedIn:
        """A new sign-in; raises InvalidField, WrongCredentials, TooManyTries, TooBusy.

        Of an account with a second factor it takes a code: raises CodeNeeded without one, after which a session goes
        on with ``finish_sign_in``; WrongCode.
        """
        proven = self._proof.prove(EmailAddress.read(email), password, client_address)
        with self._store.writing() as tx:
            account = self._proof.confirm(tx, proven)
            told = self._sign_in(tx, account, kind, code)
        return _told(told)

    def finish_sign_in(self, half_secret: str, code: str) -> SignedIn:
        """The session of who has given the password before; raises HalfSignInEnded, WrongCode, TooManyTries."""
        secret_hash = sha256(half_secret)
        with self._store.writing() as tx:
            account_id = tx.one_time_secrets.account_of(secret_hash, Purpose.SECOND_STEP, self._clock())
            account = tx.find_to_change(account_id) if account_id else None
            if account is None:
                raise HalfSignInEnded
            told = self._sign_in(tx, account, SignInKind.SESSION, code)
            if isinstance(told, SignedIn) and not tx.one_time_secrets.take(secret_hash):
                raise HalfSignInEnded  # somebody else has finished it while we waited for the account
        return _told(told)

    def _sign_in(
        self, tx: AccountRecords, account: Account, kind: SignInKind, code: str | None
    ) -> SignedIn | ShopError:
        """What becomes of who has proven the password. Errors are given back: what is written before must be kept."""
        now = self._clock()
        factor = tx.second_factors.find(account.account_id)
        if factor is None or not factor.is_on:
            return start_sign_in(tx, account.person, kind, now)
        if code is None:
            return CodeNeeded(self._half_secret(tx, account) if kind is SignInKind.SESSION else "")
        refusal = judge(tx, account.account_id, factor, code, now)
        return refusal or start_sign_in(tx, replace(account.person, has_second_factor=True), kind, now)

    def _half_secret(self, tx: AccountRecords, account: Account) -> str:
        secret, now = new_secret(), self._clock()
        tx.one_time_secrets.add(
            OneTimeSecret(sha256(secret), Purpose.SECOND_STEP, account.account_id, now + HALF_SIGN_IN_LIFETIME)
        )
        tx.one_time_secrets.sweep(now)
        return secret

    def sign_out(self, secret: str, kind: SignInKind) -> None:
        """End the sign-in of this secret, if there is one."""
        with self._store.writing() as tx:
            tx.end_sign_in(sha256(secret), kind)

    def who_is(self, secret: str, kind: SignInKind) -> Person | None:
        """Whose secret this is; None where it opens nothing, has ended, or is of another kind."""
        return self._store.person_signed_in(sha256(secret), kind, self._clock())

    def create_account(self, email: str, password: str, role: Role, name: str = "") -> Person:
        """Make an account of any role, for the operator; raises AccountExists, InvalidField, WeakPassword."""
        address, name = _checked(email, password, name)
        account = self.new_account(address, password, name, role)
        with self._store.writing() as tx:
            if not tx.add(account):
                raise AccountExists(address.text)
            tx.journal.write(JournalLine(account.created_at, OPERATOR, account.account_id, Deed.MADE, role))
        return account.person

    def ensure_first_admin(self, email: str = FIRST_ADMIN_EMAIL) -> FirstAdmin | None:
        """Make an admin with a random password where the shop has none; None where it has one.

        Raises AccountExists where somebody without that role has the address.
        """
        with self._store.reading() as tx:
            if tx.has_account_of(Role.ADMIN):
                return None
        address = EmailAddress.read(email)
        password = new_password()
        account = self.new_account(address, password, "", Role.ADMIN)
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

    def customers(self, account_ids: Collection[str]) -> Mapping[str, str]:
        """Who they are, for the counter: name and address by account id; ids that are no account's are left out."""
        if not account_ids:
            return {}
        with self._store.reading() as tx:
            found = tx.people(account_ids)
        return {one.account_id: one.name_and_address for one in found}

    def beginning_with(self, text: str) -> Sequence[Person]:
        """Whose address or a word of whose name begins so, MOST_FOUND at most; alone whose whole address it is."""
        start = key_of_name(text)
        if not start:
            return ()
        with self._store.reading() as tx:
            found = tx.people_beginning_with(start, MOST_FOUND)
        return [one for one in found if key_of_name(one.email) == start] or found

    def new_account(self, address: EmailAddress, password: str, name: str, role: Role) -> Account:
        """One that is not stored yet; raises TooBusy."""
        account_id = b32encode(secrets.token_bytes(ACCOUNT_ID_BYTES)).decode().rstrip("=").lower()
        password_hash = self._hasher.hash(normalised(password))
        return Account(account_id, address, name, role, password_hash, self._clock())


def start_sign_in(tx: AccountRecords, person: Person, kind: SignInKind, now: datetime) -> SignedIn:
    """Store a new sign-in of somebody who has proven who they are."""
    secret = new_secret()
    sign_in = SignIn(sha256(secret), kind, person.account_id, now, now + SIGN_IN_LIFETIME)
    tx.add_sign_in(sign_in)
    tx.sweep_sign_ins(now)
    return SignedIn(secret, sign_in.expires_at, person)


def _told(told: SignedIn | ShopError) -> SignedIn:
    if isinstance(told, ShopError):
        raise told
    return told


def _checked(email: str, password: str, name: str) -> tuple[EmailAddress, str]:
    address, name = EmailAddress.read(email), read_name(name)
    check_strength(password, (name, address.text))
    return address, name
