"""Bad input is answered by a problem document that names what is wrong and what is allowed, and changes nothing."""

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from bad_requests import BOOK, buy, change, order, problem, refused_field
from bazar.chassis.bodies import LARGEST_BODY_BYTES
from three_services import ThreeServices

pytestmark = pytest.mark.usefixtures("unchanged")
#: The digit 1 in Arabic-Indic, Devanagari and full width: digits to Python, none to us.
OTHER_DIGITS = ("\u0661", "\u0967", "\uff11")
LARGEST = 2**53 - 1


NO_QUANTITIES = ["0", "-1", "-0", "1.5", "1.0", "1e0", '"1"', "true", "null", "1e308", f"1{'0' * 30}", "[1]", "{}"]


@pytest.mark.parametrize("quantity", NO_QUANTITIES)
def test_a_quantity_is_an_integer_from_1_to_ten_thousand(shop: ThreeServices, quantity: str) -> None:
    refused_field(buy(shop, f'{{"quantity":{quantity}}}'), "quantity", "an integer from 1 to 10000")
    lines = f'{{"lines":[{{"item_number":{BOOK},"quantity":{quantity}}}]}}'
    refused_field(order(shop, lines), "lines.0.quantity", "an integer from 1 to 10000")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "'1'", ""])
def test_what_json_has_no_word_for_is_malformed(shop: ThreeServices, value: str) -> None:
    assert "JSON" in problem(buy(shop, f'{{"quantity":{value}}}'), 400, "malformed")["detail"]


@pytest.mark.parametrize("item", ["0", "-1", "1.5", "1e20", f"1{'0' * 20}", '"1"', "true", "null", str(LARGEST + 1)])
def test_an_item_number_in_a_body_is_a_positive_integer(shop: ThreeServices, item: str) -> None:
    answer = order(shop, f'{{"lines":[{{"item_number":{item},"quantity":1}}]}}')
    refused_field(answer, "lines.0.item_number", f"an integer from 1 to {LARGEST}")


@pytest.mark.parametrize(
    "item", ["0", "-1", "01", "1.0", "text", f"1{'0' * 20}", str(LARGEST + 1), "1e0", "%00", "1%0A", *OTHER_DIGITS]
)
@pytest.mark.parametrize(
    ("verb", "path", "who"),
    [
        ("GET", "/info/{}", None),
        ("POST", "/purchase/{}", "customer"),
        ("PATCH", "/books/{}", "staff"),
        ("DELETE", "/books/{}", "staff"),
        ("GET", "/books/{}/history", "staff"),
    ],
)
def test_what_is_no_item_number_is_not_found(shop: ThreeServices, verb: str, path: str, who: str, item: str) -> None:
    answer = shop.call(verb, path.format(item), who, headers={"Idempotency-Key": "k"})
    assert f"1 to {LARGEST}" in problem(answer, 404, "not-found")["detail"]


@pytest.mark.parametrize("item", ["2", str(LARGEST)])
def test_a_book_that_there_is_not_is_not_found_before_the_body_is_looked_at(shop: ThreeServices, item: str) -> None:
    for verb, path, who in (
        ("GET", f"/info/{item}", None),
        ("POST", f"/purchase/{item}", "customer"),
        ("PATCH", f"/books/{item}", "staff"),
        ("DELETE", f"/books/{item}", "staff"),
        ("GET", f"/books/{item}/history?limit=0", "staff"),
    ):
        for body in (None, b"no JSON", b"{}" + b" " * LARGEST_BODY_BYTES):
            assert item in problem(shop.call(verb, path, who, body=body), 404, "not-found")["detail"]


def test_an_unknown_book_in_an_order_is_named_and_the_others_stay(shop: ThreeServices) -> None:
    lines = f'{{"lines":[{{"item_number":{BOOK},"quantity":1}},{{"item_number":77,"quantity":1}}]}}'
    assert "77" in problem(order(shop, lines), 404, "not-found")["detail"]


