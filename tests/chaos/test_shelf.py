"""The checker of histories says yes to what a shelf can do, and no to what it can't."""

import random
from math import inf

import pytest

from chaos import shelf
from chaos.shelf import Event, Undecided, misfit

END = 100.0
LATER = END + 1


def bought(begin: float, end: float, copies: int = 1) -> Event:
    return Event("bought", begin, end, -copies)


def refused(begin: float, end: float, there: int) -> Event:
    return Event("refused", begin, end, there=there)


def taken_in(begin: float, end: float, copies: int) -> Event:
    return Event("taken in", begin, end, copies)


def counted(at: float, there: int) -> Event:
    return Event("counted", at, at, there=there)


def given_back(begin: float, end: float, copies: int = 1) -> Event:
    return Event("price changed", begin, end, -copies, comes_back=True)


def test_copies_are_bought_until_none_is_left() -> None:
    assert misfit(2, [bought(0, 1), bought(0, 1), refused(0, 2, there=0), counted(3, 0)], END) is None


@pytest.mark.parametrize("copies", [1, 2])
def test_an_oversell_is_noticed(copies: int) -> None:
    assert misfit(copies, [bought(0, 1) for _ in range(copies + 1)], END)


def test_a_refusal_while_copies_were_there_all_the_time_is_noticed() -> None:
    assert misfit(2, [refused(0, 5, there=0), bought(6, 7)], END)
    assert misfit(2, [bought(0, 1), refused(2, 5, there=0), bought(6, 7)], END)


def test_a_refusal_is_right_where_one_moment_of_its_time_allows_it() -> None:
    assert misfit(1, [bought(0, 9), refused(2, 5, there=0), taken_in(6, 7, 1)], END) is None
    assert misfit(1, [bought(6, 9), refused(2, 5, there=0)], END)


def test_a_refusal_has_to_tell_the_right_number_of_copies() -> None:
    assert misfit(3, [bought(0, 1), refused(2, 3, there=2)], END) is None
    assert misfit(3, [bought(0, 1), refused(2, 3, there=1)], END)


def test_goods_that_arrive_after_the_sale_do_not_explain_it() -> None:
    assert misfit(0, [taken_in(0, 3, 1), bought(2, 4)], END) is None
    assert misfit(0, [taken_in(3, 4, 1), bought(0, 2)], END)


def test_what_nobody_was_told_of_happened_at_any_later_time() -> None:
    late = bought(0, inf)
    assert misfit(1, [late, bought(1, 2), refused(50, 51, there=0), taken_in(60, 61, 1)], END) is None
    assert misfit(1, [late, bought(1, 2), refused(50, 51, there=0)], END)
    assert misfit(1, [bought(40, inf), refused(30, 31, there=0)], END)


def test_copies_of_a_purchase_that_was_not_to_be_come_back_once() -> None:
    changed = given_back(0, 1)
    assert misfit(1, [changed, refused(2, 3, there=0), bought(4, 5), counted(LATER, 0)], END) is None
    assert misfit(1, [changed, counted(LATER, 0)], END)
    assert misfit(1, [changed, bought(4, 5), bought(6, 7)], END)


def test_the_last_count_is_part_of_the_history() -> None:
    assert misfit(5, [bought(0, 1), counted(LATER, 4)], END) is None
    assert misfit(5, [bought(0, 1), counted(LATER, 5)], END)


def test_a_search_without_end_is_told_apart_from_a_wrong_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MOST_STATES", 3)
    initial, events = history_of_a_shelf(random.Random(0))  # noqa: S311 - no secret
    with pytest.raises(Undecided):
        misfit(initial, events, END)


@pytest.mark.parametrize("last", [bought(60, 61), refused(60, 61, there=1)])
def test_what_cannot_come_true_later_is_seen_before_every_order_is_tried(
    monkeypatch: pytest.MonkeyPatch, last: Event
) -> None:
    monkeypatch.setattr(shelf, "MOST_STATES", 100)
    sizes = range(1, 15)  # of 14 sales that come in any order: 87 billion
    assert misfit(sum(sizes), [*(bought(0, 50, copies) for copies in sizes), last], END)


