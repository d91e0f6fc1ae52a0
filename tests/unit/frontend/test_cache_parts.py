"""Parts of pages that are kept: asked once, dropped by the feed, and never older than what the visitor has seen."""

from collections.abc import Iterator

import pytest

from bazar.chassis.position import seen_position
from bazar.contracts.books import Change
from bazar.frontend.cache.answers import Answers
from bazar.frontend.cache.parts import Parts
from bazar.frontend.use_cases.ports import Seen

EPOCH = "e1"
NOW = 100.0


class Shelf:
    """Books 1 and 2, as a catalog at a position tells of them; and the feed."""

    def __init__(self) -> None:
        self.answers = Answers(1_000_000, lambda: NOW)
        self.parts = Parts(self.answers, lambda: NOW)
        self.books = [1, 2]
        self.number = 10
        self.asked = 0
        self.hear(10)

    def hear(self, number: int, *changes: Change) -> None:
        self.answers.follow(EPOCH, number, changes, NOW)

    def recall(self) -> Seen[list[int]]:
        return self.parts.recall("shelf", self.ask, lambda books: books, is_list=True)

    def ask(self) -> Seen[list[int]]:
        self.asked += 1
        return Seen(list(self.books), f"{EPOCH}-{self.number}")


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """Asked by somebody who has seen nothing yet."""
    before = seen_position.set(None)
    yield Shelf()
    seen_position.reset(before)


@pytest.fixture
def seen_eleven(shelf: Shelf) -> Iterator[None]:
    assert shelf
    before = seen_position.set(f"{EPOCH}-11")
    yield
    seen_position.reset(before)


def change(number: int, item_number: int, *, offer_only: bool) -> Change:
    return Change(number=number, item_number=item_number, version=1, offer_only=offer_only)


def test_the_second_who_asks_gets_what_the_first_got(shelf: Shelf) -> None:
    assert shelf.recall() == shelf.recall() == Seen([1, 2], f"{EPOCH}-10")
    assert shelf.asked == 1


def test_what_has_not_changed_is_told_to_be_as_new_as_the_feed(shelf: Shelf) -> None:
    """Else a page that is made of it would be held to be older than a book on it that has changed since."""
    shelf.recall()
    shelf.hear(15, change(15, 7, offer_only=True))
    assert shelf.recall().position == f"{EPOCH}-15"
    assert shelf.asked == 1


@pytest.mark.parametrize(
    ("heard", "asked"),
    [
        (change(11, 1, offer_only=True), 2),  # one of its books has another price
        (change(11, 7, offer_only=True), 1),  # another book has
        (change(11, 7, offer_only=False), 2),  # another book may belong on the shelf now
    ],
)
def test_a_change_of_what_it_shows_or_of_lists_ends_it(shelf: Shelf, heard: Change, asked: int) -> None:
    shelf.recall()
    shelf.hear(11, heard)
    shelf.number = 11
    shelf.recall()
    assert shelf.asked == asked


@pytest.mark.usefixtures("seen_eleven")
def test_who_has_seen_more_than_the_feed_has_told_asks(shelf: Shelf) -> None:
    shelf.recall()
    shelf.number = 11
    assert shelf.recall().position == f"{EPOCH}-11"
    assert shelf.asked == 2


def test_what_says_no_position_is_not_kept(shelf: Shelf) -> None:
    for _ in range(2):
        found = shelf.parts.recall("other", lambda: Seen([shelf.ask().answer], None), lambda _: ())
        assert found.position is None
    assert shelf.asked == 2


def test_a_part_that_is_no_list_outlives_changes_of_lists(shelf: Shelf) -> None:
    for number in (11, 12):
        shelf.parts.recall("book", shelf.ask, lambda books: books)
        shelf.hear(number, change(number, 7, offer_only=False))
    assert shelf.asked == 1
