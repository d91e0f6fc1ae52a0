"""Small plots as SVG, for the documents: lines and bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """Points to be joined, and how: SVG attributes."""

    points: Sequence[Point]
    style: str


@dataclass(frozen=True)
class Panel:
    """Where lines are drawn."""

    left: int
    top: int
    width: int
    height: int

    @property
    def floor(self) -> int:
        """The lower edge."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """The right edge."""
        return self.left + self.width


@dataclass(frozen=True)
class Bar:
    """A figure and the range that it came from."""

    name: str
    value: float
    least: float
    most: float


def picture(width: int, height: int, *parts: str) -> str:
    """A whole SVG file of these parts, on white."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="11"><rect width="{width}" height="{height}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def text(x: float, y: float, words: str, *, to_the_left: bool = False) -> str:
    """Words that begin, or end, at a place."""
    anchor = ' text-anchor="end"' if to_the_left else ""
    return f'<text x="{x:g}" y="{y:g}"{anchor}>{escape(words)}</text>'


def axes(panel: Panel) -> str:
    """The left and the lower edge of a panel."""
    return f'<path d="M{panel.left} {panel.top}V{panel.floor}H{panel.right}" fill="none" stroke="#444"/>'


def polyline(line: Line, most: Point, panel: Panel) -> str:
    """A line in a panel whose upper right corner is ``most`` and whose lower left corner is zero."""
    places = " ".join(
        f"{panel.left + panel.width * x / most[0]:.1f},{panel.floor - panel.height * y / most[1]:.1f}"
        for x, y in line.points
    )
    return f'<polyline points="{places}" fill="none" {line.style}/>'


def bars(title: str, of: Sequence[Bar], width: int = 700, names: int = 210, thick: int = 16) -> str:
    """A bar each, from left to right, with a thin line over its range and its figure beside it."""
    most = max(*(bar.most for bar in of), 1)
    scale = (width - names - 80) / most
    parts = [text(10, 20, title)]
    for row, bar in enumerate(of):
        y = 35 + row * (thick + 8)
        middle = y + thick / 2
        parts += [
            text(names - 8, middle + 4, bar.name, to_the_left=True),
            f'<rect x="{names}" y="{y}" width="{bar.value * scale:.1f}" height="{thick}" fill="#06c"/>',
            f'<path d="M{names + bar.least * scale:.1f} {middle:g}H{names + bar.most * scale:.1f}" stroke="#c40"/>',
            text(names + bar.most * scale + 6, middle + 4, f"{bar.value:,.0f}"),
        ]
    return picture(width, 45 + len(of) * (thick + 8), *parts)