@pytest.mark.parametrize("seed", range(5))
def test_long_histories_of_a_real_shelf_fit_and_stop_fitting_when_one_answer_is_changed(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    initial, events = history_of_a_shelf(rng)
    assert misfit(initial, events, END) is None
    refusals = [number for number, event in enumerate(events) if event.there is not None]
    wrong = rng.choice(refusals)
    events[wrong] = refused(events[wrong].begin, events[wrong].end, there=1_000)
    assert misfit(initial, events, END)


@pytest.mark.parametrize("seed", range(5))
def test_histories_fit_in_which_most_sales_are_cancelled_and_some_answers_take_long(seed: int) -> None:
    """When a cancelled copy came back is not told: which moment is right shows much later, when copies are lacking."""
    initial, events = history_of_cancelled_sales(random.Random(seed))  # noqa: S311 - no secret
    assert misfit(initial, events, END) is None
    events.append(bought(END - 1, END))
    assert misfit(initial, events, END)


def history_of_cancelled_sales(rng: random.Random) -> tuple[int, list[Event]]:
    """Of few copies, so that most requests are refused or wait for a cancelled one to come back."""
    stock = initial = rng.randint(20, 60)
    events, back = [], list[tuple[float, int]]()
    for number in range(250):
        at = END * 0.9 * number / 250
        stock += sum(copies for due, copies in back if due <= at)
        back = [(due, copies) for due, copies in back if due > at]
        longest = rng.choice([0.5, 0.5, 0.5, END / 2])
        begin, end = at - rng.uniform(0, longest), min(at + rng.uniform(0, longest), END)
        copies = rng.randint(1, 3)
        if copies > stock:
            events.append(refused(begin, end, stock))
            continue
        stock -= copies
        events.append(bought(begin, end, copies))
        if rng.random() < 0.6:
            back.append((end + rng.uniform(0, 20), copies))
            events.append(taken_in(end, inf, copies))
    stock += sum(copies for _, copies in back)
    return initial, [*events, counted(LATER, stock)]


def history_of_a_shelf(rng: random.Random) -> tuple[int, list[Event]]:
    """400 requests of 16 clients, answered by a shelf at one moment each; some answers are lost."""
    stock = initial = rng.randint(5, 40)
    moments = sorted(rng.uniform(0, END * 0.9) for _ in range(400))
    gap = END * 0.9 / 400
    events, back = [], list[tuple[float, int]]()
    for at in moments:
        stock += sum(copies for due, copies in back if due <= at)
        back = [(due, copies) for due, copies in back if due > at]
        begin, end = at - rng.uniform(0, 8 * gap), at + rng.uniform(0, 8 * gap)
        copies = rng.randint(1, 3)
        if rng.random() < 0.15:
            stock += copies
            events.append(taken_in(begin, end, copies))
        elif copies > stock:
            events.append(refused(begin, end, stock))
        else:
            stock -= copies
            kind = rng.random()
            if kind < 0.1:
                back.append((at + rng.uniform(0, 5), copies))
                events.append(given_back(begin, end, copies))
            elif kind < 0.15:
                events.append(bought(begin, inf, copies))
            else:
                events.append(bought(begin, end, copies))
    stock += sum(copies for _, copies in back)
    return initial, [*events, counted(LATER, stock)]


@pytest.mark.parametrize("seed", range(80))
def test_the_search_agrees_with_one_that_tries_everything(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    fitting = 0
    for _ in range(50):
        initial, events = rng.randint(0, 3), [any_event(rng) for _ in range(6)]
        plainly = fits_by_trying_everything(initial, events)
        assert (misfit(initial, events, END) is None) == plainly, (initial, events)
        fitting += plainly
    assert 0 < fitting < 50


def any_event(rng: random.Random) -> Event:
    """Of a small shelf, so that about half of the histories fit."""
    begin = rng.choice([rng.uniform(0, 5), rng.randint(0, 5)])
    end = begin + rng.choice([rng.uniform(0, 6), rng.randint(0, 6)])
    copies = rng.randint(1, 2)
    match rng.randrange(7):
        case 0 | 1:
            return bought(begin, end, copies)
        case 2:
            return refused(begin, end, there=rng.randint(0, 1))
        case 3:
            return taken_in(begin, end, copies)
        case 4:
            return bought(begin, inf, copies)
        case 5:
            return given_back(begin, rng.choice([end, inf]), copies)
        case _:
            return Event("taken in and counted", begin, end, copies, there=rng.randint(1, 4))


def fits_by_trying_everything(initial: int, events: list[Event]) -> bool:
    """All orders of all events, and of what comes back."""

    def fits(stock: int, left: frozenset[int], out: frozenset[int]) -> bool:
        if not left and not out:
            return True
        horizon = min([END, *(min(events[n].end, END) for n in left)])
        for n in left:
            event, then = events[n], stock + events[n].change
            if event.begin <= horizon and then >= 0 and event.there in (None, then):
                now_out = out | {n} if event.comes_back else out
                if fits(then, left - {n}, now_out):
                    return True
        return any(fits(stock - events[n].change, left, out - {n}) for n in out)

    return fits(initial, frozenset(range(len(events))), frozenset())
