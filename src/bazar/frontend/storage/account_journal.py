"""The journal of accounts in SQL: lines are added and never changed."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.contracts.times import from_microseconds, microseconds
from bazar.frontend.domain.account_care import Deed, JournalLine
from bazar.frontend.domain.accounts import Role
from bazar.frontend.storage.schema import account_journal

_ADD = sa.insert(account_journal)
_OLDER = (
    sa.select(account_journal)
    .where(account_journal.c.line_number < sa.bindparam("before"))
    .order_by(account_journal.c.line_number.desc())
    .limit(sa.bindparam("most"))
)
_OLDER_OF = _OLDER.where(account_journal.c.account_id == sa.bindparam("account_id"))
#: Above every line's number.
_NEWEST = 2**62


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

    def page(
        self, most: int, before: int | None = None, account_id: str | None = None
    ) -> tuple[Sequence[JournalLine], int | None]:
        """The newest first, and the number of the last where there are older ones."""
        about = {} if account_id is None else {"account_id": account_id}
        values = {"most": most + 1, "before": _NEWEST if before is None else before, **about}
        rows = self._connection.execute(_OLDER_OF if about else _OLDER, values).all()
        shown = rows[:most]
        lines = [
            JournalLine(from_microseconds(row.at), row.actor, row.account_id, Deed(row.deed), Role(row.role))
            for row in shown
        ]
        return lines, shown[-1].line_number if len(rows) > most else None
