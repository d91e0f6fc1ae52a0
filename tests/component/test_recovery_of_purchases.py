"""A purchase that dies at any of its steps: one decision, one decrement, and nothing left over."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.domain.errors import (
    CatalogAway,
    GivenUp,
    PriceChanged,
)
from faulty_catalog import (
    AtOnce,
    Crash,
    Crashing,
    Forgetful,
    RecoveringShop,
    answer_lost,
    crash_after,
    crash_before,
    doubled,
    recovering_shop,
    request_lost,
)

STOCK = 3


@pytest.fixture
def shop(tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[RecoveringShop]:
    with recovering_shop(tmp_path, clock) as opened:
        yield opened


# What the buyer wants → (copies, expected total); the price is 1000.
WISHES = {
    "confirmed": (2, 2000),
    "out-of-stock": (STOCK + 1, None),
    "price-changed": (2, 1999),
}
#: The steps of a purchase (docs/life-of-a-purchase.md) after which the order server is killed.
STEPS = ("before the hold", "after the hold", "after the decision", "after it was finished")


def die(shop: RecoveringShop, step: str, *line: tuple[int, int], expected_total: int | None) -> None:
    """Buy, and be killed at this step."""
    if step == "before the hold":
        shop.catalog.meets("hold", crash_before)
    if step == "after the hold":
        shop.catalog.meets("hold", crash_after)
    inner = Forgetful() if step == "after the decision" else AtOnce(shop.finish_orders())
    with pytest.raises(Crash):
        shop.buy("key", *line, expected_total=expected_total, finisher=Crashing(inner))


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("step", STEPS)
def test_killed_then_repeated_then_swept(shop: RecoveringShop, step: str, wish: str) -> None:
    item = shop.book(STOCK).item_number
    copies, total = WISHES[wish]
    die(shop, step, (item, copies), expected_total=total)
    first = shop.answer("key", (item, copies), expected_total=total)
    shop.sweep_until_quiet()
    assert shop.answer("key", (item, copies), expected_total=total) == first
    assert list(shop.decisions().values()) == [wish]
    assert shop.stock(item) == (STOCK - copies if wish == "confirmed" else STOCK)
    shop.assert_nothing_lost()


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("step", STEPS)
def test_killed_then_swept_then_repeated(shop: RecoveringShop, step: str, wish: str) -> None:
    item = shop.book(STOCK).item_number
    copies, total = WISHES[wish]
    die(shop, step, (item, copies), expected_total=total)
    shop.sweep_until_quiet()
    first = shop.answer("key", (item, copies), expected_total=total)
    shop.sweep_until_quiet()
    assert shop.answer("key", (item, copies), expected_total=total) == first
    # Only copies that nobody had decided on are given up; a refusal holds none.
    given_up = step == "after the hold" and wish != "out-of-stock"
    assert list(shop.decisions().values()) == ["cancelled" if given_up else wish]
    assert shop.stock(item) == (STOCK - copies if wish == "confirmed" and not given_up else STOCK)
    shop.assert_nothing_lost()


@pytest.mark.parametrize("step", STEPS)
def test_killed_and_never_repeated(shop: RecoveringShop, step: str) -> None:
    item = shop.book(STOCK).item_number
    die(shop, step, (item, 2), expected_total=None)
    shop.sweep_until_quiet()
    bought = "confirmed" in shop.decisions().values()
    assert bought == (step not in STEPS[:2])
    assert shop.stock(item) == STOCK - 2 * bought
    shop.assert_nothing_lost()


@pytest.mark.parametrize("step", STEPS)
def test_killed_twice_at_the_same_step_is_as_good_as_once(shop: RecoveringShop, step: str) -> None:
    item = shop.book(STOCK).item_number
    die(shop, step, (item, 2), expected_total=None)
    if step in STEPS[:2]:
        die(shop, step, (item, 2), expected_total=None)
    assert shop.buy("key", (item, 2)).outcome is Outcome.CONFIRMED
    shop.sweep_until_quiet()
    assert shop.stock(item) == STOCK - 2
    shop.assert_nothing_lost()


@pytest.mark.parametrize("fault", [request_lost, answer_lost])
def test_an_unknown_outcome_decides_nothing_and_the_same_key_tells_it(
    shop: RecoveringShop, fault: Callable[[Callable[[], object]], object]
) -> None:
    item = shop.book(STOCK).item_number
    shop.catalog.meets("hold", fault)
    with pytest.raises(CatalogAway):
        shop.buy("key", (item, 1))
    assert shop.decisions() == {}
    assert shop.buy("key", (item, 1)).outcome is Outcome.CONFIRMED
    shop.sweep_until_quiet()
    assert shop.stock(item) == STOCK - 1
    shop.assert_nothing_lost()


def test_doubled_calls_take_and_give_back_once(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    for call in ("hold", "settle", "release"):
        shop.catalog.meets(call, doubled, doubled)
    finish = AtOnce(shop.finish_orders())
    shop.buy("bought", (item, 1), finisher=finish)
    with pytest.raises(PriceChanged):
        shop.buy("not bought", (item, 1), expected_total=1, finisher=finish)
    assert shop.stock(item) == STOCK - 1
    assert shop.stuck() == {}
    shop.assert_nothing_lost()


def test_a_hold_that_arrives_after_everybody_left_is_given_up(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    shop.catalog.meets("hold", shop.catalog.late)
    with pytest.raises(CatalogAway):
        shop.buy("key", (item, STOCK))
    shop.catalog.deliver()
    assert shop.stock(item) == 0
    shop.sweep_until_quiet()
    assert shop.stock(item) == STOCK
    with pytest.raises(GivenUp):
        shop.buy("key", (item, STOCK))
    shop.assert_nothing_lost()


def test_a_late_hold_meets_the_answer_of_the_repetition(shop: RecoveringShop) -> None:
    item = shop.book(STOCK).item_number
    shop.catalog.meets("hold", shop.catalog.late)
    with pytest.raises(CatalogAway):
        shop.buy("key", (item, 1))
    shop.buy("key", (item, 1), finisher=AtOnce(shop.finish_orders()))
    shop.catalog.deliver()
    assert shop.stock(item) == STOCK - 1
    shop.assert_nothing_lost()


def test_a_late_hold_meets_the_tombstone(shop: RecoveringShop) -> None:
    """The order is given up before its hold arrives, as after a restore of the catalog."""
    item = shop.book(STOCK).item_number
    shop.catalog.meets("hold", shop.catalog.late)
    with pytest.raises(CatalogAway):
        shop.buy("key", (item, 1))
    (late,) = shop.catalog.asked
    given_up = Decision(late.order_id, late.account_id, late.purchase_hash, Outcome.CANCELLED, shop.clock(), "USD")
    with shop.orders.writing() as tx:
        tx.decide([given_up])
    shop.finish_orders().finish([given_up])
    assert shop.holds() == {late.order_id: "released"}
    shop.catalog.deliver()
    assert shop.holds() == {late.order_id: "released"}
    assert shop.stock(item) == STOCK
    with pytest.raises(GivenUp):
        shop.buy("key", (item, 1))
    shop.sweep_until_quiet()
    shop.assert_nothing_lost()
