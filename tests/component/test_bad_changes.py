"""What booksellers send that does not fit is refused by field, and changes nothing."""

import json

import pytest

from bad_requests import STOCK, change, problem, refused_field
from three_services import ThreeServices

pytestmark = pytest.mark.usefixtures("unchanged")


@pytest.mark.parametrize(
    ("body", "field", "allowed"),
    [
        ('{"price":-5}', "price", "amount, currency"),
        ('{"price":{"amount":-5,"currency":"USD"}}', "price.amount", "an integer from 0 to 1000000000"),
        ('{"price":{"amount":5.99,"currency":"USD"}}', "price.amount", "an integer from 0 to 1000000000"),
        ('{"price":{"amount":"5","currency":"USD"}}', "price.amount", "an integer from 0 to 1000000000"),
        ('{"price":{"amount":1000000001,"currency":"USD"}}', "price.amount", "an integer from 0 to 1000000000"),
        ('{"price":{"amount":5,"currency":"EUR"}}', "price.currency", "USD"),
        ('{"price":{"amount":5,"currency":"dollar"}}', "price.currency", "ISO 4217"),
        ('{"price":null}', "price", "amount, currency"),
        ('{"stock_change":1.5}', "stock_change", "an integer from -1000000000 to 1000000000"),
        ('{"stock_change":true}', "stock_change", "an integer from -1000000000 to 1000000000"),
        ('{"stock_change":1e30}', "stock_change", "an integer from -1000000000 to 1000000000"),
        (f'{{"stock_change":1{"0" * 30}}}', "stock_change", "an integer from -1000000000 to 1000000000"),
        (f'{{"stock_change":-1{"0" * 30}}}', "stock_change", "an integer from -1000000000 to 1000000000"),
        ('{"stock_change":1000000000}', "stock_change", "at most 1000000000 copies"),
        ('{"quantity":5}', "quantity", "stock_change"),
        ('{"version":5}', "version", "stock_change"),
        ('{"title":""}', "title", "not blank"),
        ('{"title":" \\t "}', "title", "not blank"),
        ('{"title":"\\u0000"}', "title", "U+0000"),
        ('{"title":"a\\u0000b"}', "title", "U+0000"),
        (f'{{"title":"{"x" * 2001}"}}', "title", "at most 2000"),
        ('{"title":null}', "title", "not blank"),
        ('{"authors":"Ann"}', "authors", "a list"),
        ('{"authors":["Ann",""]}', "authors.1", "not blank"),
        (f'{{"subjects":["{"x" * 401}"]}}', "subjects.0", "at most 400"),
        ('{"subjects":["a\\u0000"]}', "subjects.0", "U+0000"),
        ('{"isbn":"123"}', "isbn", "ISBN"),
        ('{"isbn":"9780000000000"}', "isbn", "check digit"),
        ('{"language":"EN"}', "language", "BCP 47"),
        ('{"language":"en\\n"}', "language", "BCP 47"),
        ('{"year":10000}', "year", "an integer from -4000 to 9999"),
        ('{"blurb":"\\u0000"}', "blurb", "U+0000"),
        (f'{{"blurb":"{"x" * 10_001}"}}', "blurb", "at most 10000"),
        ('{"reason":"\\u0000"}', "reason", "U+0000"),
    ],
)
def test_a_change_of_a_book_is_refused_by_field(shop: ThreeServices, body: str, field: str, allowed: str) -> None:
    refused_field(change(shop, body), field, allowed)


def test_stock_does_not_fall_below_zero(shop: ThreeServices) -> None:
    for taken in (-STOCK - 1, -1_000_000_000):
        found = problem(change(shop, f'{{"stock_change":{taken}}}'), 409, "stock-below-zero")
        assert str(STOCK) in found["detail"]


def test_of_a_change_that_does_not_fit_in_one_field_nothing_is_done(shop: ThreeServices) -> None:
    body = '{"price":{"amount":1,"currency":"USD"},"title":"Cheap","stock_change":-11}'
    problem(change(shop, body), 409, "stock-below-zero")
    body = '{"stock_change":5,"isbn":"9780000000000"}'
    refused_field(change(shop, body), "isbn", "check digit")


@pytest.mark.parametrize(
    "tag",
    [
        "nonsense",
        '"x"',
        '""',
        "",
        ",",
        '"',
        '"0"',
        "1",
        'W/"1"',
        f'"{"9" * 30}"',
        '"\u0661"'.encode().decode("latin-1"),
        "\xff",
        '"7", "8"',
    ],
)
def test_an_if_match_that_names_no_current_version_fails(shop: ThreeServices, tag: str) -> None:
    answer = change(shop, '{"title":"Another"}', If_Match=tag)
    assert "version 1" in problem(answer, 412, "precondition-failed")["detail"]


def test_a_new_book_is_looked_at_as_a_change_is(shop: ThreeServices) -> None:
    good = {"title": "T", "authors": [], "subjects": [], "price": {"amount": 1, "currency": "USD"}, "stock": 1}
    for field, value, allowed in (
        ("stock", -1, "an integer from 0 to 1000000000"),
        ("stock", 10**30, "an integer from 0 to 1000000000"),
        ("title", "\0", "U+0000"),
        ("item_number", 7, "unknown field"),
        ("price", {"amount": 1, "currency": "EUR"}, "USD"),
    ):
        answer = shop.call("POST", "/books", "staff", body=json.dumps({**good, field: value}))
        refused_field(answer, "price.currency" if field == "price" else field, allowed)
