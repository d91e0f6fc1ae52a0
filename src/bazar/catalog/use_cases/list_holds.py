"""All holds, page by page, for the order server to compare its decisions with."""

from bazar.catalog.use_cases.ports import KeptHoldRow, Store
from bazar.contracts.purchasing import KeptHold, KeptHolds, KeptHoldsQuery
from bazar.contracts.times import rfc3339


class ListHolds:
    """Reads; nothing here changes anything."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def kept_holds(self, query: KeptHoldsQuery) -> KeptHolds:
        """One page, and the epoch of the feed that it was read in."""
        with self._store.reading() as tx:
            found = tx.kept_holds(query.after, query.limit)
            epoch, _, _ = tx.position().rpartition("-")
        return KeptHolds(
            holds=tuple(_kept(row) for row in found),
            next=found[-1].hold.order_id if len(found) == query.limit else None,
            epoch=epoch,
        )


def _kept(row: KeptHoldRow) -> KeptHold:
    return KeptHold(
        order_id=row.hold.order_id,
        account_id=row.hold.account_id,
        purchase_hash=row.hold.purchase_hash,
        state=row.hold.state.value,
        held_at=rfc3339(row.held_at),
        changed_at=rfc3339(row.changed_at),
        lines=tuple(line.held() for line in row.lines if line.available is None),
    )
