"""Register, sign in and out, and the first admin: on a real database."""

from datetime import datetime, timedelta
from typing import Protocol

import argon2
import pytest
import sqlalchemy as sa

from bazar.chassis.database import Database
from bazar.frontend.domain.accounts import (
    SIGN_IN_LIFETIME,
    AccountExists,
    EmailAddress,
    InvalidField,
    Role,
    SignInKind,
    WrongCredentials,
)
from bazar.frontend.domain.passwords import WeakPassword, check_strength
from bazar.frontend.storage.accounts import SqlAccountStore
from bazar.frontend.storage.schema import accounts as accounts_table
from bazar.frontend.storage.schema import sign_ins
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.tries import Limits

TOKEN, SESSION = SignInKind.TOKEN, SignInKind.SESSION
EMAIL, PASSWORD, WRONG = "ann@example.org", "violet tables dance", "violet tables sing"
HOME = "192.0.2.7"


class MovableClock(Protocol):
    """The clock of the fixture."""

    now: datetime

    def __call__(self) -> datetime: ...


@pytest.fixture
def accounts(accounts: Accounts, work: list[str]) -> Accounts:
    """The shop without limits, and Ann in it."""
    accounts.register(EMAIL, PASSWORD, "Ann Lee", HOME)
    work.clear()
    return accounts


def rows(database: Database, table: sa.Table) -> int:
    with database.reading() as connection:
        count: int = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        return count


def test_who_registers_can_sign_in_and_is_known_by_the_secret(accounts: Accounts) -> None:
    signed_in = accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME)
    person = accounts.who_is(signed_in.secret, TOKEN)
    assert person == signed_in.person
    assert person is not None
    assert (person.email, person.name, person.role) == (EMAIL, "Ann Lee", Role.CUSTOMER)


def test_the_address_is_matched_without_case_and_the_password_by_its_characters(accounts: Accounts) -> None:
    accounts.register("cafe@example.org", "a caf\u00e9 with no chairs", "", HOME)
    accounts.sign_in("CAFE@Example.ORG", "a cafe\u0301 with no chairs", TOKEN, HOME)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, WRONG),
        (EMAIL, ""),
        (EMAIL, PASSWORD.upper()),
        ("ben@example.org", PASSWORD),
        (EMAIL, "\ud800"),
    ],
)
def test_a_wrong_password_and_an_unknown_address_are_one_error_after_the_same_work(
    accounts: Accounts, work: list[str], email: str, password: str
) -> None:
    with pytest.raises(WrongCredentials):
        accounts.sign_in(email, password, TOKEN, HOME)
    assert work == ["verify"]


def test_registering_a_taken_address_answers_and_works_the_same_and_changes_nothing(
    accounts: Accounts, work: list[str]
) -> None:
    assert str(accounts.register("ben@example.org", "another long secret", "Ben", HOME)) == "ben@example.org"
    work_for_a_new_address = work.copy()
    work.clear()
    assert str(accounts.register("ANN@example.org", "another long secret", "Mallory", HOME)) == "ANN@example.org"
    assert work == work_for_a_new_address == ["hash"]
    with pytest.raises(WrongCredentials):
        accounts.sign_in(EMAIL, "another long secret", TOKEN, HOME)
    assert accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME).person.name == "Ann Lee"


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (InvalidField, ("ben", PASSWORD, "")),
        (InvalidField, ("ben@example.org", PASSWORD, "Ben\x00")),
        (WeakPassword, ("ben@example.org", "too short", "")),
        (WeakPassword, ("wolfgang@example.org", "wolfgang.example", "")),
    ],
)
def test_bad_registrations_are_refused_before_any_work(
    accounts: Accounts, work: list[str], error: type[Exception], asked: tuple[str, str, str]
) -> None:
    with pytest.raises(error):
        accounts.register(*asked, HOME)
    assert work == []


def test_account_ids_are_long_random_and_never_the_same(accounts: Accounts) -> None:
    ids = {accounts.create_account(f"p{n}@example.org", PASSWORD, Role.CUSTOMER).account_id for n in range(20)}
    assert len(ids) == 20
    assert all(len(account_id) == 26 and account_id.isalnum() for account_id in ids)


