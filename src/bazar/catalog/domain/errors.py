"""What the catalog refuses, as types with data."""

from dataclasses import dataclass


class CatalogError(Exception):
    """Base of all that the catalog refuses."""


@dataclass(eq=False)
class UnknownBook(CatalogError):
    """No book that is sold has this number."""

    item_number: int


@dataclass(eq=False)
class InvalidBook(CatalogError):
    """A field of a book does not fit."""

    field: str
    detail: str


@dataclass(eq=False)
class StockBelowZero(CatalogError):
    """``change`` would take the stock below zero."""

    item_number: int
    stock: int
    change: int


@dataclass(eq=False)
class StaleVersion(CatalogError):
    """The book is at another version than those that the change was meant for."""

    item_number: int
    expected: tuple[int, ...]
    current: int


@dataclass(eq=False)
class KeyReused(CatalogError):
    """The idempotency key was used for another change."""


@dataclass(eq=False)
class BadCursor(CatalogError):
    """The cursor is none that was given out."""

    cursor: str
