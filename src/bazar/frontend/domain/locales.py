"""Which locale's way of writing prices and dates a visitor gets, by the header Accept-Language alone.

So whoever answers the same page to many, a cache say, can tell by this one function which of them get the same.
"""

import re

DEFAULT_LOCALE = "en"
#: As in BCP 47; to each, prices and dates are written its own way.
LOCALES = (
    *("en", "en-AU", "en-CA", "en-GB", "en-IE", "en-IN", "en-NZ", "cs", "da", "de", "de-AT", "de-CH", "el", "es"),
    *("es-MX", "et", "fi", "fr", "fr-CA", "fr-CH", "hu", "is", "it", "ja", "ko", "lt", "lv", "nb", "nl", "nl-BE"),
    *("pl", "pt", "pt-PT", "ro", "sk", "sl", "sv", "tr", "uk", "zh", "zh-TW"),
)

_BY_LOWER_CASE = {locale.lower(): locale for locale in LOCALES}
#: Other names of what is there.
_OTHER_NAMES = {"no": "nb", "zh-hant": "zh-TW", "zh-hk": "zh-TW"}
#: A language range and its quality (RFC 9110, sections 12.4.2 and 12.5.4).
_RANGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")
_MOST_RANGES = 20


def chosen_locale(accept_language: str | None) -> str:
    """One of LOCALES: what the header likes best of them; what it cannot be read as is passed over."""
    liked: list[tuple[float, str]] = []
    for part in (accept_language or "").split(",")[:_MOST_RANGES]:
        match = _RANGE.fullmatch(part)
        quality = float(match[2] or 1) if match else 0
        if match and quality > 0:
            liked.append((quality, match[1].lower()))
    # Stable: of equal ones the first.
    for _, tag in sorted(liked, key=lambda one: -one[0]):
        found = _nearest(tag)
        if found:
            return found
    return DEFAULT_LOCALE


def _nearest(tag: str) -> str | None:
    """The locale itself, or that of the tag without its last parts (RFC 4647, section 3.4)."""
    while tag:
        found = _BY_LOWER_CASE.get(_OTHER_NAMES.get(tag, tag).lower())
        if found:
            return found
        tag = tag.rpartition("-")[0]
    return None
