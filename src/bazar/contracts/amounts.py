"""Amounts of money as people write them, beside the integers of the currency's minor unit that the shop counts in."""

import re
from collections.abc import Mapping
from decimal import Decimal

from bazar.contracts.books import HIGHEST_PRICE_MINOR, Money, Price
from bazar.contracts.wire import Invalid

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


def amount_text(price: Money) -> str:
    """``40.00``, as a price is typed: no sign of the currency, no marks between thousands."""
    return str(Decimal(price.amount).scaleb(-minor_digits(price.currency)))


def read_price(typed: str, currency: str) -> Price:
    """A price of at least nothing, with a point or a comma before its minor unit; raises Invalid."""
    digits = minor_digits(currency)
    match = re.fullmatch(r"([0-9]{1,12})(?:[.,]([0-9]+))?", typed.strip())
    behind = (match[2] or "") if match else ""
    if not match or len(behind) > digits:
        raise Invalid(
            "price", f"is no price in {currency}; write it like {amount_text(Money(amount=123456, currency=currency))}"
        )
    amount = int(match[1] + behind.ljust(digits, "0"))
    if amount > HIGHEST_PRICE_MINOR:
        raise Invalid(
            "price", f"is too high; at most {amount_text(Money(amount=HIGHEST_PRICE_MINOR, currency=currency))}"
        )
    return Price(amount=amount, currency=currency)
