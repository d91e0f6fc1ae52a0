"""Whether a code is right: each works once, and wrong ones are counted."""

from datetime import datetime

from bazar.frontend.domain.accounts import TooManyTries
from bazar.frontend.domain.errors import ShopError
from bazar.frontend.domain.second_factor import SecondFactor, WrongCode
from bazar.frontend.use_cases.account_ports import AccountRecords
from bazar.frontend.use_cases.secret_texts import hash_of_recovery_code


def judge(tx: AccountRecords, account_id: str, factor: SecondFactor, code: str, now: datetime) -> ShopError | None:
    """None where it is right, and used up now; else why not, for the caller to raise when the count is kept.

    The caller holds the account, by ``find_to_change``; and of one code sent twice at once, one is right even without
    that: a code is used up by a change of the row that only the first of them finds to be made.
    """
    locked_seconds = factor.locked_seconds(now)
    if locked_seconds:
        return TooManyTries(locked_seconds)
    factors, step = tx.second_factors, factor.step_of(code, now)
    if step is not None and factors.use_step(account_id, step):
        return None
    if factors.use_recovery_code(account_id, hash_of_recovery_code(code)):
        factors.forget_wrong_codes(account_id)
        return None
    missed = factor.missed(now)
    factors.note_wrong_codes(account_id, missed.wrong_codes, missed.wrong_since)
    return WrongCode()
