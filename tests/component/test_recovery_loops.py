"""The loops "settle" and "sweep": what they do at once, what they leave, and how they end."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from bazar.order.domain.decisions import Decision, Outcome
from bazar.order.domain.errors import CatalogAway
from bazar.order.recovery import settle, sweep
from bazar.order.recovery.settle import MOST_TOGETHER, SettleLoop
from bazar.order.recovery.sweep import SweepLoop
from faulty_catalog import RecoveringShop, recovering_shop
from processes import wait_until

NOW = datetime.fromisoformat("2026-01-31T12:00:00Z")


@pytest.fixture
def shop(tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[RecoveringShop]:
    with recovering_shop(tmp_path, clock) as opened:
        yield opened


def a_decision(number: int) -> Decision:
    return Decision(f"{number}", "reader", "hash", Outcome.CONFIRMED, NOW, "USD")


class Slow:
    """Stands in for FinishOrders: notes its batches and waits to be let go."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.go = threading.Event()

    def __call__(self, decisions: Sequence[Decision]) -> None:
        self.batches.append(len(decisions))
        self.go.wait(10)


def runs(name: str) -> bool:
    return name in {thread.name for thread in threading.enumerate()}


def test_a_decision_is_settled_soon_and_the_buyer_does_not_wait(shop: RecoveringShop) -> None:
    item = shop.book(3).item_number
    loop = SettleLoop(shop.finish_orders().finish)
    loop.start()
    try:
        shop.buy("one", (item, 1), finisher=loop)
        shop.buy("two", (item, 1), finisher=loop)
        wait_until(lambda: list(shop.holds().values()) == ["settled", "settled"])
    finally:
        loop.stop()
    shop.assert_nothing_lost()


def test_what_it_loses_the_sweep_finds(shop: RecoveringShop) -> None:
    item = shop.book(3).item_number
    loop = SettleLoop(shop.finish_orders().finish)
    loop.start()
    try:
        shop.catalog.meets("settle", shop.catalog.late)
        shop.buy("lost", (item, 1), finisher=loop)
        wait_until(lambda: "settle" in shop.catalog.calls)
        shop.buy("settled", (item, 1), finisher=loop)
        wait_until(lambda: "settled" in shop.holds().values())
    finally:
        loop.stop()
    assert sorted(shop.holds().values()) == ["held", "settled"]
    shop.sweeper().sweep()
    assert sorted(shop.holds().values()) == ["settled", "settled"]
    shop.catalog.deliver()
    shop.assert_nothing_lost()


def test_what_waits_while_it_works_goes_together() -> None:
    slow = Slow()
    loop = SettleLoop(slow)
    loop.start()
    try:
        loop.finish(a_decision(0))
        wait_until(lambda: slow.batches == [1])
        for number in range(MOST_TOGETHER + 1):
            loop.finish(a_decision(number))
        slow.go.set()
        wait_until(lambda: slow.batches == [1, MOST_TOGETHER, 1])
    finally:
        loop.stop()


def test_it_keeps_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "MOST_WAITING", 10)
    done: list[Decision] = []
    loop = SettleLoop(done.extend)
    for number in range(25):
        loop.finish(a_decision(number))
    loop.start()
    wait_until(lambda: len(done) == 10)
    loop.stop()
    assert [decision.order_id for decision in done] == [str(number) for number in range(15, 25)]


@pytest.mark.parametrize("error", [CatalogAway("gone"), RuntimeError("nobody foresaw this")])
def test_an_error_ends_the_batch_and_not_the_loop(error: Exception) -> None:
    done: list[str] = []

    def finish(decisions: Sequence[Decision]) -> None:
        done.extend(decision.order_id for decision in decisions)
        if done == ["0"]:
            raise error

    loop = SettleLoop(finish)
    loop.start()
    try:
        loop.finish(a_decision(0))
        wait_until(lambda: done == ["0"])
        loop.finish(a_decision(1))
        wait_until(lambda: done == ["0", "1"])
    finally:
        loop.stop()


def test_stop_waits_for_the_batch_at_hand_and_ends_the_loop() -> None:
    slow = Slow()
    loop = SettleLoop(slow)
    loop.start()
    loop.finish(a_decision(0))
    wait_until(lambda: slow.batches == [1])
    assert runs("settle")
    stopping = threading.Thread(target=loop.stop)
    stopping.start()
    stopping.join(0.05)
    assert stopping.is_alive()
    slow.go.set()
    stopping.join(10)
    assert not runs("settle")
    loop.finish(a_decision(1))
    assert slow.batches == [1]


def test_stop_before_the_start_is_no_mistake() -> None:
    SettleLoop(Slow()).stop()
    SweepLoop(lambda: 0, lambda: 0).stop()


def test_the_sweep_goes_on_though_the_catalog_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "REST_SECONDS", 0.001)
    rounds: list[int] = []

    def one_round() -> int:
        rounds.append(1)
        if len(rounds) == 1:
            raise CatalogAway("gone")
        return 0

    loop = SweepLoop(one_round, lambda: 0)
    loop.start()
    wait_until(lambda: len(rounds) > 2)
    assert runs("sweep")
    loop.stop()
    assert not runs("sweep")


def test_what_cannot_be_returned_keeps_nothing_from_being_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "REST_SECONDS", 0.001)
    rounds: list[int] = []

    def one_round() -> int:
        rounds.append(1)
        return 0

    def cannot_return() -> int:
        raise CatalogAway("it refuses the batch")

    loop = SweepLoop(one_round, cannot_return)
    loop.start()
    wait_until(lambda: len(rounds) > 2)
    loop.stop()
