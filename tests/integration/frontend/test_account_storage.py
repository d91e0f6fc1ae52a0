"""What the store of accounts promises, on every database that the shop runs on."""

import shutil
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import bazar.frontend.migrations
from bazar.chassis.database import Database, beginning
from bazar.chassis.migrations import migrate
from bazar.frontend.domain.accounts import Account, EmailAddress, Role, SignIn, SignInKind
from bazar.frontend.storage.accounts import _PEOPLE_BEGINNING_WITH, MOST_SWEPT, SqlAccountStore
from bazar.frontend.storage.schema import metadata, sign_ins, tries

NOW = datetime(2026, 3, 14, 15, 9, 26, 535_897, UTC)
MINUTE = NOW.replace(second=0, microsecond=0)
WEEK = timedelta(days=7)
_OLD_ACCOUNT = sa.text(
    "INSERT INTO accounts (account_id, email, email_key, name, role, password_hash, created_at) "
    "VALUES ('old', 'old@example.org', 'old@example.org', :name, 'customer', 'a hash', 0)"
)


class MishapError(Exception):
    """Something goes wrong inside a transaction."""


def an_account(email: str = "Ann@Example.org", account_id: str = "ann", role: Role = Role.CUSTOMER) -> Account:
    return Account(account_id, EmailAddress.read(email), "Ann Lee", role, "a hash", NOW)


def a_sign_in(secret_hash: str, kind: SignInKind = SignInKind.TOKEN, ends: datetime = NOW + WEEK) -> SignIn:
    return SignIn(secret_hash, kind, "ann", NOW, ends)


def rows(database: Database, table: sa.Table) -> int:
    with database.reading() as connection:
        count: int = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        return count


def test_the_migrations_make_the_schema_that_the_code_uses(frontend_database: Database) -> None:
    with frontend_database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_two_processes_that_start_together_migrate_once(new_database: Callable[[], Database]) -> None:
    database = new_database()
    folder = Path(bazar.frontend.migrations.__file__).parent
    barrier = threading.Barrier(2)

    def start() -> None:
        barrier.wait()
        migrate(database, folder)

    with ThreadPoolExecutor(2) as threads:
        for started in [threads.submit(start), threads.submit(start)]:
            started.result()
    assert rows(database, sign_ins) == 0


def test_an_account_is_found_as_it_was_stored_by_any_spelling(store: SqlAccountStore) -> None:
    with store.writing() as tx:
        assert tx.add(an_account())
    with store.reading() as tx:
        assert tx.find(EmailAddress.read("ANN@example.ORG")) == an_account()
        assert tx.find(EmailAddress.read("ben@example.org")) is None


def test_a_second_account_of_an_address_is_refused_and_the_first_stays(store: SqlAccountStore) -> None:
    with store.writing() as tx:
        assert tx.add(an_account())
    with store.writing() as tx:
        assert not tx.add(an_account("ann@EXAMPLE.org", "another", Role.ADMIN))
    with store.reading() as tx:
        assert tx.find(EmailAddress.read("ann@example.org")) == an_account()


def test_roles_that_somebody_has_are_known(store: SqlAccountStore) -> None:
    with store.writing() as tx:
        tx.add(an_account(role=Role.STAFF))
    with store.reading() as tx:
        assert tx.has_account_of(Role.STAFF)
        assert not tx.has_account_of(Role.ADMIN)


def test_a_password_hash_is_changed_for_one_account_only(store: SqlAccountStore) -> None:
    with store.writing() as tx:
        tx.add(an_account())
        tx.add(an_account("ben@example.org", "ben"))
        tx.change_password_hash("ann", "a stronger hash")
    with store.reading() as tx:
        found = [tx.find(EmailAddress.read(email)) for email in ("ann@example.org", "ben@example.org")]
    assert [account and account.password_hash for account in found] == ["a stronger hash", "a hash"]


def test_addresses_are_told_by_account_id_and_unknown_ids_are_left_out(store: SqlAccountStore) -> None:
    with store.writing() as tx:
        tx.add(an_account())
        tx.add(an_account("ben@example.org", "ben"))
    with store.reading() as tx:
        assert tx.emails({"ann", "nobody"}) == {"ann": "Ann@Example.org"}
        assert tx.emails(()) == {}


