"""Links, second factors and roles on real databases: what happens at the same moment, and what a restore ends."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Protocol

import argon2
import pyotp
import pytest

from bazar.chassis.database import Database
from bazar.frontend.domain.account_care import LinkEnded, NotForOneself
from bazar.frontend.domain.accounts import Person, Role, SignInKind, TooBusy, WrongCredentials
from bazar.frontend.domain.errors import ShopError
from bazar.frontend.domain.second_factor import CodeNeeded, HalfSignInEnded, SecondFactor, WrongCode
from bazar.frontend.storage.accounts import SqlAccountRecords, SqlAccountStore
from bazar.frontend.storage.one_time_secrets import SqlOneTimeSecrets
from bazar.frontend.use_cases.account_ports import Verdict
from bazar.frontend.use_cases.lost_passwords import LostPasswords
from bazar.frontend.use_cases.password_hasher import PasswordHasher
from bazar.frontend.use_cases.people import People
from bazar.frontend.use_cases.secret_texts import hash_of_recovery_code, sha256
from bazar.frontend.use_cases.tries import Limits
from bazar.frontend.wiring import after_restore
from together import together

TOKEN, SESSION = SignInKind.TOKEN, SignInKind.SESSION
EMAIL, PASSWORD, NEW = "bea@example.org", "violet tables dance", "seven green umbrellas"
HOME = "192.0.2.7"
A_WHILE_SECONDS = 10
LONG_ENOUGH_TO_COUNT_SECONDS = 0.3
NO_LIMITS = Limits(0, 0, 0)


class MovableClock(Protocol):
    """The clock of the fixture."""

    now: datetime

    def __call__(self) -> datetime: ...


@pytest.fixture
def people(store: SqlAccountStore, hasher: PasswordHasher, clock: MovableClock) -> People:
    """The shop, and Bea of the staff in it."""
    people = People.over(store, hasher, clock, NO_LIMITS)
    people.accounts.create_account(EMAIL, PASSWORD, Role.STAFF, "Bea")
    return people


@pytest.fixture
def bea(people: People) -> Person:
    return people.staff_accounts.find(EMAIL)


@pytest.fixture
def codes(people: People, bea: Person, clock: MovableClock) -> Callable[[], str]:
    """Bea's device: the code of now. Her second factor is on since a step before."""
    people.second_factors.begin(bea)
    setting_up = people.second_factors.setting_up(bea)
    assert setting_up is not None
    totp = pyotp.TOTP(setting_up.secret)
    people.second_factors.confirm(bea, PASSWORD, totp.at(clock()), HOME)
    clock.now = clock.now.replace(second=30)
    return lambda: totp.at(clock())


def fared(*works: Callable[[], object]) -> Counter[str]:
    """By type of error, or "done", how these did at the same moment."""

    def outcome(work: Callable[[], object]) -> str:
        try:
            work()
        except ShopError as error:
            return type(error).__name__
        return "done"

    return Counter(together(*[lambda work=work: outcome(work) for work in works]))


class MeetingHasher(PasswordHasher):
    """Hashes nothing before ``crowd`` are there at once: all have seen that the link can be used."""

    def __init__(self, crowd: int) -> None:
        super().__init__(slots=64, argon2id=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self._here = threading.Barrier(crowd)

    def hash(self, password: bytes) -> str:
        self._here.wait(A_WHILE_SECONDS)
        return super().hash(password)


@pytest.fixture
def use_at_once(people: People, store: SqlAccountStore, clock: MovableClock) -> Callable[[list[str]], Counter[str]]:
    """How those fare who set these passwords by one link at the same moment."""

    def use(passwords: list[str]) -> Counter[str]:
        lost = LostPasswords(store, MeetingHasher(len(passwords)), clock)
        secret = people.lost_passwords.make_link(EMAIL, actor=None)
        return fared(*[lambda password=password: lost.use_link(secret, password) for password in passwords])

    return use


def test_a_link_used_many_times_at_once_sets_one_password(
    people: People, use_at_once: Callable[[list[str]], Counter[str]]
) -> None:
    passwords = [f"{NEW} {number}" for number in range(4)]
    assert use_at_once(passwords) == {"done": 1, "LinkEnded": 3}
    signed_in = [lambda each=each: people.accounts.sign_in(EMAIL, each, TOKEN, HOME) for each in passwords]
    assert fared(*signed_in) == {"done": 1, "WrongCredentials": 3}


def test_the_test_of_the_link_notices_one_that_all_can_take(
    monkeypatch: pytest.MonkeyPatch, use_at_once: Callable[[list[str]], Counter[str]]
) -> None:
    monkeypatch.setattr(SqlOneTimeSecrets, "take", lambda _records, _secret_hash: True)
    assert use_at_once([f"{NEW} {number}" for number in range(4)]) == {"done": 4}


def test_a_code_sent_many_times_at_once_opens_one_sign_in(people: People, codes: Callable[[], str]) -> None:
    code = codes()
    works = [lambda: people.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME, code)] * 4
    assert fared(*works) == {"done": 1, "WrongCode": 3}


