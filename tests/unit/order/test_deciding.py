"""What is decided of a purchase, whatever state its hold is in, and how a decision reads."""

from datetime import UTC, datetime

import pytest

from bazar.contracts.purchasing import HeldLine, HoldAnswer, HoldRequest, Line, Shortage
from bazar.order.domain.decisions import Decision, OrderedLine, Outcome, ShortLine
from bazar.order.use_cases.place_order import Purchase, decide

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
HELD_LINES = (
    HeldLine(item_number=1, title="DOS", quantity=2, price_minor=4000),
    HeldLine(item_number=2, title="RPCs", quantity=1, price_minor=2199),
)
ORDERED_LINES = (OrderedLine(1, "DOS", 2, 4000), OrderedLine(2, "RPCs", 1, 2199))
TOTAL = 2 * 4000 + 2199


def purchase(expected_total_minor: int | None = None) -> Purchase:
    hold = HoldRequest(
        order_id="a" * 32,
        account_id="reader",
        purchase_hash="hash",
        lines=(Line(item_number=1, quantity=2), Line(item_number=2, quantity=1)),
    )
    return Purchase(hold, expected_total_minor)


def answer(outcome: str) -> HoldAnswer:
    if outcome == "refused":
        shortages = (Shortage(item_number=1, requested=2, available=1),)
        return HoldAnswer(order_id="a" * 32, outcome="refused", shortages=shortages)
    return HoldAnswer(order_id="a" * 32, outcome=outcome, lines=HELD_LINES)  # type: ignore[arg-type]  # parametrised


@pytest.mark.parametrize(
    ("state", "expected_total", "outcome", "lines", "shortages"),
    [
        ("held", None, Outcome.CONFIRMED, ORDERED_LINES, ()),
        ("held", TOTAL, Outcome.CONFIRMED, ORDERED_LINES, ()),
        ("held", TOTAL - 1, Outcome.PRICE_CHANGED, ORDERED_LINES, ()),
        ("held", TOTAL + 1, Outcome.PRICE_CHANGED, ORDERED_LINES, ()),
        ("held", 0, Outcome.PRICE_CHANGED, ORDERED_LINES, ()),
        ("refused", None, Outcome.OUT_OF_STOCK, (), (ShortLine(1, 2, 1),)),
        ("refused", 1, Outcome.OUT_OF_STOCK, (), (ShortLine(1, 2, 1),)),
        ("released", None, Outcome.CANCELLED, (), ()),
        ("released", 1, Outcome.CANCELLED, (), ()),
        # Only a restore shows these: the hold outlived its decision, which was confirmed.
        ("settled", TOTAL, Outcome.CONFIRMED, ORDERED_LINES, ()),
        ("returned", TOTAL, Outcome.CONFIRMED, ORDERED_LINES, ()),
    ],
)
def test_what_follows_from_the_state_of_the_hold(
    state: str,
    expected_total: int | None,
    outcome: Outcome,
    lines: tuple[OrderedLine, ...],
    shortages: tuple[ShortLine, ...],
) -> None:
    assert decide(purchase(expected_total), answer(state), NOW, "USD") == Decision(
        order_id="a" * 32,
        account_id="reader",
        purchase_hash="hash",
        outcome=outcome,
        decided_at=NOW,
        currency="USD",
        lines=lines,
        shortages=shortages,
    )


def test_total_is_the_sum_of_the_lines() -> None:
    assert decide(purchase(), answer("held"), NOW, "USD").total_minor == TOTAL


@pytest.mark.parametrize(
    ("lines", "message"),
    [(ORDERED_LINES[:1], "bought book DOS"), (ORDERED_LINES, "bought books DOS, RPCs")],
)
def test_message_names_the_books(lines: tuple[OrderedLine, ...], message: str) -> None:
    decision = Decision("a" * 32, "reader", "hash", Outcome.CONFIRMED, NOW, "USD", lines)
    assert decision.message == message