def test_a_sign_in_names_its_person_until_it_ends(store: SqlAccountStore) -> None:
    ends = NOW + WEEK
    with store.writing() as tx:
        tx.add(an_account())
        tx.add_sign_in(a_sign_in("hash", ends=ends))
    assert store.person_signed_in("hash", SignInKind.TOKEN, NOW) == an_account().person
    assert store.person_signed_in("hash", SignInKind.TOKEN, ends - timedelta(microseconds=1)) is not None
    assert store.person_signed_in("hash", SignInKind.TOKEN, ends) is None
    assert store.person_signed_in("another hash", SignInKind.TOKEN, NOW) is None


def test_a_sign_in_of_one_kind_is_none_of_the_other(store: SqlAccountStore) -> None:
    with store.writing() as tx:
        tx.add(an_account())
        tx.add_sign_in(a_sign_in("hash", kind=SignInKind.SESSION))
        tx.end_sign_in("hash", SignInKind.TOKEN)
    assert store.person_signed_in("hash", SignInKind.TOKEN, NOW) is None
    assert store.person_signed_in("hash", SignInKind.SESSION, NOW) is not None


def test_a_sign_in_that_is_ended_is_gone_and_may_be_ended_again(store: SqlAccountStore) -> None:
    with store.writing() as tx:
        tx.add(an_account())
        tx.add_sign_in(a_sign_in("one"))
        tx.add_sign_in(a_sign_in("two"))
    for _ in range(2):
        with store.writing() as tx:
            tx.end_sign_in("one", SignInKind.TOKEN)
    assert store.person_signed_in("one", SignInKind.TOKEN, NOW) is None
    assert store.person_signed_in("two", SignInKind.TOKEN, NOW) is not None


def test_a_sign_in_belongs_to_an_account(store: SqlAccountStore) -> None:
    with pytest.raises(sa.exc.IntegrityError), store.writing() as tx:
        tx.add_sign_in(a_sign_in("hash"))


def test_a_sweep_takes_a_bounded_number_of_ended_sign_ins_and_no_other(
    store: SqlAccountStore, frontend_database: Database
) -> None:
    with store.writing() as tx:
        tx.add(an_account())
        tx.add_sign_in(a_sign_in("lasts"))
        for number in range(MOST_SWEPT + 5):
            tx.add_sign_in(a_sign_in(f"ended {number}", ends=NOW))
    with store.writing() as tx:
        tx.sweep_sign_ins(NOW)
    assert rows(frontend_database, sign_ins) == 1 + 5
    with store.writing() as tx:
        tx.sweep_sign_ins(NOW)
    assert rows(frontend_database, sign_ins) == 1


def test_tries_are_counted_up_to_the_most_in_each_window_and_bucket(store: SqlAccountStore) -> None:
    with store.writing() as tx:
        assert [tx.count_try("ann", MINUTE, 2) for _ in range(4)] == [True, True, False, False]
        assert tx.count_try("ben", MINUTE, 2)
        assert tx.count_try("ann", MINUTE + timedelta(minutes=1), 2)


def test_a_try_that_is_taken_back_leaves_room_for_one_more(store: SqlAccountStore) -> None:
    with store.writing() as tx:
        assert tx.count_try("ann", MINUTE, 1)
        tx.take_back_try("ann", MINUTE)
        tx.take_back_try("ann", MINUTE)
        tx.take_back_try("nobody", MINUTE)
        assert [tx.count_try("ann", MINUTE, 1) for _ in range(2)] == [True, False]


def test_a_sweep_takes_a_bounded_number_of_old_windows_and_no_other(
    store: SqlAccountStore, frontend_database: Database
) -> None:
    with store.writing() as tx:
        for number in range(MOST_SWEPT + 5):
            tx.count_try(f"old {number}", MINUTE - timedelta(minutes=2), 1)
        tx.count_try("ann", MINUTE, 1)
        tx.sweep_tries(before=MINUTE)
    assert rows(frontend_database, tries) == 1 + 5
    with store.writing() as tx:
        tx.sweep_tries(before=MINUTE)
        assert not tx.count_try("ann", MINUTE, 1)
    assert rows(frontend_database, tries) == 1


def test_an_error_undoes_all_of_a_transaction(store: SqlAccountStore) -> None:
    def add_and_fail() -> None:
        with store.writing() as tx:
            tx.add(an_account())
            raise MishapError

    with pytest.raises(MishapError):
        add_and_fail()
    with store.reading() as tx:
        assert tx.find(EmailAddress.read("ann@example.org")) is None


def test_writers_at_the_same_time_add_one_account_and_count_every_try(store: SqlAccountStore) -> None:
    barrier = threading.Barrier(8)

    def write(number: int) -> tuple[bool, bool]:
        barrier.wait()
        with store.writing() as tx:
            return tx.add(an_account(account_id=f"id {number}")), tx.count_try("ann", MINUTE, 5)

    with ThreadPoolExecutor(8) as threads:
        added, counted = zip(*threads.map(write, range(8)), strict=True)
    assert Counter(added) == {True: 1, False: 7}
    assert Counter(counted) == {True: 5, False: 3}


