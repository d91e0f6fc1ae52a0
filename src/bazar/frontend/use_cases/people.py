"""All that is done with accounts, over one store."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bazar.frontend.use_cases.account_ports import AccountStore, Hasher
from bazar.frontend.use_cases.accounts import Accounts
from bazar.frontend.use_cases.lost_passwords import LostPasswords
from bazar.frontend.use_cases.own_account import OwnAccount
from bazar.frontend.use_cases.password_proof import PasswordProof
from bazar.frontend.use_cases.second_factors import SecondFactors
from bazar.frontend.use_cases.staff_accounts import StaffAccounts
from bazar.frontend.use_cases.tries import Limits, Tries


@dataclass(frozen=True)
class People:
    """The use cases of accounts, as API and pages are given them."""

    accounts: Accounts
    own_account: OwnAccount
    lost_passwords: LostPasswords
    second_factors: SecondFactors
    staff_accounts: StaffAccounts

    @classmethod
    def over(cls, store: AccountStore, hasher: Hasher, clock: Callable[[], datetime], limits: Limits) -> "People":
        """``clock`` gives the time in UTC."""
        accounts = Accounts(store, hasher, clock, limits)
        proof = PasswordProof(store, hasher, clock, Tries(store, clock, limits))
        return cls(
            accounts,
            OwnAccount(store, hasher, clock, proof),
            LostPasswords(store, hasher, clock),
            SecondFactors(store, clock, proof),
            StaffAccounts(store, clock, accounts),
        )
