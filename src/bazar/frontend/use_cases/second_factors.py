"""Switch a second factor on and off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bazar.frontend.domain.account_care import Deed, JournalLine, UnknownAccount
from bazar.frontend.domain.accounts import Account, EmailAddress, Person, SignInKind
from bazar.frontend.domain.second_factor import RECOVERY_CODES, SecondFactor, SettingUp, WrongCode
from bazar.frontend.use_cases.account_ports import AccountRecords, AccountStore
from bazar.frontend.use_cases.accounts import SignedIn, start_sign_in
from bazar.frontend.use_cases.codes import judge
from bazar.frontend.use_cases.password_proof import PasswordProof
from bazar.frontend.use_cases.secret_texts import hash_of_recovery_code, new_recovery_code


@dataclass(frozen=True)
class SwitchedOn:
    """The second factor is on. Recovery codes, told this once; and the session that is all that is left of sign-ins."""

    recovery_codes: Sequence[str] = field(repr=False)
    signed_in: SignedIn


class SecondFactors:
    """The second factors of people who look after their own. ``clock`` gives the time in UTC."""

    def __init__(self, store: AccountStore, clock: Callable[[], datetime], proof: PasswordProof) -> None:
        self._store = store
        self._clock = clock
        self._proof = proof

    def begin(self, person: Person) -> None:
        """A new secret, which is off; changes nothing where one is on."""
        with self._store.writing() as tx:
            _, factor = _held(tx, person)
            if factor is None or not factor.is_on:
                tx.second_factors.begin(person.account_id, SecondFactor.new(self._clock()))

    def setting_up(self, person: Person) -> SettingUp | None:
        """What is to be typed into an app; None where nothing was begun, or it is on already."""
        with self._store.reading() as tx:
            factor = tx.second_factors.find(person.account_id)
        return None if factor is None or factor.is_on else SettingUp(factor.secret, person.email)

    def confirm(self, person: Person, password: str, code: str, client_address: str) -> SwitchedOn | None:
        """Switch it on by its first code; None where there is nothing to switch on.

        By the password too: whoever has found a session open must not lock its owner out. All sign-ins end, of pages
        and API, and a new session begins: what the password alone has opened before must not stay open. Raises
        WrongCode, after which the secret stays the same; WrongCredentials, TooManyTries, TooBusy.
        """
        proven = self._proof.prove(EmailAddress.read(person.email), password, client_address)
        now = self._clock()
        with self._store.writing() as tx:
            account = self._proof.confirm(tx, proven)
            factor = tx.second_factors.find(account.account_id)
            if factor is None or factor.is_on:
                return None
            step = factor.step_of(code, now)
            if step is None:
                raise WrongCode
            if not tx.second_factors.switch_on(person.account_id, step):
                return None
            codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
            tx.second_factors.set_recovery_codes(person.account_id, [hash_of_recovery_code(each) for each in codes])
            tx.journal.write(JournalLine(now, person.account_id, person.account_id, Deed.FACTOR_ON, account.role))
            tx.end_sign_ins_of(account.account_id)
            owner = replace(account.person, has_second_factor=True)
            return SwitchedOn(codes, start_sign_in(tx, owner, SignInKind.SESSION, now))

    def recovery_codes_left(self, person: Person) -> int:
        """How many were not used."""
        with self._store.reading() as tx:
            return tx.second_factors.recovery_codes_left(person.account_id)

    def switch_off(self, person: Person, code: str) -> None:
        """By a code, since a session alone must not weaken the account; raises WrongCode, TooManyTries."""
        now = self._clock()
        with self._store.writing() as tx:
            account, factor = _held(tx, person)
            if factor is None or not factor.is_on:
                return
            refusal = judge(tx, person.account_id, factor, code, now)
            if refusal is None:
                tx.second_factors.remove(person.account_id)
                tx.journal.write(JournalLine(now, person.account_id, person.account_id, Deed.FACTOR_OFF, account.role))
        if refusal is not None:
            raise refusal


def _held(tx: AccountRecords, person: Person) -> tuple[Account, SecondFactor | None]:
    account = tx.find_to_change(person.account_id)
    if account is None:
        raise UnknownAccount
    return account, tx.second_factors.find(person.account_id)
