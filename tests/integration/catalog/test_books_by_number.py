"""Books by their numbers: of a basket, of the list of best sellers."""

import pytest

from bazar.catalog.domain.errors import BadCursor
from bazar.catalog.storage.store import CatalogStore
from bazar.catalog.use_cases.keep_stock import KeepStock
from bazar.catalog.use_cases.look_up import LookUp
from bazar.contracts.books import MOST_NUMBERS, AddBook, NewBook, NumbersQuery, Price, SubjectQuery, WithdrawBook
from bazar.contracts.wire import MOST_ON_A_PAGE
from shop_in_process import CURRENCY


@pytest.fixture
def books(keep_stock: KeepStock) -> list[int]:
    """Eight books, each second one on poetry; the third is not sold any more."""
    added = [
        keep_stock.add_book(
            AddBook(
                actor="staff",
                book=NewBook(
                    title=f"Volume {number}",
                    authors=(),
                    subjects=("Poetry", "all") if number % 2 else ("prose", "all"),
                    price=Price(amount=100, currency=CURRENCY),
                    stock=1,
                ),
            )
        )[0].item_number
        for number in range(8)
    ]
    keep_stock.withdraw_book(added[2], WithdrawBook(actor="staff"))
    return added


def numbers_of(look_up: LookUp, query: NumbersQuery) -> list[int]:
    return [book.item_number for book in look_up.books_by_number(query)[0].items]


def test_they_come_in_the_order_asked_for_once_each_and_without_what_is_not_sold(
    look_up: LookUp, books: list[int]
) -> None:
    asked = (books[5], 999_999, books[2], books[0], books[5], books[7])
    page, position = look_up.books_by_number(NumbersQuery(item_numbers=asked))
    assert [book.item_number for book in page.items] == [books[5], books[0], books[7]]
    assert (page.total, page.next) == (3, None)
    assert position == look_up.position()


def test_a_subject_narrows_them_without_case(look_up: LookUp, books: list[int]) -> None:
    query = NumbersQuery(item_numbers=tuple(reversed(books)), subject="POETRY")
    assert numbers_of(look_up, query) == [books[7], books[5], books[3], books[1]]
    assert numbers_of(look_up, NumbersQuery(item_numbers=tuple(books), subject="prose")) == [
        books[0],
        books[4],
        books[6],
    ]
    assert numbers_of(look_up, NumbersQuery(item_numbers=tuple(books), subject="chess")) == []


def test_a_list_shows_what_each_book_costs(look_up: LookUp, books: list[int]) -> None:
    by_number, _ = look_up.books_by_number(NumbersQuery(item_numbers=tuple(books)))
    of_subject, _ = look_up.books_of_subject(SubjectQuery(subject="all"))
    for page in (by_number, of_subject):
        assert {(book.price.amount, book.price.currency) for book in page.items} == {(100, CURRENCY)}


def test_the_pages_together_are_all_of_them(look_up: LookUp, books: list[int]) -> None:
    first, _ = look_up.books_by_number(NumbersQuery(item_numbers=tuple(books), limit=4))
    assert (len(first.items), first.total, first.next) == (4, 7, "4")
    second = numbers_of(look_up, NumbersQuery(item_numbers=tuple(books), limit=4, cursor=first.next))
    assert second == books[5:]
    assert look_up.books_by_number(NumbersQuery(item_numbers=tuple(books), limit=7))[0].next is None
    assert numbers_of(look_up, NumbersQuery(item_numbers=tuple(books), cursor="9" * 16)) == []
    beyond_one_page, _ = look_up.books_by_number(NumbersQuery(item_numbers=tuple(books), limit=8, cursor="5"))
    assert ([book.item_number for book in beyond_one_page.items], beyond_one_page.total) == (books[6:], 7)
    with pytest.raises(BadCursor):
        look_up.books_by_number(NumbersQuery(item_numbers=tuple(books), cursor="x"))


def test_none_and_very_many_can_be_asked_for(look_up: LookUp, books: list[int]) -> None:
    assert numbers_of(look_up, NumbersQuery(item_numbers=())) == []
    many = (*range(1_000_000, 1_000_000 + MOST_NUMBERS - 1), books[0])
    assert numbers_of(look_up, NumbersQuery(item_numbers=many)) == [books[0]]


@pytest.mark.parametrize("count", [0, 1, MOST_ON_A_PAGE])
def test_as_many_books_as_a_page_may_have_are_seen_at_a_glance(
    catalog_store: CatalogStore, look_up: LookUp, books: list[int], count: int
) -> None:
    asked = (*reversed(books), *range(1_000_000, 1_000_000 + MOST_ON_A_PAGE))[:count]
    found, position = catalog_store.books_and_position(asked)
    assert [book.item_number for book in found] == [
        number for number in asked if number in books and number != books[2]
    ]
    assert position == look_up.position()
