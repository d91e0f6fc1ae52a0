"""Answers that are kept: fresh as long as the feed says so, never replaced by older ones, bounded."""

from collections.abc import Iterable

import pytest

from bazar.contracts.books import Change
from bazar.frontend.cache.answers import Answer, Answers
from bazar.frontend.cache.forms import forms_of

EPOCH = "e1"
KEY = ("/info/7", "", "")
LIST_KEY = ("/search", "q=x", "")


class MovableSeconds:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> MovableSeconds:
    return MovableSeconds()


@pytest.fixture
def answers(time: MovableSeconds) -> Answers:
    made = Answers(1_000_000, time)
    hear(made, 10, time)
    return made


def an_answer(
    number: int = 10,
    items: Iterable[int] = (7,),
    *,
    lists: bool = False,
    epoch: str = EPOCH,
    body: bytes = b"{}",
    ends_at: float = float("inf"),
) -> Answer:
    forms = forms_of([("Content-Type", "application/json")], body)
    return Answer(forms, False, epoch, number, frozenset(items), lists, 100.0, ends_at)


def hear(answers: Answers, number: int, time: MovableSeconds, *changes: Change, epoch: str = EPOCH) -> None:
    answers.follow(epoch, number, changes, time())


def change(number: int, item: int = 7, *, offer_only: bool = True) -> Change:
    return Change(number=number, item_number=item, version=number, offer_only=offer_only)


def test_what_is_kept_is_given_until_its_item_changes(answers: Answers, time: MovableSeconds) -> None:
    kept = an_answer()
    assert answers.keep(KEY, kept)
    assert answers.get(KEY) is kept
    hear(answers, 11, time, change(11, item=8))
    assert answers.get(KEY) is kept
    hear(answers, 12, time, change(12))
    assert answers.get(KEY) is None


def test_an_old_fill_never_overwrites_a_newer_version(answers: Answers, time: MovableSeconds) -> None:
    """The fill was read at 10; the change 11 was heard before it was kept."""
    hear(answers, 11, time, change(11))
    assert not answers.keep(KEY, an_answer(number=10))
    newer = an_answer(number=11)
    assert answers.keep(KEY, newer)
    assert not answers.keep(KEY, an_answer(number=10))
    assert answers.get(KEY) is newer


def test_without_the_feed_nothing_is_fresh_after_a_second(answers: Answers, time: MovableSeconds) -> None:
    kept = an_answer()
    answers.keep(KEY, kept)
    time.seconds += 0.9
    assert answers.is_fresh(kept, None)
    time.seconds += 0.2
    assert not answers.is_fresh(kept, None)
    hear(answers, 10, time)
    assert answers.is_fresh(kept, None)


def test_an_answer_ends_when_it_was_said_to(answers: Answers, time: MovableSeconds) -> None:
    kept = an_answer(ends_at=time() + 0.5)
    answers.keep(KEY, kept)
    assert answers.is_fresh(kept, None)
    time.seconds += 0.6
    assert not answers.is_fresh(kept, None)


@pytest.mark.parametrize(
    ("seen", "is_fresh"),
    [(None, True), ((EPOCH, 9), True), ((EPOCH, 10), True), ((EPOCH, 11), False), (("e0", 3), False)],
)
def test_nobody_is_given_anything_older_than_they_have_seen(
    answers: Answers, seen: tuple[str, int] | None, is_fresh: bool
) -> None:
    kept = an_answer()
    answers.keep(KEY, kept)
    assert answers.is_fresh(kept, seen) is is_fresh


def test_what_has_not_changed_is_as_new_as_the_feed(answers: Answers, time: MovableSeconds) -> None:
    kept = an_answer()
    answers.keep(KEY, kept)
    hear(answers, 50, time, change(50, item=8))
    assert answers.is_fresh(kept, (EPOCH, 50))


def test_a_list_ends_with_any_change_but_one_of_stock(answers: Answers, time: MovableSeconds) -> None:
    listed = an_answer(items=(1, 2), lists=True)
    answers.keep(LIST_KEY, listed)
    hear(answers, 11, time, change(11, item=9))
    assert answers.get(LIST_KEY) is listed
    hear(answers, 12, time, change(12, item=9, offer_only=False))
    assert answers.get(LIST_KEY) is None
    assert not answers.keep(LIST_KEY, listed)
    hear(answers, 13, time, change(13, item=9))
    assert answers.keep(LIST_KEY, an_answer(number=12, items=(1, 2), lists=True))


def test_another_epoch_ends_all_that_is_kept(answers: Answers, time: MovableSeconds) -> None:
    kept = an_answer()
    answers.keep(KEY, kept)
    hear(answers, 3, time, epoch="e2")
    assert answers.get(KEY) is None
    assert not answers.is_fresh(kept, None)
    assert not answers.keep(KEY, kept)
    assert not answers.keep(KEY, an_answer(number=2, epoch="e2"))  # what changed between 2 and 3 was not heard
    assert answers.keep(KEY, an_answer(number=3, epoch="e2"))


def test_what_is_kept_is_bounded_and_the_least_used_goes_first(time: MovableSeconds) -> None:
    answers = Answers(20_000, time)
    hear(answers, 10, time)
    for item in range(4):
        assert answers.keep((str(item),), an_answer(items=[item], body=b"x" * 2_900))
    assert answers.get(("0",)) is not None
    answers.keep(("4",), an_answer(items=[4], body=b"x" * 2_900))
    assert answers.size_bytes <= 20_000
    assert answers.get(("0",)) is not None
    assert answers.get(("1",)) is None
    assert not answers.keep(("large",), an_answer(items=[5], body=b"x" * 30_000))
