"""Amounts of money: integers of the currency's minor unit."""

from bazar.contracts.books import Money


def times(price: Money, copies: int) -> Money:
    """What so many copies cost."""
    return Money(amount=price.amount * copies, currency=price.currency)