@pytest.mark.parametrize(
    ("body", "field", "allowed"),
    [
        ('{"quantity":1,"prize":2}', "prize", "quantity, expected_total"),
        ('{"quantity":1,"account_id":"x"}', "account_id", "quantity, expected_total"),
        ('{"quantity":1,"a\\u0000b":2}', "a\0b", "quantity, expected_total"),
        ('{"quantity":1,"":2}', "", "quantity, expected_total"),
        (
            '{"expected_total":{"amount":1,"currency":"USD","tax":0}}',
            "expected_total.tax",
            "amount, currency",
        ),
    ],
)
def test_an_unknown_field_is_named_and_what_is_known(shop: ThreeServices, body: str, field: str, allowed: str) -> None:
    refused_field(buy(shop, body), field, "unknown field", allowed)


def test_an_unknown_field_deep_inside_is_named_too(shop: ThreeServices) -> None:
    body = '{"lines":[{"item_number":1,"quantity":1},{"item_number":1,"quantity":1,"price":1}]}'
    refused_field(order(shop, body), "lines.1.price", "unknown field", "item_number, quantity")
    body = '{"price":{"amount":1,"currency":"USD","was":2}}'
    refused_field(change(shop, body), "price.was", "unknown field", "amount, currency")


@pytest.mark.parametrize(
    ("call", "body", "field"),
    [
        (order, "{}", "lines"),
        (order, '{"lines":[{"quantity":1}]}', "lines.0.item_number"),
        (change, '{"price":{"amount":1}}', "price.currency"),
    ],
)
def test_a_missing_field_is_named(
    shop: ThreeServices, call: Callable[[ThreeServices, str], TestResponse], body: str, field: str
) -> None:
    refused_field(call(shop, body), field, "is missing")


@pytest.mark.parametrize("body", ['{"quantity":1,"quantity":9}', '{"quantity":1,"quan\\u0074ity":1}'])
def test_a_name_that_is_there_twice_is_refused(shop: ThreeServices, body: str) -> None:
    refused_field(buy(shop, body), "quantity", "more than once")


def test_a_name_that_is_there_twice_deep_inside_is_refused(shop: ThreeServices) -> None:
    body = '{"lines":[{"item_number":1,"quantity":1,"item_number":2}]}'
    refused_field(order(shop, body), "item_number", "more than once")


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b"{",
        b'{"',
        b"{} {}",
        b"\xff\xfe",
        b'{"\xff":1}',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b'{"\x00":1}',
        b'{"\\ud800":1}',
        b'{"\\udc00":1}',
        b" ",
    ],
)
def test_what_is_no_json_in_utf8_is_malformed(shop: ThreeServices, body: bytes) -> None:
    for answer in (buy(shop, body), change(shop, body)):
        assert "JSON" in problem(answer, 400, "malformed")["detail"]


@pytest.mark.parametrize("title", [b"\xff", b"\x00", b"\n", b"\xed\xa0\x80", b"\\x", b"\\u12"])
def test_what_is_no_text_of_json_is_malformed(shop: ThreeServices, title: bytes) -> None:
    answer = change(shop, b'{"title":"' + title + b'"}')
    assert "JSON" in problem(answer, 400, "malformed")["detail"]


@pytest.mark.parametrize("body", ["null", "[]", '""', "1", "true", '["quantity"]'])
def test_json_that_is_no_object_is_refused(shop: ThreeServices, body: str) -> None:
    for answer in (buy(shop, body), order(shop, body), change(shop, body)):
        refused_field(answer, "", "Expected `object`")


def test_an_order_without_a_body_is_malformed(shop: ThreeServices) -> None:
    for verb, path, who in (("POST", "/orders", "customer"), ("PATCH", f"/books/{BOOK}", "staff")):
        answer = shop.call(verb, path, who, headers={"Idempotency-Key": "k"})
        assert "JSON" in problem(answer, 400, "malformed")["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000 + b"]" * 500_000,
        b'{"quantity":' + b"[" * 900_000,
        b'{"quantity":' * 60_000 + b"1" + b"}" * 60_000,
        b'{"expected_total":' * 50_000,
        b'{"lines":' + b"[" * 400_000 + b"]" * 400_000 + b"}",
        b'{"nothing we know":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    ],
    ids=["arrays", "unfinished", "objects", "unfinished objects", "lines", "an unknown field"],
)
def test_a_megabyte_of_nesting_is_refused(shop: ThreeServices, body: bytes) -> None:
    for answer in (buy(shop, body), order(shop, body), change(shop, body)):
        assert answer.status_code in {400, 422}
        problem(answer, answer.status_code, "malformed" if answer.status_code == 400 else "invalid")


