"""Which locale a visitor gets, and how it writes prices and dates."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from bazar.contracts.amounts import minor_digits
from bazar.contracts.books import HIGHEST_PRICE_MINOR, Money
from bazar.frontend.domain.locales import DEFAULT_LOCALE, LOCALES, chosen_locale
from bazar.frontend.domain.money import times
from bazar.frontend.pages.wording import language_name, moment_text, number_text, price_text, time_text

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("en-US,en;q=0.9", "en"),
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("de-AT", "de-AT"),
        ("DE-at", "de-AT"),
        ("fr-BE", "fr"),
        ("xx, en-GB;q=0.2, it;q=0.9", "it"),
        ("de;q=0, en-GB;q=0.1", "en-GB"),
        ("nl , fr", "nl"),
        ("no", "nb"),
        ("zh-Hant-HK", "zh-TW"),
        ("de;q=5", "en"),
        ("de;q=0.1234", "en"),
        ("d" * 10_000, "en"),
        ("ä,ö;;,,=", "en"),
        (",".join(["xx"] * 50 + ["de"]), "en"),
    ],
)
def test_the_header_is_read_as_its_rfc_says(header: str | None, chosen: str) -> None:
    assert chosen_locale(header) == chosen


@given(st.text(max_size=200))
def test_whatever_the_header_holds_it_is_one_of_the_locales(header: str) -> None:
    assert chosen_locale(header) in LOCALES


def test_babel_knows_every_locale() -> None:
    assert DEFAULT_LOCALE in LOCALES
    for tag in LOCALES:
        assert Locale.parse(tag, sep="-").language == tag.partition("-")[0]


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "text"),
    [
        (4000, "USD", "en", "$40.00"),
        (5, "USD", "en", "$0.05"),
        (123456789, "EUR", "en", "€1,234,567.89"),
        (123456789, "EUR", "de", f"1.234.567,89{NBSP}€"),
        (1200, "JPY", "en", "¥1,200"),
        (1200, "JPY", "ja", "￥1,200"),
        (0, "JPY", "en", "¥0"),
        (3500, "KWD", "en", f"KWD{NBSP}3.500"),
        (1, "CLF", "en", f"CLF{NBSP}0.0001"),
        (999, "CAD", "en", "CA$9.99"),
        (999, "CAD", "en-CA", "$9.99"),
        (4000, "USD", "en-GB", "US$40.00"),
    ],
)
def test_prices_have_the_digits_of_their_currency(amount: int, currency: str, locale: str, text: str) -> None:
    assert price_text(Money(amount=amount, currency=currency), locale) == text


@given(
    st.integers(0, HIGHEST_PRICE_MINOR), st.sampled_from(["USD", "JPY", "KWD", "CLF", "SEK"]), st.sampled_from(LOCALES)
)
def test_no_minor_unit_is_lost_in_words(amount: int, currency: str, locale: str) -> None:
    text = price_text(Money(amount=amount, currency=currency), locale)
    assert int("".join(character for character in text if character.isdigit())) == amount


def test_minor_units_are_those_of_iso_4217() -> None:
    assert [minor_digits(code) for code in ("USD", "JPY", "KWD", "CLF", "IQD")] == [2, 0, 3, 4, 3]


def test_several_copies_cost_as_many_times_the_price() -> None:
    assert times(Money(amount=1250, currency="USD"), 3) == Money(amount=3750, currency="USD")


def test_moments_and_numbers_are_written_as_the_locale_does() -> None:
    at = "2026-01-31T14:05:59.999Z"
    assert moment_text(at, "de") == "31. Januar 2026, 14:05 UTC"
    assert moment_text(at, "en-GB") == "31 January 2026, 14:05 UTC"
    assert moment_text(at, "en").startswith("January 31, 2026, 2:05")
    berlin, kathmandu = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")
    assert moment_text("2026-01-31T23:05:00Z", "de", berlin) == "1. Februar 2026, 00:05 CET"
    assert moment_text("2026-07-31T22:05:00Z", "en-GB", berlin) == "1 August 2026, 00:05 CEST"
    assert moment_text(at, "de", kathmandu) == "31. Januar 2026, 19:50 +0545"
    assert time_text(datetime.fromisoformat(at), "de", berlin) == "15:05 CET"
    assert (number_text(12345, "en"), number_text(12345, "de")) == ("12,345", "12.345")


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("de", "German"),
        ("grc", "Ancient Greek"),
        ("pt-BR", "Portuguese (Brazil)"),
        ("xx", "xx"),
        ("qqq-ZZZZ-1", "qqq-ZZZZ-1"),
    ],
)
def test_languages_are_named_in_the_language_of_the_texts(tag: str, name: str) -> None:
    assert language_name(tag) == name