def test_a_step_and_a_recovery_code_are_used_up_once_even_by_who_does_not_hold_the_account(
    store: SqlAccountStore, people: People, bea: Person, codes: Callable[[], str]
) -> None:
    assert codes()
    with store.writing() as tx:
        factor = tx.second_factors.find(bea.account_id)
        tx.second_factors.set_recovery_codes(bea.account_id, ["one", "other"])
    assert factor is not None

    def use_step() -> bool:
        with store.writing() as tx:
            return tx.second_factors.use_step(bea.account_id, factor.last_step + 1)

    def use_code() -> bool:
        with store.writing() as tx:
            return tx.second_factors.use_recovery_code(bea.account_id, "one")

    for use in (use_step, use_code):
        assert sorted(together(*[use] * 4)) == [False, False, False, True]
    with store.writing() as tx:
        assert not tx.second_factors.use_step(bea.account_id, factor.last_step)
    assert people.second_factors.recovery_codes_left(bea) == 1


def test_a_wrong_code_of_another_tab_brings_no_used_step_back(
    store: SqlAccountStore, people: People, bea: Person, codes: Callable[[], str]
) -> None:
    code = codes()
    with store.reading() as tx:
        before = tx.second_factors.find(bea.account_id)
    assert before is not None
    people.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME, code)
    with store.writing() as tx:
        tx.second_factors.note_wrong_codes(bea.account_id, 3, before.wrong_since)
        after = tx.second_factors.find(bea.account_id)
    assert after is not None
    assert (after.last_step, after.wrong_codes) == (before.last_step + 1, 3)
    with pytest.raises(WrongCode):
        people.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME, code)


def test_a_right_code_forgives_the_wrong_ones(
    store: SqlAccountStore, people: People, bea: Person, codes: Callable[[], str]
) -> None:
    def wrong_codes() -> int:
        with store.reading() as tx:
            found = tx.second_factors.find(bea.account_id)
        assert found is not None
        return found.wrong_codes

    with store.writing() as tx:
        tx.second_factors.set_recovery_codes(bea.account_id, [hash_of_recovery_code("abcd-efgh-ijkl-mnop")])
    for right in (codes(), "abcd-efgh-ijkl-mnop"):
        with pytest.raises(WrongCode):
            people.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME, "000000")
        assert wrong_codes() == 1
        people.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME, right)
        assert wrong_codes() == 0


def test_a_second_factor_that_is_on_is_not_begun_anew(
    store: SqlAccountStore, bea: Person, codes: Callable[[], str], clock: MovableClock
) -> None:
    assert codes()
    with store.writing() as tx:
        before = tx.second_factors.find(bea.account_id)
        tx.second_factors.begin(bea.account_id, SecondFactor.new(clock()))
        assert tx.second_factors.find(bea.account_id) == before
        assert not tx.second_factors.switch_on(bea.account_id, 2**40)


def test_a_second_step_finished_twice_at_once_is_one_session(people: People, codes: Callable[[], str]) -> None:
    with pytest.raises(CodeNeeded) as asked:
        people.accounts.sign_in(EMAIL, PASSWORD, SESSION, HOME)
    works = [lambda: people.accounts.finish_sign_in(asked.value.half_secret, codes())] * 4
    told = fared(*works)
    assert told["done"] == 1
    assert told["done"] + told["WrongCode"] + told["HalfSignInEnded"] == 4


