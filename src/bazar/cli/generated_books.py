"""Books that nobody wrote, as many as one likes: to see how a shop does with a large catalogue.

The same seed gives the same books on every machine, and of two numbers of titles the smaller is the beginning of the
larger. Words are as frequent as in real titles: the n-th one 1/n times as often as the first (Zipf's law).
"""

import random
from collections.abc import Iterator
from itertools import accumulate

from stdnum import ean

HEADINGS = ("source_id", "title", "authors", "subjects", "isbn", "language", "year", "blurb", "price", "stock")
#: ISBNs are numbered through: with 978 before and the check digit behind there is room for so many.
MOST_TITLES = 10**9

_SYLLABLES = tuple(consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou")
_WORDS = 30_000
_NAMES = 5_000
_SUBJECTS = 120


class _Words:
    """Invented words, the first the most frequent."""

    def __init__(self, chance: random.Random, count: int) -> None:
        self._chance = chance
        words: dict[str, None] = {}
        while len(words) < count:
            words["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4)))] = None
        self._words = tuple(words)
        self._frequencies = tuple(accumulate(1 / rank for rank in range(1, count + 1)))

    def drawn(self, fewest: int, most: int) -> list[str]:
        """So many words, by chance; one may come twice."""
        count = self._chance.randint(fewest, most)
        return self._chance.choices(self._words, cum_weights=self._frequencies, k=count)


def generated_rows(titles: int, seed: int) -> Iterator[tuple[str, ...]]:
    """Rows of a catalogue file under HEADINGS, one a title; prices in minor units."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    words, names, subjects = _Words(chance, _WORDS), _Words(chance, _NAMES), _Words(chance, _SUBJECTS)
    for number in range(titles):
        authors = [" ".join(names.drawn(2, 2)).title() for _ in range(chance.randint(1, 2))]
        yield (
            f"{seed}-{number}",
            " ".join(words.drawn(2, 7)).capitalize(),
            ";".join(authors),
            ";".join(subjects.drawn(1, 3)),
            isbn13(number),
            "en",
            str(chance.randint(1950, 2025)),
            " ".join(words.drawn(10, 30)).capitalize() + ".",
            str(chance.randint(499, 9999)),
            str(chance.randint(20, 120)),
        )


def isbn13(number: int) -> str:
    """The ISBN of the book of that number: 978, nine digits, and the check digit (ISO 2108, annex C)."""
    digits = f"978{number:09}"
    return f"{digits}{ean.calc_check_digit(digits)}"
