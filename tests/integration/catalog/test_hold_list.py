"""All holds, page by page, on every database."""

from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.list_holds import ListHolds
from bazar.contracts.purchasing import HeldLine, KeptHold, KeptHoldsQuery
from holding import a_hold, an_order, hold, order_id, release, settle
from shop_in_process import add_book

AT = "2026-01-31T12:00:00.000Z"


def test_holds_of_every_state_come_with_their_lines_and_the_epoch(
    catalog_store: CatalogStore, keep_stock: KeepStock, hold_copies: HoldCopies
) -> None:
    first, second = (add_book(keep_stock, stock=5, title=title).item_number for title in ("One", "Two"))
    hold(
        hold_copies,
        a_hold((first, 1), (second, 2), number=1),
        a_hold((first, 9), number=2),
        a_hold((second, 1), number=3),
        a_hold((second, 1), number=4),
    )
    settle(hold_copies, an_order(1))
    release(hold_copies, an_order(3), an_order(5))
    found: list[KeptHold] = []
    after: str | None = ""
    while after is not None:
        page = ListHolds(catalog_store).kept_holds(KeptHoldsQuery(after=after, limit=2))
        found += page.holds
        after = page.next
    one_of_two = (HeldLine(item_number=second, title="Two", quantity=1, price_minor=1500),)
    lines = {
        1: (
            HeldLine(item_number=first, title="One", quantity=1, price_minor=1500),
            HeldLine(item_number=second, title="Two", quantity=2, price_minor=1500),
        ),
        3: one_of_two,
        4: one_of_two,
    }
    states = {1: "settled", 2: "refused", 3: "released", 4: "held", 5: "released"}
    assert [(kept.order_id, kept.state, kept.lines) for kept in found] == [
        (order_id(number), state, lines.get(number, ())) for number, state in states.items()
    ]
    assert {(kept.account_id, kept.purchase_hash, kept.held_at, kept.changed_at) for kept in found} == {
        ("ann", "hash", AT, AT)
    }
    before = page.epoch
    with catalog_store.writing() as tx:
        assert tx.position().startswith(f"{before}-")
        tx.renew_epoch()
    assert ListHolds(catalog_store).kept_holds(KeptHoldsQuery(limit=1)).epoch != before
