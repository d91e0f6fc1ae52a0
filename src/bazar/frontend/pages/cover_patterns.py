"""Ornaments of covers: each draws two SVG paths, in the two colours that adorn, over a band."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_BETWEEN_COLUMNS = 3


class Dice:
    """Throws that depend on a seed alone and are the same for ever."""

    def __init__(self, seed: bytes) -> None:
        """``seed``: 32 bytes of a hash; after its last byte it begins anew."""
        self._seed = seed
        self._thrown = 0

    def below(self, sides: int) -> int:
        """A number from 0, at most 255, below ``sides``."""
        value = self._seed[self._thrown % len(self._seed)] + 7 * (self._thrown // len(self._seed))
        self._thrown += 1
        return value % sides

    def pick(self, choices: Sequence[T]) -> T:
        """One of them."""
        return choices[self.below(len(choices))]


#: (dice, width, from y, to y) → path data in the accent and in the second colour. Nothing leaves the band.
Pattern = Callable[[Dice, int, int, int], tuple[str, str]]


def quarter_discs(dice: Dice, width: int, top: int, bottom: int) -> tuple[str, str]:
    """Tiles, most with a quarter of a disc that turns any way."""
    paths = ["", ""]
    for x, y, side in _tiles(width, top, bottom, across=5):
        corner = dice.below(5)
        if corner < 4:  # noqa: PLR2004 - one tile in five is empty
            start_x, start_y = x + side * (corner in (1, 2)), y + side * (corner in (2, 3))
            dx, dy = (side, -side)[corner in (1, 2)], (side, -side)[corner in (2, 3)]
            sweep = int(dx * dy > 0)
            paths[dice.below(2)] += f"M{start_x} {start_y}h{dx}a{side} {side} 0 0 {sweep} {-dx} {dy}z"
    return paths[0], paths[1]


def triangles(dice: Dice, width: int, top: int, bottom: int) -> tuple[str, str]:
    """Tiles that are halved from corner to corner."""
    paths = ["", ""]
    for x, y, side in _tiles(width, top, bottom, across=5):
        corner = dice.below(5)
        halves = (
            f"M{x} {y}h{side}l{-side} {side}z",
            f"M{x} {y}h{side}v{side}z",
            f"M{x + side} {y}v{side}h{-side}z",
            f"M{x} {y}v{side}h{side}z",
            "",
        )
        paths[dice.below(2)] += halves[corner]
    return paths[0], paths[1]


def discs(dice: Dice, width: int, top: int, bottom: int) -> tuple[str, str]:
    """Discs in rows, some of them small."""
    paths = ["", ""]
    for x, y, side in _tiles(width, top, bottom, across=5):
        radius = dice.pick((side * 0.42, side * 0.42, side * 0.2, side * 0.1))
        paths[dice.below(2)] += _disc(x + side / 2, y + side / 2, radius)
    return paths[0], paths[1]


def columns(dice: Dice, width: int, top: int, bottom: int) -> tuple[str, str]:
    """Columns of different heights, as books on a shelf."""
    paths = ["", ""]
    thicknesses = [6 + 3 * dice.below(5) for _ in range(width // 16)]
    while sum(thicknesses) + _BETWEEN_COLUMNS * (len(thicknesses) - 1) > width - 12:
        thicknesses.pop()
    x = (width - sum(thicknesses) - _BETWEEN_COLUMNS * (len(thicknesses) - 1)) // 2
    for thickness in thicknesses:
        height = round((bottom - top) * (0.55 + 0.09 * dice.below(5)))
        paths[dice.below(2)] += f"M{x} {bottom}v{-height}h{thickness}v{height}z"
        x += thickness + _BETWEEN_COLUMNS
    return paths[0], paths[1]


def waves(dice: Dice, width: int, top: int, bottom: int) -> tuple[str, str]:
    """Ribbons that swing."""
    paths = ["", ""]
    length = width // dice.pick((5, 4, 2))
    apart = dice.pick((16, 20, 25))
    swing, thickness = apart * 0.4, apart * 0.3
    for number, y in enumerate(range(top + apart // 2 + 4, bottom - apart // 2, apart)):
        half = length / 2
        there = f"q{half / 2:g} {-swing:g} {half:g} 0t{half:g} 0" * (width // length)
        back = f"q{-half / 2:g} {swing:g} {-half:g} 0t{-half:g} 0" * (width // length)
        paths[number % 2] += f"M0 {y}{there}v{thickness:g}{back}z"
    return paths[0], paths[1]


def sun(dice: Dice, width: int, top: int, bottom: int) -> tuple[str, str]:
    """A disc over the horizon, and its light on the water."""
    radius = min(width, bottom - top) * dice.pick((0.26, 0.3, 0.34))
    x = width * dice.pick((0.3, 0.5, 0.5, 0.7))
    y = top + (bottom - top) * 0.46
    lines = ""
    room = bottom - top
    for number in range(5):
        thickness = room * (0.014 + 0.008 * number)
        lines += f"M0 {y + radius * 0.35 + number * room * 0.085:.1f}h{width}v{thickness:.1f}H0z"
    return _disc(x, y, radius), lines


def _tiles(width: int, top: int, bottom: int, across: int) -> Iterator[tuple[int, int, int]]:
    """Squares that fill the band from its lower edge up: (x, y, side). The edge of the cover may cut a row."""
    side = width // across
    for y in range(bottom - side, top - (1 if top else side), -side):
        for x in range(0, width, side):
            yield x, y, side


def _disc(x: float, y: float, radius: float) -> str:
    """Two halves: SVG draws no arc that ends where it begins."""
    half = f"a{radius:.1f} {radius:.1f} 0 1 0 "
    return f"M{x - radius:.1f} {y:.1f}{half}{2 * radius:.1f} 0{half}{-2 * radius:.1f} 0z"
