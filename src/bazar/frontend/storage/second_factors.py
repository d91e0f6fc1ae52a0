"""Second factors and recovery codes in SQL; the account's row is the lock of all that is written here."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.contracts.times import from_microseconds, microseconds
from bazar.frontend.domain.second_factor import SecondFactor
from bazar.frontend.storage.schema import recovery_codes, second_factors

_OF_ACCOUNT = second_factors.c.account_id == sa.bindparam("of_account")
_FIND = sa.select(second_factors).where(_OF_ACCOUNT)
_IS_OFF = second_factors.c.is_on.is_(sa.false())
_BEGIN = sa.text(
    "INSERT INTO second_factors (account_id, secret, is_on, last_step, wrong_codes, wrong_since) "
    "VALUES (:account_id, :secret, FALSE, 0, 0, :since) ON CONFLICT (account_id) DO UPDATE "
    "SET secret = excluded.secret, wrong_codes = 0, wrong_since = excluded.wrong_since "
    "WHERE NOT second_factors.is_on"
)
_SWITCH_ON = (
    sa.update(second_factors)
    .where(_OF_ACCOUNT, _IS_OFF)
    .values(is_on=sa.true(), last_step=sa.bindparam("step"), wrong_codes=0)
)
#: Of two that use one step, or an earlier one after a later, only one changes the row.
_USE_STEP = (
    sa.update(second_factors)
    .where(_OF_ACCOUNT, second_factors.c.last_step < sa.bindparam("step"))
    .values(last_step=sa.bindparam("step"), wrong_codes=0)
)
_FORGET_WRONG = sa.update(second_factors).where(_OF_ACCOUNT).values(wrong_codes=0)
_NOTE_WRONG = (
    sa.update(second_factors)
    .where(_OF_ACCOUNT)
    .values(wrong_codes=sa.bindparam("new_count"), wrong_since=sa.bindparam("since"))
)
_REMOVE = sa.delete(second_factors).where(_OF_ACCOUNT)
_ADD_CODE = sa.insert(recovery_codes)
_REMOVE_CODES = sa.delete(recovery_codes).where(recovery_codes.c.account_id == sa.bindparam("of_account"))
_USE_CODE = _REMOVE_CODES.where(recovery_codes.c.code_hash == sa.bindparam("used_hash"))
_COUNT_CODES = (
    sa.select(sa.func.count())
    .select_from(recovery_codes)
    .where(recovery_codes.c.account_id == sa.bindparam("of_account"))
)


class SqlSecondFactors:
    """Inside one transaction; see the port for what the methods promise."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, account_id: str) -> SecondFactor | None:
        """The account's, on or being set up."""
        row = self._connection.execute(_FIND, {"of_account": account_id}).one_or_none()
        if row is None:
            return None
        return SecondFactor(row.secret, row.is_on, from_microseconds(row.wrong_since), row.wrong_codes, row.last_step)

    def begin(self, account_id: str, factor: SecondFactor) -> None:
        """Add it, or write it over one that is off."""
        values = {"account_id": account_id, "secret": factor.secret, "since": microseconds(factor.wrong_since)}
        self._connection.execute(_BEGIN, values)

    def switch_on(self, account_id: str, step: int) -> bool:
        """Where it is off."""
        return self._connection.execute(_SWITCH_ON, {"of_account": account_id, "step": step}).rowcount == 1

    def use_step(self, account_id: str, step: int) -> bool:
        """Where it is later than the last one."""
        return self._connection.execute(_USE_STEP, {"of_account": account_id, "step": step}).rowcount == 1

    def forget_wrong_codes(self, account_id: str) -> None:
        """Count from none."""
        self._connection.execute(_FORGET_WRONG, {"of_account": account_id})

    def note_wrong_codes(self, account_id: str, wrong_codes: int, since: datetime) -> None:
        """So many since then."""
        values = {"of_account": account_id, "new_count": wrong_codes, "since": microseconds(since)}
        self._connection.execute(_NOTE_WRONG, values)

    def remove(self, account_id: str) -> None:
        """Delete it; its recovery codes go along."""
        self._connection.execute(_REMOVE, {"of_account": account_id})

    def set_recovery_codes(self, account_id: str, code_hashes: Collection[str]) -> None:
        """These and no others."""
        self._connection.execute(_REMOVE_CODES, {"of_account": account_id})
        self._connection.execute(_ADD_CODE, [{"account_id": account_id, "code_hash": each} for each in code_hashes])

    def use_recovery_code(self, account_id: str, code_hash: str) -> bool:
        """Delete it, if it is there."""
        used = self._connection.execute(_USE_CODE, {"of_account": account_id, "used_hash": code_hash})
        return bool(used.rowcount)

    def recovery_codes_left(self, account_id: str) -> int:
        """How many were not used."""
        return int(self._connection.execute(_COUNT_CODES, {"of_account": account_id}).scalar_one())
