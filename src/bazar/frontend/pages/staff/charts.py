"""Bars of a chart, drawn by a template as SVG: numbers alone, so that no style stands in the page."""

from collections.abc import Sequence
from dataclasses import dataclass

BAR_WIDTH = 14
GAP = 6
HEIGHT = 100
#: What is more than nothing is seen.
LOWEST = 2


@dataclass(frozen=True)
class Bar:
    """A rectangle in the units of the drawing."""

    x: int
    y: int
    height: int


@dataclass(frozen=True)
class Bars:
    """A drawing of so many units; the highest bar reaches the top."""

    width: int
    height: int
    bar_width: int
    bars: tuple[Bar, ...]


def bars_of(numbers: Sequence[int]) -> Bars:
    """One bar a number, none below zero."""
    highest = max(numbers, default=0)
    heights = [max(LOWEST, round(HEIGHT * number / highest)) if number else 0 for number in numbers]
    return Bars(
        width=max(1, len(numbers) * (BAR_WIDTH + GAP) - GAP),
        height=HEIGHT,
        bar_width=BAR_WIDTH,
        bars=tuple(
            Bar(x=place * (BAR_WIDTH + GAP), y=HEIGHT - height, height=height) for place, height in enumerate(heights)
        ),
    )
