"""All holds with their lines, in SQL."""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.catalog.domain.holds import HoldState
from bazar.catalog.storage.schema import hold_lines, holds
from bazar.catalog.use_cases.ports import KeptHoldRow, StoredHold, StoredLine
from bazar.contracts.times import from_microseconds

_PAGE = (
    sa.select(holds)
    .where(holds.c.order_id > sa.bindparam("after"))
    .order_by(holds.c.order_id)
    .limit(sa.bindparam("most"))
)
_LINES = (
    sa.select(hold_lines)
    .where(hold_lines.c.order_id.in_(sa.bindparam("order_ids", expanding=True)))
    .order_by(hold_lines.c.order_id, hold_lines.c.item_number)
)


class HoldListRows:
    """Part of a transaction on the catalog's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def kept_holds(self, after: str, limit: int) -> Sequence[KeptHoldRow]:
        rows = self._connection.execute(_PAGE, {"after": after, "most": limit}).all()
        lines: defaultdict[str, list[StoredLine]] = defaultdict(list)
        for line in self._connection.execute(_LINES, {"order_ids": [row.order_id for row in rows]}):
            lines[line.order_id].append(
                StoredLine(line.item_number, line.title, line.quantity, line.price_minor, line.available)
            )
        return [
            KeptHoldRow(
                StoredHold(row.order_id, row.account_id, row.purchase_hash, HoldState(row.state)),
                from_microseconds(row.held_at),
                from_microseconds(row.changed_at),
                tuple(lines[row.order_id]),
            )
            for row in rows
        ]
