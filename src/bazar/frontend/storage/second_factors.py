"""Second factors and recovery codes in SQL; the account's row is the lock of all that is written here."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.contracts.times import from_microseconds, microseconds
from bazar.frontend.domain.second_factor import SecondFactor
from bazar.frontend.storage.schema import recovery_codes, second_factors

_OF_ACCOUNT = second_factors.c.account_id == sa.bindparam("of_account")
_FIND = sa.select(second_factors).where(_OF_ACCOUNT)
_ADD = sa.insert(second_factors)
_SAVE = (
    sa.update(second_factors)
    .where(_OF_ACCOUNT)
    .values(
        secret=sa.bindparam("new_secret"),
        is_on=sa.bindparam("now_on"),
        last_step=sa.bindparam("new_step"),
        wrong_codes=sa.bindparam("new_count"),
        wrong_since=sa.bindparam("since"),
    )
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

    def save(self, account_id: str, factor: SecondFactor) -> None:
        """Write it, instead of what was there."""
        changed = self._connection.execute(
            _SAVE,
            {
                "of_account": account_id,
                "new_secret": factor.secret,
                "now_on": factor.is_on,
                "new_step": factor.last_step,
                "new_count": factor.wrong_codes,
                "since": microseconds(factor.wrong_since),
            },
        )
        if not changed.rowcount:
            self._connection.execute(
                _ADD,
                {
                    "account_id": account_id,
                    "secret": factor.secret,
                    "is_on": factor.is_on,
                    "last_step": factor.last_step,
                    "wrong_codes": factor.wrong_codes,
                    "wrong_since": microseconds(factor.wrong_since),
                },
            )

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
