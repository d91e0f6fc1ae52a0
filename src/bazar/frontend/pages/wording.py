"""Prices, numbers, dates and languages as the visitor's locale writes them; and the texts, ready to be translated."""

import re
from collections.abc import Callable
from copy import copy
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import cache, lru_cache, partial

from babel import Locale, dates, numbers
from babel.core import UnknownLocaleError
from flask import Blueprint, Flask, Response, g, request
from markupsafe import Markup

from bazar.contracts.amounts import minor_digits
from bazar.contracts.books import Money
from bazar.frontend.domain.locales import chosen_locale
from bazar.frontend.pages.compiling import ShopCodeGenerator

#: Of prices, numbers and languages as they were written last; a shop has some thousand prices.
MOST_REMEMBERED = 10_000
#: The language of the texts in the templates.
TEXT_LOCALE = "en"


def speak(pages: Blueprint, time_zone: tzinfo) -> None:
    """Give the templates the filters price, number, moment, time, day and language, and ``locale``.

    ``time_zone``: whose times moments are written in.
    """

    def localised(format_it: Callable[..., str]) -> Callable[..., str]:
        return lambda value: format_it(value, locale())

    pages.add_app_template_filter(localised(price_text), "price")
    pages.add_app_template_filter(localised(number_text), "number")
    pages.add_app_template_filter(localised(partial(moment_text, zone=time_zone)), "moment")
    pages.add_app_template_filter(localised(partial(time_text, zone=time_zone)), "time")
    pages.add_app_template_filter(localised(day_text), "day")
    pages.add_app_template_filter(language_name, "language")
    pages.add_app_template_filter(order_number, "order_number")
    pages.add_app_template_global(locale, "locale")

    @pages.after_app_request
    def say_what_it_depends_on(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.vary.add("Accept-Language")
        return response


def _the_same(message: str) -> str:
    return message


def _by_number(one: str, many: str, number: int) -> str:
    return one if number == 1 else many


def translate(
    app: Flask,
    gettext: Callable[[str], str] = _the_same,
    ngettext: Callable[[str, str, int], str] = _by_number,
) -> None:
    """Say the texts that templates mark in the shop's language, before it opens. None but English is there yet.

    Those without values are said as a template is compiled: what was compiled before is said as it was.
    """
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension's

    @cache  # as many as the templates have
    def ready(message: str) -> Markup:
        return Markup(gettext(message))  # noqa: S704 - our own words, never a visitor's

    def text(message: str, **values: object) -> Markup:
        said = ready(message)
        return said % values if values or "%" in said else said

    # The extension's own looks up, wraps and formats each text anew.
    app.jinja_env.globals["_"] = text
    app.jinja_env.code_generator_class = ShopCodeGenerator


def locale() -> str:
    """Of the request at hand."""
    chosen: str | None = g.get("locale")  # once: a page asks for it dozens of times
    if chosen is None:
        chosen = g.locale = chosen_locale(request.headers.get("Accept-Language"))
    return chosen


@lru_cache(maxsize=MOST_REMEMBERED)
def price_text(price: Money, in_locale: str = TEXT_LOCALE) -> str:
    """``$1,234.50``, ``1.234,50 €``: all minor units of the currency (ISO 4217), none more."""
    digits = minor_digits(price.currency)
    # A copy: Babel keeps the pattern. Left to itself it would show as many digits as CLDR finds usual.
    pattern = copy(_babel(in_locale).currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    amount = Decimal(price.amount).scaleb(-digits)
    text = str(pattern.apply(amount, _babel(in_locale), currency=price.currency, currency_digits=False))
    # A code of letters does not run into the digits (CLDR, currency spacing).
    return re.sub(r"(?<=[A-Z]{3})(?=\d)", "\N{NO-BREAK SPACE}", text)


@lru_cache(maxsize=MOST_REMEMBERED)
def number_text(number: int, in_locale: str = TEXT_LOCALE) -> str:
    """``1,234``."""
    return numbers.format_decimal(number, locale=_babel(in_locale))


def moment_text(rfc3339: str, in_locale: str = TEXT_LOCALE, zone: tzinfo = UTC) -> str:
    """Day and time there, to the minute."""
    at = datetime.fromisoformat(rfc3339).astimezone(zone)
    day = dates.format_date(at, "long", locale=_babel(in_locale))
    return f"{day}, {time_text(at, in_locale, zone)}"


def day_text(iso: str, in_locale: str = TEXT_LOCALE) -> str:
    """Day and month of ``2026-01-31``, short: ``Jan 31``, ``31. Jan.``."""
    return str(dates.format_skeleton("MMMd", date.fromisoformat(iso), locale=_babel(in_locale)))


def time_text(at: datetime, in_locale: str = TEXT_LOCALE, zone: tzinfo = UTC) -> str:
    """The time there, to the minute, with the zone's short name: ``UTC``, ``CEST``."""
    there = at.astimezone(zone)
    return f"{dates.format_time(there, 'short', tzinfo=zone, locale=_babel(in_locale))} {there.tzname()}"


def order_number(order_id: str) -> str:
    """In groups of four, to be read aloud."""
    return " ".join(order_id[place : place + 4] for place in range(0, len(order_id), 4))


@lru_cache(maxsize=MOST_REMEMBERED)
def language_name(tag: str) -> str:
    """What a language is called in the language of the texts; the tag itself where Babel knows no name."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(TEXT_LOCALE) or tag
    except (UnknownLocaleError, ValueError):
        code = tag.partition("-")[0]
        return str(Locale(TEXT_LOCALE).languages.get(code, tag))


@lru_cache
def _babel(tag: str) -> Locale:
    return Locale.parse(tag, sep="-")
