"""Which books sell best: by the copies in the last orders that stand."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from bazar.contracts.books import MOST_NUMBERS
from bazar.contracts.purchasing import BestSellers, BestSellersQuery
from bazar.order.use_cases.ports import Store

#: As many as TPC-W looks at (clause 2.8): enough for a ranking, few enough to be counted anew.
ORDERS_COUNTED = 3_333
KEPT_SECONDS = 5.0


@dataclass(frozen=True)
class _Ranking:
    item_numbers: tuple[int, ...]
    good_until_seconds: float


class FindBestSellers:
    """Counts anew when somebody asks after KEPT_SECONDS; ``monotonic`` in seconds."""

    def __init__(self, store: Store, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._ranking = _Ranking((), float("-inf"))

    def best_sellers(self, query: BestSellersQuery) -> BestSellers:
        """The books of most copies first; of as many, the one with the lower number."""
        kept, now = self._ranking, self._monotonic()
        if now >= kept.good_until_seconds:
            # Several may count at once, and all come to the same.
            kept = self._ranking = _Ranking(self._count(), now + KEPT_SECONDS)
        return BestSellers(item_numbers=kept.item_numbers[: query.limit])

    def _count(self) -> tuple[int, ...]:
        copies: Counter[int] = Counter()
        with self._store.reading() as tx:
            for item_number, quantity in tx.last_sold(ORDERS_COUNTED):
                copies[item_number] += quantity
        ranked = sorted(copies, key=lambda item_number: (-copies[item_number], item_number))
        return tuple(ranked[:MOST_NUMBERS])
