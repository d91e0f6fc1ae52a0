"""Short words for what is asked of holds."""

from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.contracts.purchasing import FinishAnswer, FinishBatch, FinishHold, HoldAnswer, HoldBatch, HoldRequest, Line


def order_id(number: int) -> str:
    """The id of the order with this number; ids are sorted like the numbers."""
    return f"{number:032d}".translate(str.maketrans("0123456789", "abcdefghij"))


def a_hold(
    *lines: tuple[int, int], number: int = 1, account_id: str = "ann", purchase_hash: str = "hash"
) -> HoldRequest:
    """Copies on hold: (item number, quantity) each."""
    return HoldRequest(
        order_id=order_id(number),
        account_id=account_id,
        purchase_hash=purchase_hash,
        lines=tuple(Line(item_number=item, quantity=quantity) for item, quantity in lines),
    )


def hold(hold_copies: HoldCopies, *holds: HoldRequest) -> tuple[HoldAnswer, ...]:
    """Ask for these holds in one batch."""
    return hold_copies.hold(HoldBatch(holds=holds))[0].answers


def an_order(number: int = 1, account_id: str = "ann", purchase_hash: str = "hash") -> FinishHold:
    """An order to be settled or released."""
    return FinishHold(order_id=order_id(number), account_id=account_id, purchase_hash=purchase_hash)


def settle(hold_copies: HoldCopies, *orders: FinishHold) -> tuple[FinishAnswer, ...]:
    """Settle these orders in one batch."""
    return hold_copies.settle(FinishBatch(orders=orders))[0].answers


def release(hold_copies: HoldCopies, *orders: FinishHold) -> tuple[FinishAnswer, ...]:
    """Release these orders in one batch."""
    return hold_copies.release(FinishBatch(orders=orders))[0].answers


def state_of(store: CatalogStore, number: int = 1) -> str:
    """The state of an order's hold, or "absent"."""
    with store.reading() as tx:
        found = tx.holds_for_update([order_id(number)])
    return found[order_id(number)].state.value if found else "absent"


def stock_of(store: CatalogStore, item_number: int) -> int:
    """The copies on the shelf."""
    with store.reading() as tx:
        book = tx.book(item_number)
    assert book is not None
    return book.stock
