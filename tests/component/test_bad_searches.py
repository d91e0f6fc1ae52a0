"""Searches and lists take any text as text, and refuse by name what does not fit."""

from urllib.parse import quote

import pytest

from bad_requests import BOOK, refused_field
from three_services import ThreeServices

pytestmark = pytest.mark.usefixtures("unchanged")
EMOJI = "\U0001f600"
#: The digit 1 in Arabic-Indic: one to Python, none to us.
OTHER_DIGIT = "\u0661"
#: Who may ask for what has pages.
LISTS = {"/search/x": None, "/search": None, "/orders": "customer", f"/books/{BOOK}/history": "staff"}
HARMLESS = [
    "%",
    "_",
    "%25",
    '"',
    "'",
    "AND",
    "a OR",
    "NOT (",
    "a AND",
    "title:x",
    "*",
    "\\",
    "';--",
    EMOJI,
    EMOJI * 2_000,
    "..",
]


@pytest.mark.parametrize("text", HARMLESS, ids=lambda text: ascii(text)[:20])
def test_no_character_is_special_in_a_search(shop: ThreeServices, text: str) -> None:
    for path in (f"/search/{quote(text, safe='')}", f"/search?q={quote(text, safe='')}"):
        answer = shop.call("GET", path)
        assert (answer.status_code, answer.json["items"]) == (200, []), answer.text  # type: ignore[index]  # JSON or None


def test_what_the_pages_say_of_mistaken_words_is_no_part_of_the_api(shop: ThreeServices) -> None:
    subject = shop.call("GET", "/search/TCP%2FIP").json
    (book,) = subject["items"]  # type: ignore[index]  # JSON or None
    word = max(book["title"].split(), key=len)
    answer = shop.call("GET", f"/search?q={word[:-1]}x").json
    assert answer is not None
    assert set(answer) == {"items", "total", "next", "facets"}
    assert answer["total"] == 1


@pytest.mark.parametrize("text", ["TCP/IP", "tcp/ip", "TCP%2FIP"])
def test_a_subject_may_have_a_slash(shop: ThreeServices, text: str) -> None:
    assert shop.call("GET", f"/search/{text}").json["total"] == 1  # type: ignore[index]  # JSON or None


@pytest.mark.parametrize("subject", ["/", "//", "a\nb", "\n", "a/", "/a", " ", "?", "#"])
def test_any_other_subject_is_the_empty_list(shop: ThreeServices, subject: str) -> None:
    answer = shop.call("GET", f"/search/{quote(subject, safe='')}")
    assert (answer.status_code, answer.json["total"]) == (200, 0)  # type: ignore[index]  # JSON or None


@pytest.mark.parametrize("text", ["\0", "a\0b"])
def test_a_search_has_no_nul(shop: ThreeServices, text: str) -> None:
    refused_field(shop.call("GET", f"/search/{quote(text)}"), "subject", "U+0000")
    for name in ("q", "subject", "author", "isbn", "language"):
        refused_field(shop.call("GET", f"/search?{name}={quote(text)}"), name, "U+0000")


@pytest.mark.parametrize("text", ["x" * 10_000, EMOJI * 10_000, "word " * 2_000], ids=["letters", "emoji", "words"])
def test_a_search_of_10000_characters_is_refused_with_the_limit(shop: ThreeServices, text: str) -> None:
    refused_field(shop.call("GET", f"/search/{quote(text)}"), "subject", "at most 2000 characters")
    for name in ("q", "subject", "author", "isbn", "language"):
        refused_field(shop.call("GET", f"/search?{name}={quote(text)}"), name, "at most 2000 characters")


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        ("limit=0", "limit", "an integer from 1 to 100"),
        ("limit=101", "limit", "an integer from 1 to 100"),
        ("limit=-1", "limit", "an integer from 1 to 100"),
        ("limit=1.5", "limit", "an integer from 1 to 100"),
        ("limit=1e1", "limit", "plain digits"),
        ("limit=05", "limit", "an integer from 1 to 100"),
        ("limit=ten", "limit", "an integer from 1 to 100"),
        (f"limit={quote(OTHER_DIGIT)}", "limit", "an integer from 1 to 100"),
        (f"limit={'9' * 30}", "limit", "an integer from 1 to 100"),
        ("limit=5&limit=6", "limit", "more than once"),
        ("limit=5&limit=5", "limit", "more than once"),
        ("cursor=nonsense", "cursor", "an earlier answer"),
        ("cursor=-1", "cursor", "an earlier answer"),
        ("cursor=%00", "cursor", "an earlier answer"),
        (f"cursor={'9' * 5_000}", "cursor", "an earlier answer"),
        (f"cursor={quote(OTHER_DIGIT)}", "cursor", "an earlier answer"),
        ("page=2", "page", "limit, cursor"),
        ("LIMIT=2", "LIMIT", "limit, cursor"),
    ],
)
def test_every_list_checks_its_parameters(shop: ThreeServices, query: str, field: str, allowed: str) -> None:
    for path, who in LISTS.items():
        refused_field(shop.call("GET", f"{path}?{query}", who), field, allowed)


@pytest.mark.parametrize("cursor", ["1.%00", "1.", "1.x%20y", "99999999999999999999.a"])
def test_a_cursor_that_was_made_up_does_no_harm(shop: ThreeServices, cursor: str) -> None:
    for path, who in (("/orders", "customer"), (f"/books/{BOOK}/history", "staff")):
        assert shop.call("GET", f"{path}?cursor={cursor}", who).status_code in {200, 422}


@pytest.mark.parametrize(
    ("query", "field", "allowed"),
    [
        ("sort=author", "sort", "-price, newest, price, relevance, title"),
        ("sort=relevance", "sort", "q"),
        ("in_stock=maybe", "in_stock", "true, false"),
        ("in_stock=null", "in_stock", "no value"),
        ("min_price=-1", "min_price", "an integer from 0 to 1000000000"),
        ("min_price=1.5", "min_price", "an integer from 0 to 1000000000"),
        ("max_price=1000000001", "max_price", "an integer from 0 to 1000000000"),
        ("max_price=null", "max_price", "no value"),
        ("min_price=10&max_price=5", "min_price", "max_price"),
        ("q=a&q=b", "q", "more than once"),
        ("cursor=10000", "cursor", "an earlier answer"),
        ("cursor=0", "cursor", "an earlier answer"),
    ],
)
def test_a_search_by_words_checks_its_parameters(shop: ThreeServices, query: str, field: str, allowed: str) -> None:
    refused_field(shop.call("GET", f"/search?{query}"), field, allowed)


def test_nobody_asks_for_the_orders_of_an_account(shop: ThreeServices) -> None:
    refused_field(shop.call("GET", "/orders?account_id=x", "customer"), "account_id", "limit, cursor")
