"""Whether a code is right: each works once, and wrong ones are counted."""

from datetime import datetime

from bazar.frontend.domain.accounts import TooManyTries
from bazar.frontend.domain.errors import ShopError
from bazar.frontend.domain.second_factor import SecondFactor, WrongCode
from bazar.frontend.use_cases.account_ports import AccountRecords
from bazar.frontend.use_cases.secret_texts import hash_of_recovery_code


def judge(tx: AccountRecords, account_id: str, factor: SecondFactor, code: str, now: datetime) -> ShopError | None:
    """None where it is right, and used up now; else why not, for the caller to raise when the count is kept.

    The caller holds the account, by ``find_to_change``: of one code sent twice at once, one is right.
    """
    locked_seconds = factor.locked_seconds(now)
    if locked_seconds:
        return TooManyTries(locked_seconds)
    step = factor.step_of(code, now)
    is_right = step is not None or tx.second_factors.use_recovery_code(account_id, hash_of_recovery_code(code))
    tx.second_factors.save(account_id, factor.passed(step) if is_right else factor.missed(now))
    return None if is_right else WrongCode()