def test_a_body_that_is_too_large_is_refused_with_the_limit(shop: ThreeServices) -> None:
    body = b'{"quantity":1}' + b" " * LARGEST_BODY_BYTES
    for answer in (buy(shop, body), order(shop, body), change(shop, body)):
        assert str(LARGEST_BODY_BYTES) in problem(answer, 413, "too-large")["detail"]
    for path in ("/accounts", "/tokens"):
        problem(shop.call("POST", path, body=body), 413, "too-large")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_body_that_is_not_labelled_as_json_is_refused(shop: ThreeServices, content_type: str) -> None:
    answer = buy(shop, '{"quantity":1}', Content_Type=content_type)
    assert "application/json" in problem(answer, 415, "unsupported-media-type")["detail"]


@pytest.mark.parametrize(
    "key",
    [
        "",
        " ",
        "x" * 256,
        "x" * 300,
        "a b",
        "a\tb",
        "\xe9",
        "\xff",
        "\u043a\u043b\u044e\u0447".encode().decode("latin-1"),
    ],
)
def test_a_key_is_1_to_255_visible_ascii_characters(shop: ThreeServices, key: str) -> None:
    for answer in (buy(shop, "{}", Idempotency_Key=key), change(shop, '{"stock_change":1}', Idempotency_Key=key)):
        assert "1 to 255 visible ASCII" in problem(answer, 400, "idempotency-key")["detail"]


def test_a_purchase_without_a_key_is_refused(shop: ThreeServices) -> None:
    for path, body in ((f"/purchase/{BOOK}", None), ("/orders", b'{"lines":[{"item_number":1,"quantity":1}]}')):
        problem(shop.call("POST", path, "customer", body=body), 400, "idempotency-key")


@pytest.mark.parametrize(
    ("total", "field", "allowed"),
    [
        ("4000", "expected_total", "amount, currency"),
        ('{"amount":-1,"currency":"USD"}', "expected_total.amount", f"0 to {LARGEST}"),
        ('{"amount":40.5,"currency":"USD"}', "expected_total.amount", f"0 to {LARGEST}"),
        (f'{{"amount":1{"0" * 30},"currency":"USD"}}', "expected_total.amount", f"0 to {LARGEST}"),
        ('{"amount":4000,"currency":"usd"}', "expected_total.currency", "ISO 4217"),
        ('{"amount":4000,"currency":"USD\\n"}', "expected_total.currency", "ISO 4217"),
        ('{"amount":4000,"currency":"EUR"}', "expected_total.currency", "EUR"),
    ],
)
def test_an_expected_total_is_money_of_this_shop(shop: ThreeServices, total: str, field: str, allowed: str) -> None:
    refused_field(buy(shop, f'{{"expected_total":{total}}}'), field, allowed)


@pytest.mark.parametrize("count", [0, 101])
def test_an_order_has_1_to_100_lines(shop: ThreeServices, count: int) -> None:
    lines = ",".join('{"item_number":1,"quantity":1}' for _ in range(count))
    refused_field(order(shop, f'{{"lines":[{lines}]}}'), "lines", "1 to 100")


@pytest.mark.parametrize("text", ["\\ud800", "\\udc00", "\\ud800x", "a\\udfff"])
def test_a_lone_surrogate_is_no_text(shop: ThreeServices, text: str) -> None:
    for answer in (
        change(shop, f'{{"title":"{text}"}}'),
        shop.call("POST", "/accounts", body=f'{{"email":"a@example.org","password":"{text}","name":"x"}}'),
        shop.call("POST", "/tokens", body=f'{{"email":"a@example.org","password":"{text}"}}'),
    ):
        assert "JSON" in problem(answer, 400, "malformed")["detail"]


@pytest.mark.parametrize("verb", ["PUT", "TRACE", "BREW", "POST"])
def test_a_method_that_does_not_fit_is_told_which_do(shop: ThreeServices, verb: str) -> None:
    answer = shop.call(verb, f"/info/{BOOK}")
    found = problem(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert "GET, HEAD, OPTIONS" in found["detail"]


@pytest.mark.parametrize(
    "path", ["/", "", "/nowhere", "/info", "/info/", "/info/1/", "/purchase", "/books/1/2", "//info/1"]
)
def test_an_address_that_there_is_not_is_not_found(shop: ThreeServices, path: str) -> None:
    problem(shop.call("GET", path), 404, "not-found")
