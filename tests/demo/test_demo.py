"""``make demo`` keeps its promise; and it would tell if Bazar did not keep its own."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from demo.crowd import Reply
from demo.tally import Tally

DEMO = Path(__file__).with_name("demo.py")
LONGEST_SECONDS = 120  # on a machine that has other things to do; alone it takes a fifth

BOUGHT, SOLD_OUT = Reply.BOUGHT, Reply.SOLD_OUT
RIGHT = {"ann": BOUGHT, "ben": BOUGHT, "eve": SOLD_OUT}


def tally(orders: str = "ann ben", stock: int = 0, told: dict[str, Reply] = RIGHT, buyers: int = 3) -> Tally:
    """Of two copies."""
    return Tally(copies=2, buyers=buyers, orders=Counter(orders.split()), stock=stock, told=told)


@pytest.mark.slow
def test_demo_finds_every_copy_of_bazar_sold_once_and_the_plain_store_oversold() -> None:
    shown = subprocess.run([sys.executable, DEMO], capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    rows = {
        title: (float(plain), float(bazar))
        for title, plain, bazar in re.findall(r"^ ?(\S.*?) {2,}([\d.]+) +([\d.]+) *$", shown.stdout, re.MULTILINE)
    }
    bazar = {title: values[1] for title, values in rows.items()}
    del bazar["seconds"]
    assert bazar.pop("asked again after an error") > 0  # the kill was felt
    assert bazar == {
        "copies at the start": 100,
        "buyers told 'bought'": 100,
        "orders in the store's ledger": 100,
        "stock left, as the store counts": 0,
        "sold more than there were": 0,
        "lost: told 'bought', no order": 0,
        "doubled: one buyer, another order": 0,
        "unknown: an order, not told 'bought'": 0,
        "turned away, though copies are left": 0,
        "never answered": 0,
    }
    assert rows["sold more than there were"][0] > 0


def test_tally_that_balances_has_no_fault() -> None:
    assert not tally().faults
    assert not tally(orders="ann", stock=1, told={"ann": BOUGHT}, buyers=1).faults


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (tally(orders="ann ben eve", told=dict.fromkeys(RIGHT, BOUGHT)), "oversold"),
        (tally(orders="ann"), "lost"),
        (tally(orders="ann ben ben"), "doubled"),
        (tally(orders="ann ben eve"), "unknown"),
        (tally(stock=1), "turned_away"),
        (tally(told={"ann": BOUGHT, "ben": BOUGHT}), "unanswered"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tally_counts_each_fault(wrong: Tally, fault: str) -> None:
    assert getattr(wrong, fault) == 1
    assert wrong.faults


def test_copy_that_is_neither_sold_nor_there_is_a_fault() -> None:
    assert tally(orders="ann", told={"ann": BOUGHT, "ben": SOLD_OUT, "eve": SOLD_OUT}).faults == 1
