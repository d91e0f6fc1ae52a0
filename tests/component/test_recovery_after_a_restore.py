"""Decisions and holds come together again when one database, or both, are of an older state than before."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bazar.contracts.counter import MoveOrder
from bazar.contracts.purchasing import CancelOrder, SettleOrder
from bazar.order.domain.decisions import Decision
from bazar.order.domain.errors import CatalogAway, GivenUp, OutOfStock
from bazar.order.use_cases import reconcile
from bazar.order.use_cases.hand_out_orders import HandOutOrders
from conftest import MovableClock
from faulty_catalog import AtOnce, Crash, RecoveringShop, answer_lost, crash_after, crash_before, recovering_shop
from shop_in_process import books_out_of_balance

STOCK = 20
ITEM = 1


@pytest.fixture
def shop(tmp_path: Path, clock: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch) -> Iterator[RecoveringShop]:
    monkeypatch.setattr(reconcile, "DECISIONS_TOGETHER", 2)
    with recovering_shop(tmp_path, clock) as opened:
        assert opened.book(stock=STOCK).item_number == ITEM
        opened.reconcile()
        yield opened


def forget_decision(shop: RecoveringShop, *order_ids: str) -> None:
    """The order server's database is of before these were decided."""
    with shop.order_database.writing() as connection:
        for table in ("cancellations", "decisions"):
            for order_id in order_ids:
                connection.execute(sa.text(f"DELETE FROM {table} WHERE order_id = :id"), {"id": order_id})  # noqa: S608 - names of tables
    with shop.orders.writing() as tx:
        tx.forget_comparison()


def forget_hold(shop: RecoveringShop, *order_ids: str) -> None:
    """The catalog's database is of before these were held."""
    with shop.catalog_database.writing() as connection:
        for order_id in order_ids:
            connection.execute(
                sa.text(
                    "UPDATE books SET stock = stock + (SELECT sum(quantity) FROM hold_lines WHERE order_id = :id AND "
                    "hold_lines.item_number = books.item_number) WHERE item_number IN "
                    "(SELECT item_number FROM hold_lines WHERE order_id = :id)"
                ),
                {"id": order_id},
            )
            for table in ("hold_lines", "holds"):
                connection.execute(sa.text(f"DELETE FROM {table} WHERE order_id = :id"), {"id": order_id})  # noqa: S608 - names of tables
    with shop.catalog_store.writing() as tx:
        tx.renew_epoch()


def sold(shop: RecoveringShop, key: str = "k", copies: int = 2) -> Decision:
    return shop.buy(key, (ITEM, copies), finisher=AtOnce(shop.finish_orders()))


def epoch(shop: RecoveringShop) -> str:
    """Of the catalog: what differs is told with it, so that it is told anew after the next restore."""
    with shop.catalog_store.reading() as tx:
        return tx.position().rpartition("-")[0]


def cancelled(shop: RecoveringShop) -> dict[str, str]:
    with shop.order_database.reading() as connection:
        return dict(connection.execute(sa.text("SELECT order_id, actor FROM cancellations")).all())


def test_a_settled_hold_without_a_decision_is_confirmed_from_its_row(shop: RecoveringShop, clock: MovableClock) -> None:
    before = sold(shop)
    forget_decision(shop, before.order_id)
    clock.advance(days=1)
    assert shop.reconcile()
    with shop.orders.reading() as tx:
        found = tx.decision(before.order_id)
    assert found is not None
    assert (found.lines, found.decided_at, found.currency) == (before.lines, before.decided_at, before.currency)
    assert (found.account_id, found.purchase_hash) == (before.account_id, before.purchase_hash)
    assert shop.answer("k", (ITEM, 2)) == found
    assert shop.stuck() == {}
    shop.assert_nothing_lost()


def test_a_released_hold_without_a_decision_is_cancelled(shop: RecoveringShop) -> None:
    order_id = shop.leave_open("k", (ITEM, 2))
    shop.sweep_until_quiet()
    forget_decision(shop, order_id)
    assert shop.reconcile()
    assert shop.decisions() == {order_id: "cancelled"}
    with shop.orders.reading() as tx:
        (decision,) = tx.decisions([order_id])
    assert decision.lines == ()
    with pytest.raises(GivenUp):
        shop.buy("k", (ITEM, 2))
    shop.assert_nothing_lost()


def test_a_returned_hold_without_a_decision_is_confirmed_and_cancelled(shop: RecoveringShop) -> None:
    order = sold(shop)
    shop.cancel(order.order_id)
    shop.returns().return_copies()
    forget_decision(shop, order.order_id)
    assert shop.reconcile()
    assert shop.decisions() == {order.order_id: "confirmed"}
    assert cancelled(shop) == {order.order_id: "recovery"}
    shop.returns().return_copies()
    assert (shop.stock(ITEM), shop.stuck()) == (STOCK, {})


