"""Amounts of money: integers of the currency's minor unit."""

from collections.abc import Mapping

from bazar.contracts.books import Money

#: Digits of the minor unit where there are not two (ISO 4217, list one).
_DIGITS: Mapping[int, str] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_MINOR_DIGITS = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}


def minor_digits(currency: str) -> int:
    """How many digits of an amount stand behind the point: 2 for USD, 0 for JPY, 3 for KWD."""
    return _MINOR_DIGITS.get(currency, 2)


def times(price: Money, copies: int) -> Money:
    """What so many copies cost."""
    return Money(amount=price.amount * copies, currency=price.currency)
