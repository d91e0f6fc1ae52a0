"""What the first start was told: the currency that prices are in, and whether to load the sample."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bazar.catalog.storage.schema import first_start

#: ONLY is a word of PostgreSQL's own: quoted, it names the column.
_KEEP = sa.text(
    'INSERT INTO first_start ("only", currency, sample) VALUES (1, :currency, :sample) ON CONFLICT DO NOTHING'
)


class FirstStartRows:
    """Part of a transaction on the catalog's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def first_start(self, currency: str, *, sample: bool) -> tuple[str, bool]:
        """Currency and sample of the first start, which is this one unless there was one before."""
        self._connection.execute(_KEEP, {"currency": currency, "sample": sample})
        row = self._connection.execute(sa.select(first_start.c.currency, first_start.c.sample)).one()
        return row.currency, row.sample
