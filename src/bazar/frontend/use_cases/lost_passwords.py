"""A lost password: one of the staff makes a link that works once, and hands it over."""

from collections.abc import Callable
from datetime import datetime

from bazar.frontend.domain.account_care import (
    LINK_LIFETIME,
    OPERATOR,
    Deed,
    JournalLine,
    LinkEnded,
    NotForOneself,
    OneTimeSecret,
    Purpose,
    UnknownAccount,
    may_help,
)
from bazar.frontend.domain.accounts import Account, EmailAddress, Person, Role
from bazar.frontend.domain.errors import NotAllowed
from bazar.frontend.domain.passwords import check_strength, normalised
from bazar.frontend.use_cases.account_ports import AccountRecords, AccountStore, Hasher
from bazar.frontend.use_cases.acting import acting_role
from bazar.frontend.use_cases.secret_texts import new_secret, sha256


class LostPasswords:
    """``clock`` gives the time in UTC."""

    def __init__(self, store: AccountStore, hasher: Hasher, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock

    def make_link(self, email: str, actor: Person | None) -> str:
        """The secret of a link for this account; earlier links end. ``actor``: None for who runs the shop.

        Raises InvalidField, UnknownAccount, NotAllowed, NotForOneself.
        """
        address = EmailAddress.read(email)
        with self._store.writing() as tx:
            role = None if actor is None else acting_role(tx, actor, Role.STAFF)
            found = tx.find(address)
            account = tx.find_to_change(found.account_id) if found else None
            if account is None:
                raise UnknownAccount
            if role is not None and not may_help(role, account.role):
                raise NotAllowed(Role.ADMIN.value)
            if actor is not None and actor.account_id == account.account_id:
                raise NotForOneself
            return add_link(tx, account, actor.account_id if actor else OPERATOR, self._clock())

    def opens(self, secret: str) -> bool:
        """Whether the link can be used now."""
        return self._account_of(secret) is not None

    def use_link(self, secret: str, password: str) -> str:
        """Set the password, once; all sign-ins of the account end. Its address.

        Raises LinkEnded, WeakPassword, TooBusy.
        """
        account = self._account_of(secret)
        if account is None:
            raise LinkEnded
        check_strength(password, (account.name, account.email.text))
        password_hash = self._hasher.hash(normalised(password))
        with self._store.writing() as tx:
            now = self._clock()
            # The account first, as everybody does: only who holds it takes its link.
            held = tx.find_to_change(account.account_id)
            if held is None or not tx.one_time_secrets.take(sha256(secret)):
                raise LinkEnded
            tx.change_password_hash(held.account_id, password_hash)
            tx.end_sign_ins_of(held.account_id)
            tx.journal.write(JournalLine(now, held.account_id, held.account_id, Deed.LINK_USED, held.role))
        return held.email.text

    def _account_of(self, secret: str) -> Account | None:
        with self._store.reading() as tx:
            account_id = tx.one_time_secrets.account_of(sha256(secret), Purpose.NEW_PASSWORD, self._clock())
            return tx.find_by_id(account_id) if account_id else None


def address_of(public_url: str, secret: str) -> str:
    """The link. The secret is in the query: the log has the routes of requests, and errors' paths, never queries."""
    return f"{public_url.rstrip('/')}/new-password?link={secret}"


def add_link(tx: AccountRecords, account: Account, actor: str, now: datetime) -> str:
    """The secret of a new link for an account that the caller holds."""
    secret = new_secret()
    tx.one_time_secrets.add(
        OneTimeSecret(sha256(secret), Purpose.NEW_PASSWORD, account.account_id, now + LINK_LIFETIME, made_by=actor)
    )
    tx.one_time_secrets.sweep(now)
    tx.journal.write(JournalLine(now, actor, account.account_id, Deed.LINK_MADE, account.role))
    return secret
