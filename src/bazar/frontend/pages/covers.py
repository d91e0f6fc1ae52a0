"""Typographic covers: drawn from title and authors alone, the same for the same book, on every machine."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from bazar.frontend.pages.cover_patterns import (
    Dice,
    Pattern,
    columns,
    discs,
    quarter_discs,
    sun,
    triangles,
    waves,
)

WIDTH, HEIGHT = 200, 300
MARGIN = 18
ELLIPSIS = "…"


class Described(Protocol):
    """What a cover is drawn from; books and their summaries are that."""

    @property
    def title(self) -> str: ...

    @property
    def authors(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Palette:
    """Colours that go together; ``ink`` is read on ``ground`` (contrast of 4.5 and more), two more adorn."""

    ground: str
    ink: str
    accent: str
    second: str


@dataclass(frozen=True)
class TextLine:
    """One line of text and where its baseline is, in units of the drawing."""

    text: str
    x: float
    y: float


@dataclass(frozen=True)
class TextBlock:
    """Lines of one size; ``anchor`` by SVG: start or middle."""

    lines: tuple[TextLine, ...]
    size: float
    anchor: str


@dataclass(frozen=True)
class Layout:
    """Where things stand: ``top`` of the title and its ``room``, baseline of the authors, band of the ornament.

    ``inset``: how far the ornament stays away from both sides. ``spare``: more room where no author is named.
    """

    name: str
    anchor: str
    top: int
    room: int
    authors_at: int
    band: tuple[int, int]
    patterns: tuple[Pattern, ...]
    inset: int = 0
    spare: int = 0


@dataclass(frozen=True)
class Cover:
    """All that the template draws."""

    palette: Palette
    layout: Layout
    pattern: tuple[str, str]
    title: TextBlock
    authors: TextBlock


PALETTES = (
    Palette("#1f3a4d", "#f4ead7", "#d98e4a", "#7fa6a8"),
    Palette("#f1e6d0", "#2b2622", "#c4492f", "#2f5d62"),
    Palette("#6b2737", "#f6e8d8", "#e0a458", "#a44a5a"),
    Palette("#2f4b3c", "#f3ecd9", "#d9b44a", "#6e9075"),
    Palette("#e3b23c", "#2a2420", "#7d3c26", "#f5e6be"),
    Palette("#d9c9b0", "#30271f", "#8a4b32", "#5a6f5c"),
    Palette("#31304d", "#f0ecdf", "#e07a5f", "#81b29a"),
    Palette("#a8452f", "#fff3e2", "#f2c57c", "#5b1f18"),
    Palette("#dfe5e1", "#22333b", "#3d6b6b", "#c9a66b"),
    Palette("#22252b", "#efe9dc", "#9fb8ad", "#c97b63"),
    Palette("#465e72", "#fbf3e4", "#f0c987", "#2c3e50"),
    Palette("#efd9ce", "#3a2430", "#8e3b5d", "#d88c7a"),
)

_ALL_OVER = (quarter_discs, triangles, discs, waves)
_STANDING = (*_ALL_OVER, columns, sun)

LAYOUTS = (
    Layout("poster", "start", 18, 112, 152, (170, HEIGHT), _STANDING),
    Layout("label", "middle", 66, 92, 184, (0, HEIGHT), _ALL_OVER, spare=34),
    Layout("bands", "middle", 100, 98, 262, (0, 80), _STANDING),
    Layout("frame", "middle", 34, 110, 266, (172, 232), _STANDING, inset=40),
)

_TITLE_SIZES = (27.0, 24.0, 21.0, 18.5, 16.0, 14.0, 12.0)
_AUTHORS_SIZE = 12.0
_MOST_AUTHORS = 2
_MOST_AUTHOR_LINES = 3
_LEADING = 1.16
_ASCENT = 0.8
#: Widths in em of a serif face, rounded up: a line that is set a little too short does no harm.
_NARROW, _DIGIT, _LOWER, _UPPER, _WIDE = 0.34, 0.55, 0.54, 0.73, 0.92


def cover_of(book: Described) -> Cover:
    """The cover of a book, whatever its title holds."""
    return _cover(book.title, tuple(book.authors))


def _dice(title: str, authors: Sequence[str]) -> Dice:
    """The first throw is for the palette."""
    return Dice(hashlib.sha256("\n".join((title, *authors)).encode("utf-8", "replace")).digest())


@lru_cache(maxsize=2_000)
def _cover(title: str, authors: tuple[str, ...]) -> Cover:
    dice = _dice(title, authors)
    palette, layout = dice.pick(PALETTES), dice.pick(LAYOUTS)
    pattern = dice.pick(layout.patterns)(dice, WIDTH - 2 * layout.inset, *layout.band)
    room = layout.room if authors else layout.room + layout.spare
    return Cover(palette, layout, pattern, _title(title, layout, room), _authors(authors, layout))


@dataclass(frozen=True)
class SmallCover:
    """What is left of a cover in a list: its colours and the first letter of the title."""

    palette: Palette
    letter: str


def small_cover_of(book: Described) -> SmallCover:
    """In the colours of the book's cover."""
    letter = next((character for character in book.title if character.isalnum()), "·")
    return SmallCover(_dice(book.title, book.authors).pick(PALETTES), letter.upper()[:1])


