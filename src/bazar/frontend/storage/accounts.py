"""Accounts, sign-ins and counted tries in SQL."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.chassis.database import Database, beginning, begins_with, for_update, one_at_a_time
from bazar.contracts.times import from_microseconds, microseconds
from bazar.frontend.domain.accounts import (
    Account,
    EmailAddress,
    Person,
    Role,
    SignIn,
    SignInKind,
    key_of_name,
    later_words_of_name,
)
from bazar.frontend.storage.account_journal import SqlAccountJournal
from bazar.frontend.storage.one_time_secrets import SqlOneTimeSecrets
from bazar.frontend.storage.schema import accounts, later_words, second_factors, sign_ins, tries
from bazar.frontend.storage.second_factors import SqlSecondFactors

#: Rows that one sweep deletes at most, so that no sign-in pays for all that came before it.
MOST_SWEPT = 100

# ON CONFLICT is the same in SQLite and PostgreSQL but no part of SQLAlchemy's common language.
# A taken address is written back as it is: were nothing written, the commit would be faster by a disk flush and
# tell which addresses have accounts.
_ADD_ACCOUNT = sa.text(
    "INSERT INTO accounts (account_id, email, email_key, name, name_key, role, password_hash, created_at) "
    "VALUES (:account_id, :email, :email_key, :name, :name_key, :role, :password_hash, :created_at) "
    "ON CONFLICT (email_key) DO UPDATE SET email_key = accounts.email_key RETURNING account_id"
)
_COUNT_TRY = sa.text(
    "INSERT INTO tries (bucket, window_start, tries) VALUES (:bucket, :window_start, 1) "
    "ON CONFLICT (bucket, window_start) DO UPDATE SET tries = tries.tries + 1 WHERE tries.tries < :most "
    "RETURNING tries"
)
# Nothing where the account is not there: because its address was taken, which must cost as much as if it was not.
_ADD_LATER_WORDS = sa.text(
    "INSERT INTO later_words (account_id, words) SELECT account_id, :words FROM accounts WHERE account_id = :account_id"
)
_REMOVE_LATER_WORDS = sa.delete(later_words).where(later_words.c.account_id == sa.bindparam("of_account"))
_FIND_ACCOUNT = sa.select(accounts).where(accounts.c.email_key == sa.bindparam("email_key"))
_FIND_ACCOUNT_BY_ID = sa.select(accounts).where(accounts.c.account_id == sa.bindparam("account_id"))
_FIND_ROLE = sa.select(accounts.c.account_id).where(accounts.c.role == sa.bindparam("role")).limit(1)
_FIND_EMAILS = sa.select(accounts.c.account_id, accounts.c.email).where(
    accounts.c.account_id.in_(sa.bindparam("account_ids", expanding=True))
)
_CHANGE_PASSWORD_HASH = (
    sa.update(accounts)
    .where(accounts.c.account_id == sa.bindparam("of_account"))
    .values(password_hash=sa.bindparam("new_hash"))
)
_CHANGE_NAME = (
    sa.update(accounts)
    .where(accounts.c.account_id == sa.bindparam("of_account"))
    .values(name=sa.bindparam("new_name"), name_key=sa.bindparam("new_key"))
)
_CHANGE_ROLE = (
    sa.update(accounts).where(accounts.c.account_id == sa.bindparam("of_account")).values(role=sa.bindparam("new_role"))
)
_DELETE_ACCOUNT = sa.delete(accounts).where(accounts.c.account_id == sa.bindparam("of_account"))
_COUNT_ROLE = sa.select(sa.func.count()).select_from(accounts).where(accounts.c.role == sa.bindparam("role"))
_HAS_FACTOR = sa.func.coalesce(second_factors.c.is_on, sa.false()).label("has_second_factor")
_PERSON = sa.select(accounts.c.account_id, accounts.c.email, accounts.c.name, accounts.c.role, _HAS_FACTOR)
_STAFF = (
    _PERSON.select_from(accounts.outerjoin(second_factors))
    .where(accounts.c.role != Role.CUSTOMER.value)
    .order_by(accounts.c.role, accounts.c.email_key)
    .limit(sa.bindparam("most"))
)
_PEOPLE = _PERSON.select_from(accounts.outerjoin(second_factors)).where(
    accounts.c.account_id.in_(sa.bindparam("account_ids", expanding=True))
)
#: Three questions, each answered by an index; by the dialect's name.
_PEOPLE_BEGINNING_WITH = {
    dialect: [
        *(
            _PERSON.select_from(accounts.outerjoin(second_factors))
            .where(begins_with(column)[dialect])
            .order_by(column)
            .limit(sa.bindparam("most"))
            for column in (accounts.c.email_key, accounts.c.name_key)
        ),
        # As a question inside one: SQLite would join the other way around and look at all accounts.
        _PERSON.select_from(accounts.outerjoin(second_factors))
        .where(
            accounts.c.account_id.in_(
                sa.select(later_words.c.account_id)
                .where(begins_with(later_words.c.words)[dialect])
                .order_by(later_words.c.words)
                .limit(sa.bindparam("most"))
            )
        )
        .order_by(accounts.c.name_key, accounts.c.email_key),
    ]
    for dialect in ("sqlite", "postgresql")
}
_PERSON_OF = _PERSON.select_from(accounts.outerjoin(second_factors)).where(
    accounts.c.account_id == sa.bindparam("account_id")
)
_ADD_SIGN_IN = sa.insert(sign_ins)
_PERSON_SIGNED_IN = _PERSON.select_from(sign_ins.join(accounts).outerjoin(second_factors)).where(
    sign_ins.c.secret_hash == sa.bindparam("secret_hash"),
    sign_ins.c.kind == sa.bindparam("kind"),
    sign_ins.c.expires_at > sa.bindparam("now"),
)
_END_SIGN_IN = sa.delete(sign_ins).where(
    sign_ins.c.secret_hash == sa.bindparam("secret_hash"), sign_ins.c.kind == sa.bindparam("kind")
)
_END_SIGN_INS_OF = sa.delete(sign_ins).where(sign_ins.c.account_id == sa.bindparam("of_account"))
# Rows that another sweep has locked are its affair: waiting for them in another order could deadlock.
# SQLite has one writer and leaves FOR UPDATE out.
_SWEEP_SIGN_INS = sa.delete(sign_ins).where(
    sign_ins.c.secret_hash.in_(
        sa.select(sign_ins.c.secret_hash)
        .where(sign_ins.c.expires_at <= sa.bindparam("now"))
        .order_by(sign_ins.c.expires_at)
        .limit(MOST_SWEPT)
        .with_for_update(skip_locked=True)
    )
)
_SWEEP_TRIES = sa.delete(tries).where(
    sa.tuple_(tries.c.bucket, tries.c.window_start).in_(
        sa.select(tries.c.bucket, tries.c.window_start)
        .where(tries.c.window_start < sa.bindparam("before"))
        .order_by(tries.c.window_start)
        .limit(MOST_SWEPT)
        .with_for_update(skip_locked=True)
    )
)
_TAKE_BACK_TRY = (
    sa.update(tries)
    .where(
        tries.c.bucket == sa.bindparam("of_bucket"),
        tries.c.window_start == sa.bindparam("of_window"),
        tries.c.tries > 0,
    )
    .values(tries=tries.c.tries - 1)
)


class SqlAccountStore:
    """Transactions over accounts, sign-ins and tries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def reading(self) -> Iterator["SqlAccountRecords"]:
        """Raises StorageUnavailable, as all here do."""
        with self._database.reading() as connection:
            yield SqlAccountRecords(connection)

    def person_signed_in(self, secret_hash: str, kind: SignInKind, now: datetime) -> Person | None:
        """Whose sign-in this is, if it has not ended."""
        asked = {"secret_hash": secret_hash, "kind": kind.value, "now": microseconds(now)}
        found = self._database.glance(_PERSON_SIGNED_IN, asked)
        return _person(found[0]) if found else None

    @contextmanager
    def writing(self) -> Iterator["SqlAccountRecords"]:
        """Durable when the block ends, undone by any error."""
        with self._database.writing() as connection:
            yield SqlAccountRecords(connection)


