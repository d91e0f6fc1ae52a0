"""Which passwords the shop accepts (NIST SP 800-63B-4 section 3.1.1.2): long, and not guessed first."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from bazar.frontend.domain.errors import ShopError

FEWEST_CHARACTERS = 15
MOST_CHARACTERS = 256
#: Different characters that must be left when all that is guessed first is taken out.
FEWEST_OWN_CHARACTERS = 5
LONGEST_REPEATED_UNIT = 8
SHORTEST_RUN = 4
SHORTEST_WORD = 3

_SHOP_NAME = "bazar"
_ENDS = re.compile(r"^[\d\W_]+|[\d\W_]+$")
_COMMON_WORDS = frozenset(
    "abc account admin administrator book bookshop bookstore changeme default guest hello iloveyou letmein "  # noqa: SIM905 - words are read more easily so
    "login pass passwd passwort password qwerty qwertz root secret test user username welcome".split()
)
_ROWS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "!@#$%^&*()_+",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "1a2b3c4d5e6f7g8h9i0j",
)
_RUNS = frozenset(
    row[start : start + SHORTEST_RUN]
    for line in _ROWS
    for row in (line, line[::-1])
    for start in range(len(row) - SHORTEST_RUN + 1)
)


class Weakness(StrEnum):
    """Why a password is refused, in words for the person who chose it."""

    TOO_SHORT = f"It has fewer than {FEWEST_CHARACTERS} characters."
    TOO_LONG = f"It has more than {MOST_CHARACTERS} characters."
    COMMON = "It is one of the passwords that are guessed first."
    REPETITIVE = "It repeats the same few characters."
    SEQUENCE = "It is little more than a sequence such as 12345 or qwerty."
    PREDICTABLE = "It is little more than common words, your name, your address or the name of the shop."


@dataclass(eq=False)
class WeakPassword(ShopError):
    """The password would be guessed, or cannot be handled."""

    reason: Weakness


def normalised(password: str) -> bytes:
    """The bytes that are hashed: NFKC, so that one password typed on two keyboards is one password."""
    # A lone surrogate must not stop a sign-in; it is hashed as it is.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def check_strength(password: str, about_the_person: Iterable[str] = ()) -> None:
    """Raises WeakPassword. ``about_the_person``: name and address, whose words count for nothing."""
    weakness = _weakness(unicodedata.normalize("NFKC", password), about_the_person)
    if weakness is not None:
        raise WeakPassword(weakness)


def _weakness(password: str, about_the_person: Iterable[str]) -> Weakness | None:
    folded = password.casefold()
    guessed_first = _COMMON_WORDS | {_SHOP_NAME} | {word for text in about_the_person for word in _words(text)}
    # By code point, as NIST counts.
    checks: tuple[tuple[Weakness, Callable[[], bool]], ...] = (
        (Weakness.TOO_SHORT, lambda: len(password) < FEWEST_CHARACTERS),
        (Weakness.TOO_LONG, lambda: len(password) > MOST_CHARACTERS),
        (Weakness.COMMON, lambda: not _common_passwords().isdisjoint({folded, _ENDS.sub("", folded)})),
        (Weakness.REPETITIVE, lambda: _is_poor(folded) or _repeats_a_unit(folded)),
        (Weakness.SEQUENCE, lambda: _is_poor(_without_runs(folded))),
        (Weakness.PREDICTABLE, lambda: _is_poor(_without_runs(_without_words(folded, guessed_first)))),
    )
    return next((weakness for weakness, applies in checks if applies()), None)


def _is_poor(text: str) -> bool:
    return len(set(text) - {" "}) < FEWEST_OWN_CHARACTERS


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", text.casefold()) if len(word) >= SHORTEST_WORD]


def _without_words(text: str, words: Iterable[str]) -> str:
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, " ")
    return text


def _repeats_a_unit(text: str) -> bool:
    return any(text == (text[:unit] * len(text))[: len(text)] for unit in range(1, LONGEST_REPEATED_UNIT + 1))


def _without_runs(text: str) -> str:
    in_a_run: set[int] = set()
    for start in range(len(text) - SHORTEST_RUN + 1):
        window = text[start : start + SHORTEST_RUN]
        if window in _RUNS or len(set(window)) == 1:
            in_a_run.update(range(start, start + SHORTEST_RUN))
    return "".join(character for place, character in enumerate(text) if place not in in_a_run)


@cache
def _common_passwords() -> frozenset[str]:
    lines = resources.files(__package__).joinpath("common_passwords.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
