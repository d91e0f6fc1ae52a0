"""The id of an order and the hash of a purchase: a retry finds its order, nobody else does."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bazar.contracts.purchasing import Line, OrderId, canonical_lines
from bazar.order.domain.order_ids import order_id_of, purchase_hash_of

SECRET = bytes(range(32))
ACCOUNTS = st.text("abcdefghijklmnopqrstuvwxyz234567", max_size=30)
KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255)
LINES = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 1000)), min_size=1, max_size=8)
TOTALS = st.none() | st.tuples(st.integers(0, 10**9), st.sampled_from(["USD", "EUR"]))


def canonical(lines: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found = canonical_lines(Line(item_number=item, quantity=copies) for item, copies in lines)
    return [(line.item_number, line.quantity) for line in found]


def test_order_id_is_fixed_for_all_time() -> None:
    # HMAC-SHA-256 of 00000007 "account" 00000003 "key", its first 20 bytes in base32. Another value would make
    # every retry that crosses an upgrade a second purchase.
    assert order_id_of("account", "key", SECRET) == "u2o4fuodhmaz2n5sefop5sgzi3za5sae"


def test_where_the_account_ends_and_the_key_begins_is_part_of_the_id() -> None:
    assert order_id_of("ab", "c", SECRET) != order_id_of("a", "bc", SECRET)


@given(st.tuples(ACCOUNTS, KEYS), st.tuples(ACCOUNTS, KEYS))
def test_two_accounts_or_keys_are_two_orders(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (order_id_of(*one, SECRET) == order_id_of(*other, SECRET)) == (one == other)


@given(ACCOUNTS, KEYS, st.binary(min_size=32, max_size=32))
def test_an_order_id_fits_the_messages_and_depends_on_the_secret(account: str, key: str, secret: bytes) -> None:
    order_id = order_id_of(account, key, secret)
    (meta,) = OrderId.__metadata__  # type: ignore[attr-defined]  # Annotated has it
    assert re.fullmatch(meta.pattern, order_id)
    assert (order_id == order_id_of(account, key, SECRET)) == (secret == SECRET)


@given(LINES, TOTALS, st.randoms())
def test_the_same_books_in_any_order_and_portions_have_one_hash(
    lines: list[tuple[int, int]], total: tuple[int, str] | None, random: st.DrawFn
) -> None:
    portions = [(item, 1) for item, copies in lines for _ in range(copies % 5)]
    portions += [(item, copies - copies % 5) for item, copies in lines if copies - copies % 5]
    random.shuffle(portions)  # type: ignore[attr-defined]  # a random.Random
    assert purchase_hash_of(canonical(portions), total) == purchase_hash_of(canonical(lines), total)


@given(LINES, TOTALS, LINES, TOTALS)
def test_another_book_number_of_copies_or_expected_total_has_another_hash(
    lines: list[tuple[int, int]],
    total: tuple[int, str] | None,
    other_lines: list[tuple[int, int]],
    other_total: tuple[int, str] | None,
) -> None:
    same = (canonical(lines), total) == (canonical(other_lines), other_total)
    hashes = {purchase_hash_of(canonical(lines), total), purchase_hash_of(canonical(other_lines), other_total)}
    assert (len(hashes) == 1) == same


@given(LINES)
def test_canonical_lines_keep_every_copy_name_each_book_once_and_ascend(lines: list[tuple[int, int]]) -> None:
    found = canonical(lines)
    items = [item for item, _ in found]
    assert items == sorted(set(items)) == sorted({item for item, _ in lines})
    for item, copies in found:
        assert copies == sum(some for other, some in lines if other == item)
    assert canonical(found) == found