class SqlAccountRecords:
    """The records inside one transaction; see the port for what the methods promise."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.second_factors = SqlSecondFactors(connection)
        self.one_time_secrets = SqlOneTimeSecrets(connection)
        self.journal = SqlAccountJournal(connection)

    def add(self, account: Account) -> bool:
        """False where the address has an account."""
        owner = self._connection.execute(
            _ADD_ACCOUNT,
            {
                "account_id": account.account_id,
                "email": account.email.text,
                "email_key": account.email.key,
                "name": account.name,
                "name_key": key_of_name(account.name),
                "role": account.role.value,
                "password_hash": account.password_hash,
                "created_at": microseconds(account.created_at),
            },
        ).scalar_one()
        self._add_later_words(account.account_id, account.name)
        return bool(owner == account.account_id)

    def find(self, email: EmailAddress) -> Account | None:
        """The account of an address, however it is capitalised."""
        row = self._connection.execute(_FIND_ACCOUNT, {"email_key": email.key}).one_or_none()
        return None if row is None else _account(row)

    def find_to_change(self, account_id: str) -> Account | None:
        """The account, locked until the transaction ends."""
        found = self._connection.execute(
            for_update(_FIND_ACCOUNT_BY_ID, self._connection), {"account_id": account_id}
        ).one_or_none()
        return None if found is None else _account(found)

    def find_by_id(self, account_id: str) -> Account | None:
        """The account as it is."""
        found = self._connection.execute(_FIND_ACCOUNT_BY_ID, {"account_id": account_id}).one_or_none()
        return None if found is None else _account(found)

    def person(self, account_id: str) -> Person | None:
        """What others may know of the account."""
        row = self._connection.execute(_PERSON_OF, {"account_id": account_id}).one_or_none()
        return None if row is None else _person(row)

    def staff(self, most: int) -> Sequence[Person]:
        """All who are more than customers."""
        return [_person(row) for row in self._connection.execute(_STAFF, {"most": most})]

    def admins(self) -> int:
        """How many there are; nobody else changes that before the transaction ends."""
        one_at_a_time(self._connection, "admins")
        return int(self._connection.execute(_COUNT_ROLE, {"role": Role.ADMIN.value}).scalar_one())

    def has_account_of(self, role: Role) -> bool:
        """Whether anybody has this role."""
        return self._connection.execute(_FIND_ROLE, {"role": role.value}).first() is not None

    def change_password_hash(self, account_id: str, password_hash: str) -> None:
        """Replace the hash."""
        self._connection.execute(_CHANGE_PASSWORD_HASH, {"of_account": account_id, "new_hash": password_hash})

    def change_name(self, account_id: str, name: str) -> None:
        """Replace the name."""
        self._connection.execute(
            _CHANGE_NAME, {"of_account": account_id, "new_name": name, "new_key": key_of_name(name)}
        )
        self._connection.execute(_REMOVE_LATER_WORDS, {"of_account": account_id})
        self._add_later_words(account_id, name)

    def change_role(self, account_id: str, role: Role) -> None:
        """Replace the role."""
        self._connection.execute(_CHANGE_ROLE, {"of_account": account_id, "new_role": role.value})

    def delete(self, account_id: str) -> None:
        """Delete the account; what hangs on it goes along."""
        self.end_sign_ins_of(account_id)
        self._connection.execute(_DELETE_ACCOUNT, {"of_account": account_id})

    def emails(self, account_ids: Collection[str]) -> Mapping[str, str]:
        """Addresses by account id."""
        rows = self._connection.execute(_FIND_EMAILS, {"account_ids": list(account_ids)})
        return {row.account_id: row.email for row in rows}

    def people(self, account_ids: Collection[str]) -> Sequence[Person]:
        """Of these accounts, those that there are."""
        rows = self._connection.execute(_PEOPLE, {"account_ids": list(account_ids)})
        return [_person(row) for row in rows]

    def people_beginning_with(self, start: str, most: int) -> Sequence[Person]:
        """By address first, then by name, then by the words in it; nobody twice."""
        found = [
            _person(row)
            for statement in _PEOPLE_BEGINNING_WITH[self._connection.dialect.name]
            for row in self._connection.execute(statement, {**beginning(start), "most": most})
        ]
        return list({one.account_id: one for one in found}.values())[:most]

    def _add_later_words(self, account_id: str, name: str) -> None:
        rows = [{"account_id": account_id, "words": words} for words in later_words_of_name(name)]
        if rows:
            self._connection.execute(_ADD_LATER_WORDS, rows)

    def add_sign_in(self, sign_in: SignIn) -> None:
        """Store a sign-in."""
        self._connection.execute(
            _ADD_SIGN_IN,
            {
                "secret_hash": sign_in.secret_hash,
                "kind": sign_in.kind.value,
                "account_id": sign_in.account_id,
                "created_at": microseconds(sign_in.created_at),
                "expires_at": microseconds(sign_in.expires_at),
            },
        )

    def end_sign_in(self, secret_hash: str, kind: SignInKind) -> None:
        """Delete a sign-in."""
        self._connection.execute(_END_SIGN_IN, {"secret_hash": secret_hash, "kind": kind.value})

    def end_sign_ins_of(self, account_id: str) -> None:
        """Delete those of the account, and its secrets that work once."""
        self.one_time_secrets.remove_those_of(account_id)
        self._connection.execute(_END_SIGN_INS_OF, {"of_account": account_id})

    def end_all_sign_ins(self) -> None:
        """Delete all of them, and all secrets that work once."""
        self.one_time_secrets.remove_all()
        self._connection.execute(sa.delete(sign_ins))

    def sweep_sign_ins(self, now: datetime) -> None:
        """Delete up to MOST_SWEPT that have ended."""
        self._connection.execute(_SWEEP_SIGN_INS, {"now": microseconds(now)})

    def count_try(self, bucket: str, window_start: datetime, most: int) -> bool:
        """False where the window is full."""
        counted = self._connection.execute(
            _COUNT_TRY, {"bucket": bucket, "window_start": microseconds(window_start), "most": most}
        )
        return counted.first() is not None

    def take_back_try(self, bucket: str, window_start: datetime) -> None:
        """Count one try less."""
        self._connection.execute(_TAKE_BACK_TRY, {"of_bucket": bucket, "of_window": microseconds(window_start)})

    def sweep_tries(self, before: datetime) -> None:
        """Delete up to MOST_SWEPT old windows."""
        self._connection.execute(_SWEEP_TRIES, {"before": microseconds(before)})


def _person(row: Any) -> Person:
    return Person(row.account_id, row.email, row.name, Role(row.role), bool(row.has_second_factor))


def _account(row: Any) -> Account:
    return Account(
        row.account_id,
        EmailAddress(row.email, row.email_key),
        row.name,
        Role(row.role),
        row.password_hash,
        from_microseconds(row.created_at),
    )
