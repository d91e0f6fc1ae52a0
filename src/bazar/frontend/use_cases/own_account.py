"""What people do with their own account: another password or name, what the shop knows of them, and the end of it."""

from collections.abc import Callable
from datetime import datetime

from bazar.frontend.domain.account_care import Deed, JournalLine, LastAdmin
from bazar.frontend.domain.accounts import Account, EmailAddress, Person, Role, SignInKind, WrongCredentials, read_name
from bazar.frontend.domain.passwords import check_strength, normalised
from bazar.frontend.use_cases.account_ports import AccountStore, Hasher
from bazar.frontend.use_cases.accounts import SignedIn, start_sign_in
from bazar.frontend.use_cases.password_proof import PasswordProof


class OwnAccount:
    """The account of whoever is signed in. ``clock`` gives the time in UTC."""

    def __init__(
        self, store: AccountStore, hasher: Hasher, clock: Callable[[], datetime], proof: PasswordProof
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock
        self._proof = proof

    def facts(self, person: Person) -> Account:
        """All that is kept of the person; raises WrongCredentials where the account is gone."""
        with self._store.reading() as tx:
            account = tx.find_by_id(person.account_id)
        if account is None:
            raise WrongCredentials
        return account

    def change_password(self, person: Person, old: str, new: str, client_address: str) -> SignedIn:
        """Another password; all sign-ins end, and the session that is given back begins.

        Raises WrongCredentials, WeakPassword, TooManyTries, TooBusy.
        """
        check_strength(new, (person.name, person.email))
        proven = self._proof.prove(EmailAddress.read(person.email), old, client_address)
        password_hash = self._hasher.hash(normalised(new))
        with self._store.writing() as tx:
            account = self._proof.confirm(tx, proven)
            tx.change_password_hash(account.account_id, password_hash)
            tx.end_sign_ins_of(account.account_id)
            return start_sign_in(tx, person, SignInKind.SESSION, self._clock())

    def change_name(self, person: Person, name: str) -> None:
        """Another name; raises InvalidField."""
        checked = read_name(name)
        with self._store.writing() as tx:
            tx.change_name(person.account_id, checked)

    def delete(self, person: Person, password: str, client_address: str) -> None:
        """The account ends with its sign-ins and basket; orders stay under a number that is nobody's any more.

        Raises WrongCredentials, LastAdmin, TooManyTries, TooBusy.
        """
        proven = self._proof.prove(EmailAddress.read(person.email), password, client_address)
        with self._store.writing() as tx:
            # Before the account: whoever takes an admin away waits here, and holds nothing yet.
            admins = tx.admins() if person.role is Role.ADMIN else 0
            account = self._proof.confirm(tx, proven)
            if account.role is Role.ADMIN and admins <= 1:
                raise LastAdmin
            tx.delete(account.account_id)
            tx.journal.write(
                JournalLine(self._clock(), account.account_id, account.account_id, Deed.DELETED, account.role)
            )
