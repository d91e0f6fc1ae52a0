"""What the catalog refuses, as types with data."""

from dataclasses import dataclass


class CatalogError(Exception):
    """Base of all that the catalog refuses."""


@dataclass(eq=False)
class UnknownBook(CatalogError):
    """No book that is sold has this number. ``position``, here and below: how far the catalog was then."""

    item_number: int
    position: str


@dataclass(eq=False)
class UnknownSource(CatalogError):
    """No book was imported from this source; ``known`` are those that there are."""

    source: str
    known: tuple[str, ...]


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
    position: str


@dataclass(eq=False)
class StaleVersion(CatalogError):
    """The book is at another version than those that the change was meant for."""

    item_number: int
    expected: tuple[int, ...]
    current: int
    position: str


@dataclass(eq=False)
class KeyReused(CatalogError):
    """The idempotency key was used for another change."""


@dataclass(eq=False)
class BadCursor(CatalogError):
    """The cursor is none that was given out."""

    cursor: str
