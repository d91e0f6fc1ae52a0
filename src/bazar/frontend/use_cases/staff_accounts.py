"""What an admin does with the accounts of others.

``actor`` is everywhere who does it; whoever is no admin any more when it is done: NotAllowed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bazar.frontend.domain.account_care import (
    OPERATOR,
    Deed,
    JournalLine,
    LastAdmin,
    NotForOneself,
    UnknownAccount,
    is_account_id,
)
from bazar.frontend.domain.accounts import Account, AccountExists, EmailAddress, Person, Role, read_name
from bazar.frontend.use_cases.account_ports import AccountRecords, AccountStore
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.acting import acting_role
from bazar.frontend.use_cases.lost_passwords import add_link
from bazar.frontend.use_cases.secret_texts import new_password

MOST_LISTED = 500
LINES_ON_A_PAGE = 50


@dataclass(frozen=True)
class Told:
    """A line of the journal in words: ``actor`` and ``email`` are addresses, None of accounts that are deleted."""

    line: JournalLine
    actor: str | None
    email: str | None


@dataclass(frozen=True)
class ToldPage:
    """A page of the journal, the newest line first; ``next``: what the page of older lines is asked for by, or None."""

    lines: Sequence[Told]
    next: int | None


class StaffAccounts:
    """``clock`` gives the time in UTC."""

    def __init__(self, store: AccountStore, clock: Callable[[], datetime], accounts: Accounts) -> None:
        self._store = store
        self._clock = clock
        self._accounts = accounts

    def staff(self) -> Sequence[Person]:
        """Who is more than a customer; MOST_LISTED at the most."""
        with self._store.reading() as tx:
            return tx.staff(MOST_LISTED)

    def find(self, email: str) -> Person:
        """Whose address it is; raises InvalidField, UnknownAccount."""
        address = EmailAddress.read(email)
        with self._store.reading() as tx:
            account = tx.find(address)
            person = tx.person(account.account_id) if account else None
        if person is None:
            raise UnknownAccount
        return person

    def person(self, account_id: str) -> Person:
        """Raises UnknownAccount."""
        if not is_account_id(account_id):
            raise UnknownAccount
        with self._store.reading() as tx:
            person = tx.person(account_id)
        if person is None:
            raise UnknownAccount
        return person

    def journal(self, account_id: str | None = None, before: int | None = None) -> ToldPage:
        """LINES_ON_A_PAGE lines, of one account or of all; ``before`` is the ``next`` of an earlier page."""
        with self._store.reading() as tx:
            lines, older = tx.journal.page(LINES_ON_A_PAGE, before, account_id)
            emails = tx.emails({each for line in lines for each in (line.actor, line.account_id)}) if lines else {}
        told = [Told(line, emails.get(line.actor), emails.get(line.account_id)) for line in lines]
        return ToldPage(told, older)

    def create(self, actor: Person, email: str, name: str, role: Role) -> str:
        """Make an account that nobody knows the password of; the secret of a link to choose one.

        Raises AccountExists, InvalidField, TooBusy.
        """
        address, name = EmailAddress.read(email), read_name(name)
        account = self._accounts.new_account(address, new_password(), name, role)
        with self._store.writing() as tx:
            acting_role(tx, actor, Role.ADMIN)
            if not tx.add(account):
                raise AccountExists(address.text)
            self._write(tx, actor.account_id, account, Deed.MADE, role)
            return add_link(tx, account, actor.account_id, self._clock())

    def change_role(self, actor: Person, account_id: str, role: Role) -> None:
        """Give a role or withdraw it; raises UnknownAccount, LastAdmin.

        Links that were made under the old one end: those for the account, and those that it made.
        """
        with self._store.writing() as tx:
            acting_role(tx, actor, Role.ADMIN)
            admins = tx.admins()
            account = _held(tx, account_id)
            if account.role is role:
                return
            if account.role is Role.ADMIN and admins <= 1:
                raise LastAdmin
            tx.change_role(account_id, role)
            tx.one_time_secrets.remove_those_of(account_id)
            self._write(tx, actor.account_id, account, Deed.ROLE_CHANGED, role)

    def end_sessions(self, actor: Person, account_id: str) -> None:
        """All sign-ins of the account, of pages and API; raises UnknownAccount."""
        with self._store.writing() as tx:
            acting_role(tx, actor, Role.ADMIN)
            account = _held(tx, account_id)
            tx.end_sign_ins_of(account_id)
            self._write(tx, actor.account_id, account, Deed.SESSIONS_ENDED, account.role)

    def switch_off_second_factor(self, actor: Person | None, account_id: str) -> bool:
        """For who has lost the device; whether one was there. ``actor``: None for who runs the shop.

        Raises UnknownAccount, NotForOneself.
        """
        if actor is not None and actor.account_id == account_id:
            raise NotForOneself
        with self._store.writing() as tx:
            if actor is not None:
                acting_role(tx, actor, Role.ADMIN)
            account = _held(tx, account_id)
            if tx.second_factors.find(account_id) is None:
                return False
            tx.second_factors.remove(account_id)
            self._write(tx, actor.account_id if actor else OPERATOR, account, Deed.FACTOR_OFF, account.role)
            return True

    def _write(self, tx: AccountRecords, actor: str, account: Account, deed: Deed, role: Role) -> None:
        tx.journal.write(JournalLine(self._clock(), actor, account.account_id, deed, role))


def _held(tx: AccountRecords, account_id: str) -> Account:
    account = tx.find_to_change(account_id) if is_account_id(account_id) else None
    if account is None:
        raise UnknownAccount
    return account
