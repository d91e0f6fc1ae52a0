"""The operator, who gives up an order by hand: a decision without a hold, as there is after a restore.

Only so does a release come before its hold, and needs the tombstone.
"""

import json

from bazar.contracts.names import CATALOG
from bazar.contracts.purchasing import Line, canonical_lines
from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.domain.errors import CatalogAway
from bazar.order.domain.order_ids import order_id_of, purchase_hash_of
from bazar.order.gateways.catalog_service import CatalogService
from bazar.order.storage.store import OrderStore
from bazar.order.use_cases.finish_orders import FinishOrders
from simulation.answers import Ask
from simulation.network import Network
from simulation.outside import Client
from simulation.storage import FaultyDatabase
from simulation.world import CURRENCY, SECRET, World

MOST_TRIES = 3


class Operator:
    """Works with the order server's database and gateway, in a process of its own."""

    def __init__(self, world: World, network: Network, database: FaultyDatabase) -> None:
        self._world = world
        self._store = OrderStore(database)
        self._catalog = CatalogService(Client(network, CATALOG))

    def give_up(self, ask: Ask) -> None:
        """Decide the purchase CANCELLED, unless it is decided, and have its hold released, whatever there is of it."""
        self._world.scheduler.sleep(self._world.random.random() * 0.1)
        body = json.loads(ask.body)
        lines = canonical_lines(Line(**line) for line in body["lines"])
        total = body["expected_total"]
        proposed = Decision(
            order_id=order_id_of(ask.account, ask.key or "", SECRET),
            account_id=ask.account,
            purchase_hash=purchase_hash_of(
                ((line.item_number, line.quantity) for line in lines),
                None if total is None else (total["amount"], total["currency"]),
            ),
            outcome=Outcome.CANCELLED,
            decided_at=self._world.wall_clock(),
            currency=CURRENCY,
        )
        with self._store.writing() as tx:
            decided = tx.decide([proposed])[proposed.order_id]
        finish_orders = FinishOrders(self._store, self._catalog, self._world.wall_clock)
        for _ in range(MOST_TRIES):
            try:
                finish_orders.finish([decided])
            except CatalogAway:
                continue
            return
        self._world.note("leaves {} to the sweep", decided.order_id)