class WaitForTheOther(SqlAccountRecords):
    """Whoever has counted the admins gives another the time to count them too."""

    both = threading.Barrier(2)

    def admins(self) -> int:
        counted = super().admins()
        with suppress(threading.BrokenBarrierError):  # the other waits for us, as it should
            self.both.wait(LONG_ENOUGH_TO_COUNT_SECONDS)
        return counted


class SlowStore(SqlAccountStore):
    @contextmanager
    def writing(self) -> Iterator[SqlAccountRecords]:
        with self._database.writing() as connection:
            yield WaitForTheOther(connection)


@pytest.fixture
def slow_people(frontend_database: Database, hasher: PasswordHasher, clock: MovableClock) -> People:
    """The shop, in which two who count admins at once would count the same."""
    WaitForTheOther.both = threading.Barrier(2)
    return People.over(SlowStore(frontend_database), hasher, clock, NO_LIMITS)


def test_two_admins_who_demote_each_other_at_once_leave_one(people: People, slow_people: People) -> None:
    boss = people.accounts.create_account("boss@example.org", PASSWORD, Role.ADMIN)
    chief = people.accounts.create_account("chief@example.org", PASSWORD, Role.ADMIN)
    demote = slow_people.staff_accounts.change_role
    assert fared(
        lambda: demote(boss, chief.account_id, Role.STAFF), lambda: demote(chief, boss.account_id, Role.STAFF)
    ) == {"done": 1, "NotAllowed": 1}


def test_two_admins_who_delete_themselves_at_once_leave_one(people: People, slow_people: People) -> None:
    boss = people.accounts.create_account("boss@example.org", PASSWORD, Role.ADMIN)
    chief = people.accounts.create_account("chief@example.org", PASSWORD, Role.ADMIN)
    delete = slow_people.own_account.delete
    assert fared(lambda: delete(boss, PASSWORD, HOME), lambda: delete(chief, PASSWORD, HOME)) == {
        "done": 1,
        "LastAdmin": 1,
    }


@pytest.fixture
def slow(hasher: PasswordHasher) -> "InTheMiddle":
    """A hasher in the middle of whose work something is done."""
    return InTheMiddle(hasher)


