"""What the use cases of accounts need: a store, and something that hashes passwords."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bazar.frontend.domain.accounts import Account, EmailAddress, Person, Role, SignIn, SignInKind


class AccountRecords(Protocol):
    """Accounts, sign-ins and counted tries inside one transaction."""

    def add(self, account: Account) -> bool:
        """Store an account; False, and nothing changed, where its address has one."""
        ...

    def find(self, email: EmailAddress) -> Account | None: ...

    def has_account_of(self, role: Role) -> bool: ...

    def change_password_hash(self, account_id: str, password_hash: str) -> None: ...

    def emails(self, account_ids: Collection[str]) -> Mapping[str, str]:
        """Addresses by account id; unknown ids are left out."""
        ...

    def add_sign_in(self, sign_in: SignIn) -> None: ...

    def person_signed_in(self, secret_hash: str, kind: SignInKind, now: datetime) -> Person | None:
        """Whose sign-in this is; None where there is none of this kind, or it has ended."""
        ...

    def end_sign_in(self, secret_hash: str, kind: SignInKind) -> None: ...

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