def width_em(text: str) -> float:
    """About how wide a text is, in em of its size."""
    return sum(map(_character_width, text))


def wrap(text: str, widest_em: float) -> list[str]:
    """Lines of at most this width; a word that is wider by itself is cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if width_em(longer) <= widest_em:
            lines[-1] = longer
            continue
        if width_em(word) <= widest_em:
            lines.append(word)
            continue
        lines.append("")
        for character in word:
            if lines[-1] and width_em(lines[-1] + character) > widest_em:
                lines.append("")
            lines[-1] += character
    return [line for line in lines if line]


def _title(title: str, layout: Layout, room: int) -> TextBlock:
    inner = WIDTH - 2 * MARGIN - (14 if layout.anchor == "middle" else 0)
    for size in _TITLE_SIZES:
        lines = wrap(title, inner / size)
        whole_words = all(width_em(word) <= inner / size for word in title.split())
        if len(lines) * size * _LEADING <= room and whole_words:
            return _block(lines, size, layout, room)
    size = _TITLE_SIZES[-1]
    lines = wrap(title, inner / size)
    most = int(room / (size * _LEADING))
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-1].rstrip() + ELLIPSIS]
    return _block(lines, size, layout, room)


def _block(lines: Sequence[str], size: float, layout: Layout, room: int) -> TextBlock:
    left_over = room - len(lines) * size * _LEADING
    top = layout.top + (left_over / 2 if layout.anchor == "middle" else 0)
    x = WIDTH / 2 if layout.anchor == "middle" else MARGIN
    placed = (
        TextLine(line, x, round(top + size * (_ASCENT + number * _LEADING), 1)) for number, line in enumerate(lines)
    )
    return TextBlock(tuple(placed), size, layout.anchor)


def _authors(authors: Sequence[str], layout: Layout) -> TextBlock:
    names = [*authors[:_MOST_AUTHORS], *(["and others"] if len(authors) > _MOST_AUTHORS else [])]
    widest = (WIDTH - 2 * MARGIN - 8) / _AUTHORS_SIZE
    shown = [line for name in names for line in wrap(name, widest)][:_MOST_AUTHOR_LINES]
    x = WIDTH / 2 if layout.anchor == "middle" else MARGIN
    first = layout.authors_at - (len(shown) - 1) * _AUTHORS_SIZE * _LEADING / 2
    lines = (
        TextLine(line, x, round(first + number * _AUTHORS_SIZE * _LEADING, 1)) for number, line in enumerate(shown)
    )
    return TextBlock(tuple(lines), _AUTHORS_SIZE, layout.anchor)


@lru_cache(maxsize=5_000)
def _character_width(character: str) -> float:
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1
    if character in " .,:;'!|()[]iljtfIr-":
        return _NARROW
    if character in "mwMW@—…%":
        return _WIDE
    if character.isdigit():
        return _DIGIT
    return _UPPER if character.isupper() else _LOWER
