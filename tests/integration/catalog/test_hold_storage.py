"""What one order's hold promises, on every database: the states of docs/life-of-a-purchase.md, and repetitions."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from bazar.catalog.domain.holds import HoldState
from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.hold_copies import HoldCopies
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.contracts.books import WithdrawBook
from bazar.contracts.purchasing import FinishAnswer, HeldLine, HoldAnswer, HoldBatch, Shortage
from holding import a_hold, an_order, hold, order_id, release, settle, state_of, stock_of
from shop_in_process import NOON, add_book

STOCK = 5
COPIES = 2
TOO_MANY = STOCK + 1

#: How an order's hold comes into each state; "returned" is reached by no use case yet.
Prepare = Callable[[HoldCopies, CatalogStore, int], None]


def nothing(_: HoldCopies, __: CatalogStore, ___: int) -> None:
    """The order is unknown."""


def held(hold_copies: HoldCopies, _: CatalogStore, item: int) -> None:
    assert hold(hold_copies, a_hold((item, COPIES)))[0].outcome == "held"


def refused(hold_copies: HoldCopies, _: CatalogStore, item: int) -> None:
    assert hold(hold_copies, a_hold((item, TOO_MANY)))[0].outcome == "refused"


def released(hold_copies: HoldCopies, store: CatalogStore, item: int) -> None:
    held(hold_copies, store, item)
    assert release(hold_copies, an_order())[0].done


def buried(hold_copies: HoldCopies, _: CatalogStore, __: int) -> None:
    """Released before it was ever held: a tombstone."""
    assert release(hold_copies, an_order())[0].done


def settled(hold_copies: HoldCopies, store: CatalogStore, item: int) -> None:
    held(hold_copies, store, item)
    assert settle(hold_copies, an_order())[0].done


def returned(hold_copies: HoldCopies, store: CatalogStore, item: int) -> None:
    settled(hold_copies, store, item)
    with store.writing() as tx:
        tx.set_hold_state([order_id(1)], HoldState.RETURNED, NOON)
        tx.put_back_on_shelves({item: COPIES})


ON_SHELF = STOCK - COPIES


class Case(NamedTuple):
    """What is done in which state, whether that is in order, and what is so afterwards."""

    before: Prepare
    act: Callable[..., tuple[FinishAnswer, ...]]
    in_order: bool
    state: str
    stock: int


TRANSITIONS = [
    Case(nothing, settle, False, "absent", STOCK),
    Case(nothing, release, True, "released", STOCK),
    Case(held, settle, True, "settled", ON_SHELF),
    Case(held, release, True, "released", STOCK),
    Case(refused, settle, False, "refused", STOCK),
    Case(refused, release, True, "refused", STOCK),
    Case(released, settle, False, "released", STOCK),
    Case(released, release, True, "released", STOCK),
    Case(buried, settle, False, "released", STOCK),
    Case(buried, release, True, "released", STOCK),
    Case(settled, settle, True, "settled", ON_SHELF),
    Case(settled, release, False, "settled", ON_SHELF),
    Case(returned, settle, True, "returned", STOCK),
    Case(returned, release, False, "returned", STOCK),
]


@pytest.mark.parametrize("case", TRANSITIONS, ids=lambda case: f"{case.act.__name__} after {case.before.__name__}")
def test_a_hold_goes_from_state_to_state_and_repeating_a_step_changes_nothing(
    hold_copies: HoldCopies, catalog_store: CatalogStore, keep_stock: KeepStock, case: Case
) -> None:
    item = add_book(keep_stock, STOCK).item_number
    case.before(hold_copies, catalog_store, item)
    for _ in range(2):
        answer = case.act(hold_copies, an_order())[0]
        assert (answer.done, answer.conflict is None) == (case.in_order, case.in_order)
        assert (state_of(catalog_store), stock_of(catalog_store, item)) == (case.state, case.stock)


@pytest.mark.parametrize(
    ("before", "outcome"),
    [(held, "held"), (refused, "refused"), (released, "released"), (buried, "released"), (settled, "settled")],
)
def test_a_hold_that_is_asked_for_again_is_told_its_state_and_takes_nothing(
    hold_copies: HoldCopies, catalog_store: CatalogStore, keep_stock: KeepStock, before: Prepare, outcome: str
) -> None:
    item = add_book(keep_stock, STOCK).item_number
    before(hold_copies, catalog_store, item)
    stock, position = stock_of(catalog_store, item), hold_copies.hold(HoldBatch(holds=(a_hold((item, 1)),)))[1]
    again, same_position = hold_copies.hold(HoldBatch(holds=(a_hold((item, 1)),)))
    assert again.answers[0].outcome == outcome
    assert (stock_of(catalog_store, item), same_position) == (stock, position)


def test_a_hold_has_the_title_and_price_of_its_moment_for_ever(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore
) -> None:
    item = add_book(keep_stock, STOCK, title="Xen", price_minor=1500).item_number
    first = hold(hold_copies, a_hold((item, COPIES)))
    with catalog_store.writing() as tx:
        tx.set_price(item, 9999)
    assert hold(hold_copies, a_hold((item, COPIES))) == first
    assert first[0].lines == (HeldLine(item_number=item, title="Xen", quantity=COPIES, price_minor=1500),)


def test_a_refusal_names_what_was_short_and_stays_when_copies_come(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore
) -> None:
    scarce, plenty = add_book(keep_stock, 1).item_number, add_book(keep_stock, 9).item_number
    first = hold(hold_copies, a_hold((scarce, 2), (plenty, 2)))
    assert first[0].shortages == (Shortage(item_number=scarce, requested=2, available=1),)
    with catalog_store.writing() as tx:
        tx.change_stock(scarce, 10)
    assert hold(hold_copies, a_hold((scarce, 2), (plenty, 2))) == first
    assert (stock_of(catalog_store, scarce), stock_of(catalog_store, plenty)) == (11, 9)


@pytest.mark.parametrize("owner", [("ben", "hash"), ("ann", "another")])
@pytest.mark.parametrize("before", [held, refused, buried, settled])
def test_nobody_touches_the_hold_of_another_purchase(
    hold_copies: HoldCopies, catalog_store: CatalogStore, keep_stock: KeepStock, before: Prepare, owner: tuple[str, str]
) -> None:
    item = add_book(keep_stock, STOCK).item_number
    before(hold_copies, catalog_store, item)
    then = state_of(catalog_store), stock_of(catalog_store, item)
    account_id, purchase_hash = owner
    request = a_hold((item, 1), account_id=account_id, purchase_hash=purchase_hash)
    order = an_order(account_id=account_id, purchase_hash=purchase_hash)
    assert hold(hold_copies, request)[0] == HoldAnswer(order_id=order_id(1), outcome="hash-mismatch")
    assert settle(hold_copies, order)[0].conflict is not None
    assert release(hold_copies, order)[0].conflict is not None
    assert (state_of(catalog_store), stock_of(catalog_store, item)) == then


def test_an_unknown_or_withdrawn_book_leaves_no_hold_and_uses_up_no_order(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore
) -> None:
    item, gone = add_book(keep_stock).item_number, add_book(keep_stock).item_number
    keep_stock.withdraw_book(gone, WithdrawBook(actor="staff"))
    answer = hold(hold_copies, a_hold((item, 1), (gone, 1), (999_999, 1)))[0]
    assert (answer.outcome, answer.unknown_items) == ("unknown-book", (gone, 999_999))
    assert (state_of(catalog_store), stock_of(catalog_store, item)) == ("absent", 5)
    assert hold(hold_copies, a_hold((item, 1)))[0].outcome == "held"


def test_copies_come_back_to_a_book_that_was_withdrawn_meanwhile(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore
) -> None:
    item = add_book(keep_stock, STOCK).item_number
    hold(hold_copies, a_hold((item, COPIES)))
    keep_stock.withdraw_book(item, WithdrawBook(actor="staff"))
    release(hold_copies, an_order())
    assert stock_of(catalog_store, item) == STOCK


def test_lines_of_one_book_are_summed(
    hold_copies: HoldCopies, keep_stock: KeepStock, catalog_store: CatalogStore
) -> None:
    item = add_book(keep_stock, STOCK).item_number
    assert hold(hold_copies, a_hold((item, 3), (item, 3)))[0].shortages[0].requested == 6
    assert hold(hold_copies, a_hold((item, 2), (item, 2), number=2))[0].lines[0].quantity == 4
    assert stock_of(catalog_store, item) == 1