def test_a_decision_that_lacks_its_cancellation_gets_one(shop: RecoveringShop) -> None:
    order = sold(shop)
    shop.cancel(order.order_id)
    shop.returns().return_copies()
    with shop.orders.writing() as tx:
        tx.forget_comparison()
    with shop.order_database.writing() as connection:
        connection.execute(sa.text("DELETE FROM cancellations"))
    assert shop.reconcile()
    assert cancelled(shop) == {order.order_id: "recovery"}
    assert shop.stuck() == {}


def test_what_was_handed_out_since_the_restore_is_stuck_instead_of_cancelled(shop: RecoveringShop) -> None:
    order = sold(shop)
    shop.cancel(order.order_id)
    shop.returns().return_copies()
    with shop.orders.writing() as tx:
        tx.forget_comparison()
    with shop.order_database.writing() as connection:
        connection.execute(sa.text("DELETE FROM cancellations"))
    HandOutOrders(shop.orders, shop.clock).move_order(order.order_id, MoveOrder(actor="staff", to="collected"))
    assert shop.reconcile()
    assert cancelled(shop) == {}
    (why,) = shop.stuck().values()
    assert why.startswith("it was collected, and its copies had been returned")
    assert epoch(shop) in why


def test_a_refused_hold_without_a_decision_decides_when_its_key_comes_again(shop: RecoveringShop) -> None:
    with pytest.raises(OutOfStock):
        sold(shop, copies=STOCK + 1)
    (order_id,) = shop.decisions()
    forget_decision(shop, order_id)
    assert shop.reconcile()
    assert shop.decisions() == {}
    with pytest.raises(OutOfStock):
        shop.buy("k", (ITEM, STOCK + 1))
    assert (shop.decisions(), shop.stuck()) == ({order_id: "out-of-stock"}, {})


def test_an_open_hold_without_a_decision_is_left_to_the_sweep(shop: RecoveringShop) -> None:
    order = shop.buy("k", (ITEM, 2))
    forget_decision(shop, order.order_id)
    assert shop.reconcile()
    assert shop.decisions() == {}
    shop.sweep_until_quiet()
    assert (shop.decisions(), shop.stock(ITEM)) == ({order.order_id: "cancelled"}, STOCK)


def test_confirmed_orders_without_a_hold_are_stuck_and_their_keys_keep_their_answers(shop: RecoveringShop) -> None:
    kept = sold(shop, "kept")
    lost = [sold(shop, f"lost-{number}") for number in range(3)]
    forget_hold(shop, *(order.order_id for order in lost))
    assert shop.reconcile()
    assert shop.stuck().keys() == {order.order_id for order in lost}
    assert all("a hold that is not there cannot be settled" in reason for reason in shop.stuck().values())
    for order in lost:
        assert shop.answer(f"lost-{lost.index(order)}", (ITEM, 2)) == order
    assert shop.stock(ITEM) == STOCK - 2
    assert shop.holds() == {kept.order_id: "settled"}


def test_a_settled_hold_of_a_purchase_that_was_answered_otherwise_is_stuck(shop: RecoveringShop) -> None:
    order = sold(shop)
    for outcome in ("cancelled", "price-changed", "out-of-stock"):
        with shop.order_database.writing() as connection:
            connection.execute(sa.text("UPDATE decisions SET outcome = :outcome"), {"outcome": outcome})
            connection.execute(sa.text("DELETE FROM stuck_orders"))
        with shop.orders.writing() as tx:
            tx.forget_comparison()
        assert shop.reconcile()
        assert shop.stuck().keys() == {order.order_id}
        assert epoch(shop) in shop.stuck()[order.order_id]


def test_a_hold_of_another_purchase_is_stuck_whatever_its_state(shop: RecoveringShop) -> None:
    orders = [sold(shop, key) for key in ("settled", "returned")]
    shop.cancel(orders[1].order_id)
    shop.returns().return_copies()
    with shop.order_database.writing() as connection:
        connection.execute(sa.text("DELETE FROM cancellations"))
        connection.execute(sa.text("UPDATE decisions SET purchase_hash = 'another'"))
    with shop.orders.writing() as tx:
        tx.forget_comparison()
    assert shop.reconcile()
    assert shop.stuck().keys() == {order.order_id for order in orders}
    assert cancelled(shop) == {}


