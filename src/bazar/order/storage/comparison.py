"""What the comparison with the catalog needs of the order server's database, in SQL."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.contracts.times import microseconds
from bazar.order.domain.decisions import Decision
from bazar.order.storage.decisions import read_decision
from bazar.order.storage.schema import cancellations, comparison, decisions

#: ONLY is a word of PostgreSQL's own: quoted, it names the column.
_NOTE = sa.text(
    'INSERT INTO comparison ("only", epoch, at) VALUES (1, :epoch, :at) '
    'ON CONFLICT ("only") DO UPDATE SET epoch = :epoch, at = :at'
)
_AFTER = (
    sa.select(decisions)
    .where(decisions.c.order_id > sa.bindparam("after"))
    .order_by(decisions.c.order_id)
    .limit(sa.bindparam("most"))
)
_VOID = sa.update(cancellations).where(cancellations.c.returned_at.is_not(None)).values(returned_at=None)


class ComparisonRows:
    """Part of a transaction on the order server's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def compared_with(self) -> str | None:
        return self._connection.execute(sa.select(comparison.c.epoch)).scalar_one_or_none()

    def note_comparison(self, epoch: str, at: datetime) -> None:
        self._connection.execute(_NOTE, {"epoch": epoch, "at": microseconds(at)})

    def forget_comparison(self) -> None:
        """Have all decisions compared anew."""
        self._connection.execute(sa.delete(comparison))

    def void_returns(self) -> None:
        self._connection.execute(_VOID)

    def decisions_after(self, order_id: str, limit: int) -> Sequence[Decision]:
        return [read_decision(row) for row in self._connection.execute(_AFTER, {"after": order_id, "most": limit})]
