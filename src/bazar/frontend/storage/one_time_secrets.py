"""Secrets that work once, in SQL; the account's row is the lock of what is added and taken."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.contracts.times import microseconds
from bazar.frontend.domain.account_care import OneTimeSecret, Purpose
from bazar.frontend.storage.schema import one_time_secrets

#: Rows that one sweep deletes at most.
MOST_SWEPT = 100

_ADD = sa.insert(one_time_secrets)
_ACCOUNT_OF = sa.select(one_time_secrets.c.account_id).where(
    one_time_secrets.c.secret_hash == sa.bindparam("secret_hash"),
    one_time_secrets.c.purpose == sa.bindparam("purpose"),
    one_time_secrets.c.expires_at > sa.bindparam("now"),
)
_TAKE = sa.delete(one_time_secrets).where(one_time_secrets.c.secret_hash == sa.bindparam("taken"))
_REMOVE = sa.delete(one_time_secrets).where(
    sa.or_(
        one_time_secrets.c.account_id == sa.bindparam("of_account"),
        one_time_secrets.c.made_by == sa.bindparam("of_account"),
    )
)
_REMOVE_FOR = sa.delete(one_time_secrets).where(
    one_time_secrets.c.account_id == sa.bindparam("of_account"),
    one_time_secrets.c.purpose == sa.bindparam("for_purpose"),
)
# Rows that somebody has locked are in use: a sweep does not wait for them. SQLite leaves FOR UPDATE out.
_SWEEP = sa.delete(one_time_secrets).where(
    one_time_secrets.c.secret_hash.in_(
        sa.select(one_time_secrets.c.secret_hash)
        .where(one_time_secrets.c.expires_at <= sa.bindparam("now"))
        .order_by(one_time_secrets.c.expires_at)
        .limit(MOST_SWEPT)
        .with_for_update(skip_locked=True)
    )
)


class SqlOneTimeSecrets:
    """Inside one transaction; see the port for what the methods promise."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, secret: OneTimeSecret) -> None:
        """Store it instead of earlier ones."""
        purpose = secret.purpose.value
        self._connection.execute(_REMOVE_FOR, {"of_account": secret.account_id, "for_purpose": purpose})
        self._connection.execute(
            _ADD,
            {
                "secret_hash": secret.secret_hash,
                "purpose": purpose,
                "account_id": secret.account_id,
                "expires_at": microseconds(secret.expires_at),
                "made_by": secret.made_by,
            },
        )

    def account_of(self, secret_hash: str, purpose: Purpose, now: datetime) -> str | None:
        """Whose it is, if it can still be used."""
        found = self._connection.execute(
            _ACCOUNT_OF, {"secret_hash": secret_hash, "purpose": purpose.value, "now": microseconds(now)}
        )
        account_id: str | None = found.scalar_one_or_none()
        return account_id

    def take(self, secret_hash: str) -> bool:
        """Delete it, if it is there."""
        return bool(self._connection.execute(_TAKE, {"taken": secret_hash}).rowcount)

    def remove_those_of(self, account_id: str) -> None:
        """Delete those of the account, and those that it made for others."""
        self._connection.execute(_REMOVE, {"of_account": account_id})

    def remove_all(self) -> None:
        """Delete all of them."""
        self._connection.execute(sa.delete(one_time_secrets))

    def sweep(self, now: datetime) -> None:
        """Delete up to MOST_SWEPT whose time is over."""
        self._connection.execute(_SWEEP, {"now": microseconds(now)})
