"""Prices in words: an integer of minor units becomes what a reader of English expects to see."""

from collections.abc import Mapping

from bazar.contracts.books import Money

#: Digits of the minor unit where there are not two (ISO 4217, list one).
_DIGITS: Mapping[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_MINOR_DIGITS = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}
#: Signs that an English reader takes for one currency only; all others stand with their code.
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "UAH": "₴", "ILS": "₪"}
_NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def minor_digits(currency: str) -> int:
    """How many digits of an amount stand behind the point: 2 for USD, 0 for JPY, 3 for KWD."""
    return _MINOR_DIGITS.get(currency, 2)


def price_text(price: Money) -> str:
    """``$1,234.50``, ``¥1,200``, ``KWD 3.500``; the blank after a code does not break."""
    digits = minor_digits(price.currency)
    whole, rest = divmod(price.amount, 10**digits)
    number = f"{whole:,}.{rest:0{digits}d}" if digits else f"{whole:,}"
    sign = _SIGNS.get(price.currency)
    return f"{sign}{number}" if sign else f"{price.currency}{_NO_BREAK_SPACE}{number}"


def times(price: Money, copies: int) -> Money:
    """What so many copies cost."""
    return Money(amount=price.amount * copies, currency=price.currency)
