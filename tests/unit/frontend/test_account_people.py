"""Addresses, names, roles, and whom an IP address stands for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bazar.frontend.domain.accounts import EmailAddress, InvalidField, Role, read_name, subscriber_of


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.org",
        "admin@localhost",
        "o'neil+books@mail.example.co.uk",
        "jürgen@bücher.example",
        "अन्ना@उदाहरण.भारत",
        "a@b.c",
        f"{'a' * 64}@{'b' * 63}.example",
    ],
)
def test_addresses_that_mail_systems_use_are_read(text: str) -> None:
    assert EmailAddress.read(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ann",
        "ann@",
        "@example.org",
        "ann@example",
        "ann@@example.org",
        "ann@b@example.org",
        "an n@example.org",
        " ann@example.org",
        "ann@example.org\n",
        "ann\x00@example.org",
        "ann\u202e@example.org",
        "ann\ud800@example.org",
        "ann@example..org",
        "ann@-example.org",
        "ann@example-.org",
        "ann@exam ple.org",
        "ann@[127.0.0.1]",
        '"ann"@example.org',
        "ann<script>@example.org",
        f"{'a' * 65}@example.org",
        f"ann@{'b' * 64}.example",
        f"ann@{'example.' * 40}org",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        EmailAddress.read(text)
    assert refused.value.field == "email"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@Example.ORG", "ann@example.org"),
        ("JÜRGEN@example.org", "jürgen@example.org"),
        ("ju\u0308rgen@example.org", "j\u00fcrgen@example.org"),
        ("STRASSE@example.org", "straße@example.org"),
    ],
)
def test_one_address_in_two_spellings_has_one_key(one: str, other: str) -> None:
    assert EmailAddress.read(one).key == EmailAddress.read(other).key


def test_an_address_is_kept_as_it_was_written() -> None:
    assert str(EmailAddress.read("Ann.Lee@Example.org")) == "Ann.Lee@Example.org"


@given(st.text())
def test_any_text_is_an_address_or_an_invalid_field(text: str) -> None:
    try:
        address = EmailAddress.read(text)
    except InvalidField:
        return
    assert EmailAddress.read(address.text) == address
    assert EmailAddress.read(address.key).key == address.key


def test_a_name_loses_the_space_around_it_and_may_be_empty() -> None:
    assert read_name("  Ann Lee ") == "Ann Lee"
    assert read_name("") == ""


@pytest.mark.parametrize("text", ["Ann\x00", "Ann\nLee", "Ann\x1b[31m", "Ann\ud800", "a" * 201])
def test_a_name_is_one_bounded_line(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        read_name(text)
    assert refused.value.field == "name"


@pytest.mark.parametrize("text", ["\u202eGnirts", "Ann\u2066Lee", "Ann\u200bLee", "\u200e", "\u200d\u200c"])
def test_a_name_is_seen_as_it_is_written(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        read_name(text)
    assert refused.value.field == "name"


def test_a_name_may_hold_what_its_script_needs() -> None:
    name = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert read_name(name) == name


def test_each_role_includes_those_below_it_and_none_above() -> None:
    assert [(role.value, other.value) for role in Role for other in Role if not role.includes(other)] == [
        ("customer", "staff"),
        ("customer", "admin"),
        ("staff", "admin"),
    ]


@pytest.mark.parametrize(
    ("address", "subscriber"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_a_whole_ipv6_subscriber_counts_as_one_address(address: str, subscriber: str) -> None:
    assert subscriber_of(address) == subscriber
