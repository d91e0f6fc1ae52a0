"""The journal of accounts in SQL: lines are added and never changed."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.contracts.times import from_microseconds, microseconds
from bazar.frontend.domain.account_care import Deed, JournalLine
from bazar.frontend.domain.accounts import Role
from bazar.frontend.storage.schema import account_journal

_ADD = sa.insert(account_journal)
_LATEST = sa.select(account_journal).order_by(account_journal.c.line_number.desc()).limit(sa.bindparam("most"))
_LATEST_OF = _LATEST.where(account_journal.c.account_id == sa.bindparam("account_id"))


class SqlAccountJournal:
    """Inside one transaction; see the port for what the methods promise."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def write(self, line: JournalLine) -> None:
        """Add a line."""
        self._connection.execute(
            _ADD,
            {
                "at": microseconds(line.at),
                "actor": line.actor,
                "account_id": line.account_id,
                "deed": line.deed.value,
                "role": line.role.value,
            },
        )

    def latest(self, most: int, account_id: str | None = None) -> Sequence[JournalLine]:
        """The newest first."""
        about = {} if account_id is None else {"account_id": account_id}
        rows = self._connection.execute(_LATEST_OF if about else _LATEST, {"most": most, **about})
        return [
            JournalLine(from_microseconds(row.at), row.actor, row.account_id, Deed(row.deed), Role(row.role))
            for row in rows
        ]