def test_secrets_are_kept_only_as_hashes(accounts: Accounts, frontend_database: Database) -> None:
    secret = accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME).secret
    with frontend_database.reading() as connection:
        stored = [connection.execute(sa.select(table)).all() for table in (sign_ins, accounts_table)]
    assert len(secret) == 43
    assert secret not in str(stored)
    assert PASSWORD not in str(stored)


@pytest.mark.parametrize(("kind", "other"), [(TOKEN, SESSION), (SESSION, TOKEN)])
def test_a_secret_of_one_kind_opens_and_ends_nothing_of_the_other(
    accounts: Accounts, kind: SignInKind, other: SignInKind
) -> None:
    secret = accounts.sign_in(EMAIL, PASSWORD, kind, HOME).secret
    assert accounts.who_is(secret, other) is None
    accounts.sign_out(secret, other)
    assert accounts.who_is(secret, kind) is not None


def test_signing_out_ends_this_sign_in_and_no_other(accounts: Accounts) -> None:
    here, there = (accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME).secret for _ in range(2))
    accounts.sign_out(here, TOKEN)
    accounts.sign_out(here, TOKEN)
    assert accounts.who_is(here, TOKEN) is None
    assert accounts.who_is(there, TOKEN) is not None


def test_a_sign_in_ends_by_itself_and_is_swept_at_a_later_one(
    accounts: Accounts, clock: MovableClock, frontend_database: Database
) -> None:
    signed_in = accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME)
    assert signed_in.expires_at == clock.now + SIGN_IN_LIFETIME
    clock.now = signed_in.expires_at - timedelta(seconds=1)
    assert accounts.who_is(signed_in.secret, TOKEN) is not None
    clock.now = signed_in.expires_at
    assert accounts.who_is(signed_in.secret, TOKEN) is None
    accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME)
    assert rows(frontend_database, sign_ins) == 1


@pytest.mark.parametrize("secret", ["", "x", "\x00", "\ud800", "x" * 100_000])
def test_what_is_no_secret_opens_nothing(accounts: Accounts, secret: str) -> None:
    assert accounts.who_is(secret, TOKEN) is None
    accounts.sign_out(secret, TOKEN)


def test_a_hash_of_older_parameters_is_renewed_at_sign_in(
    accounts: Accounts, store: SqlAccountStore, clock: MovableClock
) -> None:
    stronger = PasswordHasher(argon2id=argon2.PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    Accounts(store, stronger, clock, Limits(0, 0, 0)).sign_in(EMAIL, PASSWORD, TOKEN, HOME)
    with store.reading() as tx:
        account = tx.find(EmailAddress.read(EMAIL))
    assert account is not None
    assert "t=2" in account.password_hash
    accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME)


def test_the_operator_makes_people_of_any_role_under_the_same_rules(accounts: Accounts) -> None:
    person = accounts.create_account("staff@localhost", "another long secret", Role.STAFF, "Bea")
    assert accounts.sign_in("staff@localhost", "another long secret", TOKEN, HOME).person == person
    assert person.role is Role.STAFF
    with pytest.raises(AccountExists):
        accounts.create_account(EMAIL.upper(), "another long secret", Role.ADMIN)
    with pytest.raises(WeakPassword):
        accounts.create_account("ben@example.org", "short", Role.STAFF)


def test_a_new_shop_gets_one_admin_whose_password_is_told_once(accounts: Accounts) -> None:
    admin = accounts.ensure_first_admin()
    assert admin is not None
    check_strength(admin.password)
    assert admin.password not in repr(admin)
    assert accounts.sign_in(admin.email, admin.password, TOKEN, HOME).person.role is Role.ADMIN
    assert accounts.ensure_first_admin() is None


def test_a_shop_with_an_admin_of_another_address_gets_none(accounts: Accounts) -> None:
    accounts.create_account("boss@example.org", PASSWORD, Role.ADMIN)
    assert accounts.ensure_first_admin() is None


def test_a_customer_who_has_the_admins_address_does_not_become_admin(accounts: Accounts) -> None:
    with pytest.raises(AccountExists):
        accounts.ensure_first_admin(EMAIL)


def test_the_journal_learns_addresses_by_account_id(accounts: Accounts) -> None:
    ann = accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME).person
    assert accounts.names_of([ann.account_id, "catalogue import"]) == {ann.account_id: EMAIL}
    assert accounts.names_of([]) == {}
