"""How many emulated browsers are held: what that means, the search for it, and how they think."""

import ssl
import statistics
from collections.abc import Mapping

import pytest

from bench.shelves import SoldBook
from bench.theatre import Outcome, Run, Times
from bench.users import Search, is_held, look_for_most
from bench.visitor import LONGEST_THINK_SECONDS, MOST_LINES, Customer, Stage, Tally, Visitor

RUN = Run("SQLite", "shopping", signs_in=True, browsers=10, thinks=True)


def outcome(quick: int, slow: int = 0, failures: int = 0) -> Outcome:
    tally = Tally(milliseconds=[10.0] * quick + [1000.0] * slow, failures=["Home: wrong"] * failures)
    return Outcome(RUN, 1.0, tally, shop_cpu=0.0, front_end_cpu=0.0)


@pytest.mark.parametrize(("slow", "failures", "held"), [(0, 0, True), (5, 4, True), (5, 6, False), (0, 11, False)])
def test_a_crowd_is_held_if_99_of_100_interactions_are_quick_and_right(slow: int, failures: int, held: bool) -> None:
    assert is_held(outcome(1000 - slow - failures, slow, failures)) == held


def test_a_crowd_that_did_nothing_or_nothing_right_is_not_held() -> None:
    assert not is_held(outcome(0, failures=3))
    assert not is_held(outcome(0))


def test_one_failure_of_a_hundred_and_one_does_not_blur_the_others() -> None:
    assert is_held(outcome(100, failures=1))


@pytest.mark.parametrize(
    ("able", "tried", "most"),
    [
        (1, [100, 50, 25], 0),
        (60, [100, 50, 75], 50),
        (330, [100, 200, 400, 300, 350], 300),
        (9999, [100, 200, 400], 400),
    ],
)
def test_crowds_are_doubled_until_one_is_not_held_and_then_halved_in_between(
    able: int, tried: list[int], most: int
) -> None:
    seen: list[int] = []

    def holds(browsers: int) -> bool:
        seen.append(browsers)
        return browsers <= able

    assert look_for_most(holds, Search(first=100, most=400, finer=2, times=Times(0, 0))) == most
    assert seen == tried


def test_what_was_wrong_or_bought_while_it_warmed_up_is_not_forgotten() -> None:
    tally = Tally(milliseconds=[1.0], failures=["Home: wrong"], orders=2)
    tally.done["Home"] += 1
    tally.forget_times()
    assert tally == Tally(failures=["Home: wrong"], orders=2)


def test_visitors_think_seven_seconds_on_average_and_never_for_long() -> None:
    stage = Stage(port=1, ca_file="", books=[], subjects={}, staff="")
    visitor = Visitor(stage, ssl.create_default_context(), Customer("", "", None), "shopping", seed=1)
    thoughts = [visitor.think() for _ in range(20_000)]
    assert statistics.mean(thoughts) == pytest.approx(7, rel=0.05)
    assert max(thoughts) <= LONGEST_THINK_SECONDS


def test_who_registered_signs_in_as_the_same_again_until_the_visit_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(port=1, ca_file="", books=[], subjects={}, staff="")
    visitor = Visitor(stage, ssl.create_default_context(), Customer("ann@example.org", "", None), "shopping", seed=1)
    sent: list[tuple[str, str]] = []

    def send(path: str, fields: Mapping[str, str], _must_hold: str) -> str:
        sent.append((path, fields["email"]))
        return ""

    monkeypatch.setattr(visitor, "_send", send)
    for chance in (0.0, 0.0, 0.999):  # the first and the last begin a visit; the last has an account already
        monkeypatch.setattr(visitor._chance, "random", lambda value=chance: value)
        visitor._sign_in()
        if len(sent) == 2:
            visitor._come_anew()
    (_, new), *_ = sent
    assert new != "ann@example.org"
    assert sent == [("/register", new), ("/sign-in", new), ("/sign-in", "ann@example.org")]


def test_who_signed_out_begins_another_basket_whatever_is_in_that_of_the_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book = SoldBook(item_number=1, title="Kites", authors=("Ann Lee",), subjects=frozenset({"flight"}))
    stage = Stage(port=1, ca_file="", books=[book], subjects={}, staff="")
    visitor = Visitor(stage, ssl.create_default_context(), Customer("ann@example.org", "", None), "shopping", seed=1)
    asked: list[str] = []
    for ask in ("_see", "_send"):
        monkeypatch.setattr(visitor, ask, lambda path, *_: asked.append(path))
    visitor._sign_in()
    for _ in range(MOST_LINES + 1):
        visitor._cart()
    assert asked[-1] == "/basket"
    visitor._registration()
    visitor._cart()
    assert asked[-1] == "/books/1/basket"