def test_all_acknowledgements_are_void(shop: RecoveringShop) -> None:
    """The catalog has forgotten what it settled, released and returned; it is all done again."""
    settled, returned = sold(shop, "settled"), sold(shop, "returned")
    shop.cancel(returned.order_id)
    shop.returns().return_copies()
    assert shop.returns().return_copies() == 0
    price_changed = shop.answer("price", (ITEM, 1), expected_total=1)
    shop.sweep_until_quiet()
    assert price_changed
    with shop.catalog_database.writing() as connection:
        connection.execute(sa.text("UPDATE books SET stock = stock - 3"))
        connection.execute(sa.text("UPDATE holds SET state = 'held'"))
    with shop.catalog_store.writing() as tx:
        tx.renew_epoch()
    assert shop.reconcile()
    assert shop.returns().return_copies() == 1
    assert shop.stock(ITEM) == STOCK - 2
    assert shop.holds()[settled.order_id] == "settled"
    assert shop.holds()[returned.order_id] == "returned"
    assert sorted(shop.holds().values()) == ["released", "returned", "settled"]
    assert (shop.stuck(), books_out_of_balance(shop.catalog_database)) == ({}, [])


def test_a_cancelled_order_without_a_hold_is_stuck(shop: RecoveringShop) -> None:
    order = sold(shop)
    shop.cancel(order.order_id)
    shop.returns().return_copies()
    forget_hold(shop, order.order_id)
    shop.reconcile()
    assert shop.stuck() == {}
    shop.returns().return_copies()
    assert shop.stuck().keys() == {order.order_id}
    with shop.orders.reading() as tx:
        assert {one.what for one in tx.happened_to(order.order_id)} == {"cancelled", "stuck"}


def test_it_compares_once_and_again_after_the_next_restore(shop: RecoveringShop) -> None:
    assert not shop.reconcile()
    for restore in (forget_hold, forget_decision):
        restore(shop)
        assert shop.reconcile()
        assert not shop.reconcile()


@pytest.mark.parametrize("fault", [crash_before, crash_after, answer_lost])
@pytest.mark.parametrize("call", ["kept_holds", "settle", "release"])
@pytest.mark.parametrize("nth", range(3))
def test_what_interrupts_it_is_no_matter(shop: RecoveringShop, fault: object, call: str, nth: int) -> None:
    sold_before = [sold(shop, f"sold-{number}") for number in range(4)]
    shop.leave_open("open", (ITEM, 1))
    shop.sweep_until_quiet()
    gone = sold(shop, "gone")
    forget_decision(shop, sold_before[0].order_id, sold_before[1].order_id)
    forget_hold(shop, gone.order_id)
    shop.catalog.meets(call, *([lambda call: call()] * nth), fault)  # type: ignore[arg-type]  # faults of any result
    with suppress(Crash, CatalogAway):
        shop.reconcile()
    shop.reconcile()
    assert not shop.reconcile()
    assert shop.stuck().keys() == {gone.order_id}
    expected = {**{order.order_id: "confirmed" for order in sold_before}, gone.order_id: "confirmed"}
    assert {order_id: outcome for order_id, outcome in shop.decisions().items() if outcome == "confirmed"} == expected
    assert books_out_of_balance(shop.catalog_database) == []


def test_purchases_and_cancels_in_the_middle_of_it_are_not_taken_for_differences(shop: RecoveringShop) -> None:
    sold(shop, "before")
    forget_hold(shop)

    def meanwhile(call: Callable[[], object]) -> object:
        """Somebody buys, and somebody buys and cancels, between what is read and what is done."""
        before = call()
        number = len(shop.catalog.calls)
        sold(shop, f"bought-{number}")
        order = sold(shop, f"cancelled-{number}")
        shop.cancel(order.order_id)
        shop.returns().return_copies()
        return before

    shop.catalog.meets("kept_holds", *[meanwhile] * 3)
    assert shop.reconcile()
    shop.returns().return_copies()
    assert shop.stuck() == {}
    assert books_out_of_balance(shop.catalog_database) == []


def test_what_was_ended_by_hand_comes_back_after_the_next_restore_alone(shop: RecoveringShop) -> None:
    order = sold(shop)
    forget_hold(shop, order.order_id)
    shop.reconcile()
    shop.end_stuck().settle(order.order_id, SettleOrder(actor="staff"))
    with shop.orders.writing() as tx:
        tx.forget_comparison()  # the order server alone is restored: the catalog is as it was
    assert shop.reconcile()
    assert shop.stuck() == {}
    forget_hold(shop)
    assert shop.reconcile()
    assert shop.stuck().keys() == {order.order_id}


def test_a_cancellation_by_hand_gives_back_what_an_older_catalog_counts_as_sold(shop: RecoveringShop) -> None:
    order = sold(shop)
    with shop.order_database.writing() as connection:
        connection.execute(sa.text("UPDATE decisions SET outcome = 'cancelled'"))
    with shop.orders.writing() as tx:
        tx.forget_comparison()
    shop.reconcile()
    assert shop.end_stuck().cancel(order.order_id, CancelOrder(actor="staff")) is not None
    assert shop.holds() == {order.order_id: "returned"}
    assert (shop.stock(ITEM), shop.stuck()) == (STOCK, {})