class InTheMiddle(PasswordHasher):
    """Finds the password right, and has ``then`` done before it says so."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self.then: Callable[[], object] = lambda: None

    def hash(self, password: bytes) -> str:
        return self._hasher.hash(password)

    def verify(self, password: bytes, password_hash: str | None) -> Verdict:
        verdict = self._hasher.verify(password, password_hash)
        then, self.then = self.then, lambda: None
        then()
        return verdict


@pytest.mark.parametrize("what", ["changed", "deleted"])
def test_no_sign_in_by_a_password_outlives_it(
    people: People, bea: Person, store: SqlAccountStore, slow: "InTheMiddle", what: str
) -> None:
    late = People.over(store, slow, people.accounts._clock, NO_LIMITS)
    own = people.own_account
    slow.then = (
        (lambda: own.change_password(bea, PASSWORD, NEW, HOME))
        if what == "changed"
        else (lambda: own.delete(bea, PASSWORD, HOME))
    )
    with pytest.raises(TooBusy if what == "changed" else WrongCredentials):
        late.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME)
    with pytest.raises(WrongCredentials):
        people.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME)


def test_deleting_and_signing_in_at_once_leave_no_sign_in_of_nobody(people: People, bea: Person) -> None:
    told = fared(
        lambda: people.own_account.delete(bea, PASSWORD, HOME),
        *[lambda: people.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME)] * 3,
    )
    assert told["done"] >= 1
    assert told["done"] + told["WrongCredentials"] == 4
    assert people.accounts.names_of([bea.account_id]) == {}


def test_a_token_takes_the_code_in_the_same_call(people: People, codes: Callable[[], str]) -> None:
    with pytest.raises(CodeNeeded) as asked:
        people.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME)
    assert asked.value.half_secret == ""
    with pytest.raises(WrongCode):
        people.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME, "000000" if codes() != "000000" else "111111")
    signed_in = people.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME, codes())
    assert signed_in.person == people.accounts.who_is(signed_in.secret, TOKEN)
    assert signed_in.person.has_second_factor


def test_wrong_codes_at_once_are_all_counted(people: People, codes: Callable[[], str]) -> None:
    wrong = "000000" if codes() != "000000" else "111111"
    works = [lambda: people.accounts.sign_in(EMAIL, PASSWORD, TOKEN, HOME, wrong)] * 16
    assert fared(*works) == {"WrongCode": 10, "TooManyTries": 6}


def test_a_session_without_the_password_switches_nothing_on(people: People, bea: Person, clock: MovableClock) -> None:
    people.second_factors.begin(bea)
    setting_up = people.second_factors.setting_up(bea)
    assert setting_up is not None
    code = pyotp.TOTP(setting_up.secret).at(clock())
    with pytest.raises(WrongCredentials):
        people.second_factors.confirm(bea, "not the password at all", code, HOME)
    assert people.second_factors.setting_up(bea) == setting_up


def test_nobody_weakens_their_own_account_as_an_admin(people: People) -> None:
    people.accounts.create_account("boss@example.org", PASSWORD, Role.ADMIN)
    boss = people.staff_accounts.find("boss@example.org")
    with pytest.raises(NotForOneself):
        people.lost_passwords.make_link("boss@example.org", boss)
    with pytest.raises(NotForOneself):
        people.staff_accounts.switch_off_second_factor(boss, boss.account_id)
    assert people.lost_passwords.make_link(EMAIL, boss)


@pytest.mark.parametrize("end", ["demoted", "sessions ended"])
@pytest.mark.usefixtures("bea")
def test_links_end_with_the_power_of_who_made_them(people: People, end: str) -> None:
    addresses = {name: f"{name}@example.org" for name in ("mo", "jo")}
    makers = {name: people.accounts.create_account(each, PASSWORD, Role.ADMIN) for name, each in addresses.items()}
    links = {name: people.lost_passwords.make_link(EMAIL, maker) for name, maker in makers.items()}
    assert not people.lost_passwords.opens(links["mo"])  # the later one counts
    link = people.staff_accounts.create(makers["jo"], "new@example.org", "", Role.STAFF)
    boss = makers["mo"]
    if end == "demoted":
        people.staff_accounts.change_role(boss, makers["jo"].account_id, Role.CUSTOMER)
    else:
        people.staff_accounts.end_sessions(boss, makers["jo"].account_id)
    assert not any(people.lost_passwords.opens(each) for each in (links["jo"], link))
    assert people.lost_passwords.opens(people.lost_passwords.make_link(EMAIL, boss))


def test_only_hashes_of_links_and_recovery_codes_are_kept(
    people: People, bea: Person, frontend_database: Database, clock: MovableClock
) -> None:
    people.second_factors.begin(bea)
    setting_up = people.second_factors.setting_up(bea)
    assert setting_up is not None
    switched_on = people.second_factors.confirm(bea, PASSWORD, pyotp.TOTP(setting_up.secret).at(clock()), HOME)
    secret = people.lost_passwords.make_link(EMAIL, actor=None)
    with frontend_database.reading() as connection:
        tables = ("one_time_secrets", "recovery_codes", "account_journal")
        stored = str([connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables])  # noqa: S608 - our own
    assert sha256(secret) in stored
    assert secret not in stored
    assert switched_on is not None
    assert not any(code in stored or code.replace("-", "") in stored for code in switched_on.recovery_codes)


@pytest.mark.usefixtures("codes")
def test_a_restore_ends_links_and_second_steps(people: People, frontend_database: Database) -> None:
    with pytest.raises(CodeNeeded) as asked:
        people.accounts.sign_in(EMAIL, PASSWORD, SESSION, HOME)
    secret = people.lost_passwords.make_link(EMAIL, actor=None)
    after_restore(frontend_database)
    with pytest.raises(LinkEnded):
        people.lost_passwords.use_link(secret, NEW)
    with pytest.raises(HalfSignInEnded):
        people.accounts.finish_sign_in(asked.value.half_secret, "000000")


def test_a_secret_of_one_purpose_is_none_of_the_other(people: People, codes: Callable[[], str]) -> None:
    with pytest.raises(CodeNeeded) as asked:
        people.accounts.sign_in(EMAIL, PASSWORD, SESSION, HOME)
    with pytest.raises(LinkEnded):
        people.lost_passwords.use_link(asked.value.half_secret, NEW)
    with pytest.raises(HalfSignInEnded):
        people.accounts.finish_sign_in(people.lost_passwords.make_link(EMAIL, actor=None), codes())
