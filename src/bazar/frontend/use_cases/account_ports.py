"""What the use cases of accounts need: a store, and something that hashes passwords."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bazar.frontend.domain.account_care import JournalLine, OneTimeSecret, Purpose
from bazar.frontend.domain.accounts import Account, EmailAddress, Person, Role, SignIn, SignInKind
from bazar.frontend.domain.second_factor import SecondFactor


class SecondFactors(Protocol):
    """Second factors and recovery codes; who changes them holds the account by ``find_to_change``."""

    def find(self, account_id: str) -> SecondFactor | None: ...

    def begin(self, account_id: str, factor: SecondFactor) -> None:
        """One that is off, instead of another that is off; one that is on stays."""
        ...

    def switch_on(self, account_id: str, step: int) -> bool:
        """Whether one was there to be switched on by the code of this step, which is used up."""
        ...

    def use_step(self, account_id: str, step: int) -> bool:
        """Whether no code of this or a later step was used before; from now on it is, and wrong codes are forgotten."""
        ...

    def forget_wrong_codes(self, account_id: str) -> None: ...

    def note_wrong_codes(self, account_id: str, wrong_codes: int, since: datetime) -> None: ...

    def remove(self, account_id: str) -> None:
        """With its recovery codes."""
        ...

    def set_recovery_codes(self, account_id: str, code_hashes: Collection[str]) -> None: ...

    def use_recovery_code(self, account_id: str, code_hash: str) -> bool:
        """Whether it was one that was not used before; from now on it is."""
        ...

    def recovery_codes_left(self, account_id: str) -> int: ...


class OneTimeSecrets(Protocol):
    """Secrets that work once; who adds or takes one holds the account by ``find_to_change``."""

    def add(self, secret: OneTimeSecret) -> None:
        """Store it, instead of the account's earlier ones of this purpose."""
        ...

    def account_of(self, secret_hash: str, purpose: Purpose, now: datetime) -> str | None:
        """Whose it is; None where there is none for this purpose, or its time is over."""
        ...

    def take(self, secret_hash: str) -> bool:
        """Whether it was there; from now on it is not."""
        ...

    def remove_those_of(self, account_id: str) -> None: ...

    def sweep(self, now: datetime) -> None:
        """Delete some of those whose time is over: a bounded number."""
        ...


class AccountJournal(Protocol):
    """Who did what to whose account."""

    def write(self, line: JournalLine) -> None: ...

    def page(
        self, most: int, before: int | None = None, account_id: str | None = None
    ) -> tuple[Sequence[JournalLine], int | None]:
        """The newest first, of one account or of all; and what to give as ``before`` for those that are older."""
        ...


class AccountRecords(Protocol):
    """Accounts, sign-ins and counted tries inside one transaction, and what hangs on an account."""

    @property
    def second_factors(self) -> SecondFactors: ...

    @property
    def one_time_secrets(self) -> OneTimeSecrets: ...

    @property
    def journal(self) -> AccountJournal: ...

    def add(self, account: Account) -> bool:
        """Store an account; False, and nothing changed, where its address has one."""
        ...

    def find(self, email: EmailAddress) -> Account | None: ...

    def find_by_id(self, account_id: str) -> Account | None: ...

    def find_to_change(self, account_id: str) -> Account | None:
        """The account; whoever else wants to change it waits until the transaction ends."""
        ...

    def person(self, account_id: str) -> Person | None: ...

    def staff(self, most: int) -> Sequence[Person]:
        """Who is more than a customer."""
        ...

    def admins(self) -> int:
        """How many admins there are; whoever else asks waits until the transaction ends."""
        ...

    def has_account_of(self, role: Role) -> bool: ...

    def change_password_hash(self, account_id: str, password_hash: str) -> None: ...

    def change_name(self, account_id: str, name: str) -> None: ...

    def change_role(self, account_id: str, role: Role) -> None: ...

    def delete(self, account_id: str) -> None:
        """With its sign-ins, secrets, second factor and basket; its lines in the journal stay."""
        ...

    def emails(self, account_ids: Collection[str]) -> Mapping[str, str]:
        """Addresses by account id; unknown ids are left out."""
        ...

    def people(self, account_ids: Collection[str]) -> Sequence[Person]:
        """Of these accounts, those that there are."""
        ...

    def people_beginning_with(self, start: str, most: int) -> Sequence[Person]:
        """Whose address, name or a later word of it begins so, ``start`` being without case; nobody twice."""
        ...

    def add_sign_in(self, sign_in: SignIn) -> None: ...

    def end_sign_in(self, secret_hash: str, kind: SignInKind) -> None: ...

    def end_sign_ins_of(self, account_id: str) -> None:
        """All of the account, and its secrets that work once."""
        ...

    def sweep_sign_ins(self, now: datetime) -> None:
        """Delete some of those that have ended: a bounded number."""
        ...

    def count_try(self, bucket: str, window_start: datetime, most: int) -> bool:
        """Count one more try; False, and nothing counted, where there are ``most`` in this window."""
        ...

    def take_back_try(self, bucket: str, window_start: datetime) -> None: ...

    def sweep_tries(self, before: datetime) -> None:
        """Delete some of the windows that began ``before``: a bounded number."""
        ...


class AccountStore(Protocol):
    """Transactions over the records; what is written is durable when the block ends, undone by any error."""

    def reading(self) -> AbstractContextManager[AccountRecords]: ...

    def person_signed_in(self, secret_hash: str, kind: SignInKind, now: datetime) -> Person | None:
        """Whose sign-in this is; None where there is none of this kind, or it has ended."""
        ...

    def writing(self) -> AbstractContextManager[AccountRecords]: ...


@dataclass(frozen=True)
class Verdict:
    """Whether a password is right; ``new_hash`` where a stronger hash should replace the stored one."""

    right: bool
    new_hash: str | None = None


class Hasher(Protocol):
    """Hashes passwords. Both methods raise TooBusy instead of letting a caller wait for long."""

    def hash(self, password: bytes) -> str: ...

    def verify(self, password: bytes, password_hash: str | None) -> Verdict:
        """Without a hash the answer is no, and takes as long as with one."""
        ...