def test_people_are_found_by_how_their_address_or_name_begins(store: SqlAccountStore) -> None:
    people = {
        "a.b@x.org": "Élan Lee",
        "a-b@x.org": "Bo",
        "ab@x.org": "",
        "ba@x.org": "a.b@x.org",
        "dz@x.org": "D'Arc  Lee-Ödön Lo",
    }
    with store.writing() as tx:
        for email, name in people.items():
            tx.add(replace(an_account(email, email[:2]), name=name))
        tx.add(an_account("cy@x.org", "cy"))
        tx.change_name("cy", "Émile")
    expected = {
        "a": ["a-b@x.org", "a.b@x.org", "ab@x.org", "ba@x.org"],
        "a.b": ["a.b@x.org", "ba@x.org"],
        "ab": ["ab@x.org"],
        "é": ["a.b@x.org", "cy@x.org"],
        "bo": ["a-b@x.org"],
        "le": ["dz@x.org", "a.b@x.org"],
        "lee-ö": ["dz@x.org"],
        "öd": ["dz@x.org"],
        "lo": ["dz@x.org"],
        "ee": [],
        "%": [],
        "_b": [],
    }
    with store.reading() as tx:
        for start, found in expected.items():
            assert [one.email for one in tx.people_beginning_with(start, 10)] == found, start
        assert len(tx.people_beginning_with("a", 2)) == 2
        assert {one.name for one in tx.people(["a.", "cy", "nobody"])} == {"Élan Lee", "Émile"}


def test_finding_people_looks_at_no_others(store: SqlAccountStore, frontend_database: Database) -> None:
    with store.writing() as tx:
        for number in range(2_000):
            tx.add(an_account(f"someone{number}@example.org", str(number)))
    explain = "EXPLAIN QUERY PLAN" if frontend_database.is_sqlite else "EXPLAIN"
    with frontend_database.writing() as connection:
        for table in ("accounts", "later_words"):
            connection.execute(sa.text(f"ANALYZE {table}"))
    with frontend_database.reading() as connection:
        for statement in _PEOPLE_BEGINNING_WITH[connection.dialect.name]:
            asked = {**beginning("ben"), "most": 20}
            plan = str(connection.execute(sa.text(f"{explain} {statement}"), asked).all())
            assert "_start" in plan or "accounts_email_key" in plan or "later_words" in plan, plan
            assert "SCAN later_words" not in plan, plan
            assert "Seq Scan on later_words" not in plan, plan
            assert "SCAN accounts" not in plan, plan
            assert "Seq Scan on accounts" not in plan, plan


def test_a_name_is_found_by_its_words_as_it_is_now(store: SqlAccountStore) -> None:
    with store.writing() as tx:
        tx.add(an_account())
        tx.add(replace(an_account(account_id="other"), name="Somebody Else"))  # the address is taken
        tx.change_name("ann", "Ann Brontë Lee")
        tx.change_name("nobody", "No Body")
    with store.reading() as tx:
        found = {words: len(tx.people_beginning_with(words, 10)) for words in ("bron", "lee", "bronte", "else", "body")}
        assert found == {"bron": 1, "lee": 1, "bronte": 0, "else": 0, "body": 0}
    with store.writing() as tx:
        tx.change_name("ann", "Ann")
        assert not tx.people_beginning_with("lee", 10)
        tx.change_name("ann", "Ann Lee")
        tx.delete("ann")
    with store.reading() as tx:
        assert not tx.people_beginning_with("lee", 10)


def test_names_of_before_are_found_too(new_database: Callable[[], Database], tmp_path: Path) -> None:
    database, migrations, before = new_database(), Path(bazar.frontend.migrations.__path__[0]), tmp_path / "before"
    shutil.copytree(migrations, before, ignore=shutil.ignore_patterns("000[4-9]*", "__pycache__"))
    migrate(database, before)
    with database.writing() as connection:
        connection.execute(_OLD_ACCOUNT, {"name": "Élan Lee-Lopez"})
    migrate(database, migrations)
    with SqlAccountStore(database).reading() as tx:
        for words in ("él", "lee", "lopez"):
            assert [one.name for one in tx.people_beginning_with(words, 10)] == ["Élan Lee-Lopez"]
        assert not tx.people_beginning_with("opez", 10)
