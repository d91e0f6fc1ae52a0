"""The mixes of TPC-W: their shares, and interactions that are drawn by them."""

import random
from collections import Counter

import pytest

from bench.shares import MIXES, SHARES, Deck


@pytest.mark.parametrize("mix", MIXES)
def test_the_shares_of_a_mix_are_all_of_it(mix: str) -> None:
    assert len(SHARES) == 14
    assert sum(shares[MIXES.index(mix)] for shares in SHARES.values()) == pytest.approx(100)


def test_interactions_come_as_often_as_their_share() -> None:
    deck = Deck("shopping", random.Random(1))  # noqa: S311 - no secret
    drawn = Counter(deck.draw() for _ in range(20_000))
    assert drawn["Search Request"] == pytest.approx(4_000, rel=0.05)
    assert drawn["Buy Confirm"] == pytest.approx(240, rel=0.3)
