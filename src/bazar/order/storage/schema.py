"""The order server's tables. Times are microseconds since 1970 in UTC, prices integers of the minor unit."""

import sqlalchemy as sa

from bazar.chassis.database import BigInteger

metadata = sa.MetaData()

_IS_ORDER = sa.text("outcome = 'confirmed'")
_NOT_RETURNED = sa.text("returned_at IS NULL")

#: One row a key, inserted once, never changed, never deleted: the commit point of a purchase. ``lines`` and
#: ``shortages`` are read and written whole.
decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("purchase_hash", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("decided_at", BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("lines", sa.JSON, nullable=False),
    sa.Column("shortages", sa.JSON, nullable=False),
    sa.Column("position", sa.Text),
    sa.Index(
        "orders_of_an_account",
        "account_id",
        "decided_at",
        "order_id",
        sqlite_where=_IS_ORDER,
        postgresql_where=_IS_ORDER,
    ),
    sa.Index("orders_by_time", "decided_at", "order_id", sqlite_where=_IS_ORDER, postgresql_where=_IS_ORDER),
)

#: One row a cancelled order, inserted once; its decision stays as it is. ``returned_at`` is null until the catalog
#: has acknowledged that the copies are back.
cancellations = sa.Table(
    "cancellations",
    metadata,
    sa.Column("order_id", sa.Text, sa.ForeignKey("decisions.order_id"), primary_key=True),
    sa.Column("cancelled_at", BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("returned_at", BigInteger),
    sa.Column("reason", sa.Text),
    sa.Index("unreturned_orders", "order_id", sqlite_where=_NOT_RETURNED, postgresql_where=_NOT_RETURNED),
    sa.Index("cancellations_in_time", "cancelled_at", "order_id"),
)

#: One row for each move of an order at the counter (ready, collected), inserted once. ``total_minor`` is what the order
#: costs, so that takings are added up without reading orders.
moves = sa.Table(
    "moves",
    metadata,
    sa.Column("order_id", sa.Text, sa.ForeignKey("decisions.order_id"), primary_key=True),
    sa.Column("moved_to", sa.Text, primary_key=True),
    sa.Column("at", BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("total_minor", BigInteger, nullable=False),
    sa.Index("moves_by_time", "moved_to", "at"),
    sa.Index("moves_in_time", "at", "order_id", "moved_to"),
)

#: How far each order is, as its decision, cancellation and moves say, written with them: so that a list of what waits
#: need not look at all that ever was.
order_states = sa.Table(
    "order_states",
    metadata,
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("placed_at", BigInteger, nullable=False),
    sa.Index("orders_in_a_state", "state", "placed_at", "order_id"),
)

#: Orders that recovery could not finish, until a person has ended it. Each has a decision.
stuck_orders = sa.Table(
    "stuck_orders",
    metadata,
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", BigInteger, nullable=False),
)

#: What staff said of stuck orders: that they stand (settle) or do not (cancel). ``reason`` is why the order was stuck,
#: ``in_words`` theirs. ``is_cancelled``: it had a cancellation by then, so that its return is ended too.
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("entry_number", BigInteger, primary_key=True),
    sa.Column("order_id", sa.Text, nullable=False),
    sa.Column("at", BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("in_words", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("stuck_since", BigInteger, nullable=False),
    sa.Column("is_cancelled", sa.Boolean, nullable=False),
    sa.Index("journal_of_an_order", "order_id"),
    sa.Index("journal_in_time", "at", "order_id"),
)

#: One row at most: the epoch of the catalog that all decisions were compared with. A restore takes it away.
comparison = sa.Table(
    "comparison",
    metadata,
    sa.Column("only", sa.Integer, primary_key=True),
    sa.Column("epoch", sa.Text, nullable=False),
    sa.Column("at", BigInteger, nullable=False),
)

#: One row: what order ids are made with. It goes with the backup, since a retry must find its order again.
secrets = sa.Table(
    "secrets",
    metadata,
    sa.Column("only", sa.Integer, primary_key=True),
    sa.Column("order_ids", sa.LargeBinary, nullable=False),
)
