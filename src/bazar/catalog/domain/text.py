"""How texts are compared: "Science  Fiction" and "science fiction" are one subject."""

import unicodedata

#: Scripts whose words are not set apart by blanks: each character counts as a word (kana, Han).
_WORDLESS_SCRIPTS = ((0x3041, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x3FFFF))
#: Letters that Unicode does not take apart into a plain one and a mark.
_PLAIN_LETTERS = {
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ħ": "h",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
}


def normalise(text: str) -> str:
    """NFC, without case, runs of white space as one blank, none at the ends."""
    # Taken apart first: only then is the case folded alike however the accents were written (Unicode 3.13, D145).
    folded = unicodedata.normalize("NFD", text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def words(text: str) -> list[str]:
    """The words of a text as search compares them: no case, no accents, no punctuation, in their order.

    "Ficciones, d'après J. L. Börges" gives ficciones d apres j l borges. No endings are cut off: titles are in
    many languages, and the rules of one spoil the words of another.
    """
    # Signs that stand for letters (℠ for SM) show their case only when taken apart.
    folded = unicodedata.normalize("NFKD", text).casefold()
    letters = unicodedata.normalize("NFKD", folded).translate(_FOLDING)
    # Composed again for Hangul, whose syllables were taken apart like accents.
    return unicodedata.normalize("NFC", letters).split()


#: Enough for the letters of all living scripts; whoever sends every character there is gets no more memory for it.
MOST_REMEMBERED = 20_000


class _Folding(dict[int, str]):
    """What each character becomes, found out when it is first met."""

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        if len(self) < MOST_REMEMBERED:
            self[code] = folded
        return folded


def _fold(character: str) -> str:
    category = unicodedata.category(character)
    if unicodedata.combining(character) or category == "Me" or _is_variation_selector(character):
        return ""
    if any(first <= ord(character) <= last for first, last in _WORDLESS_SCRIPTS):
        return f" {character} "
    return _PLAIN_LETTERS.get(character, character) if category[0] in "LMN" else " "


def _is_variation_selector(character: str) -> bool:
    return "VARIATION SELECTOR" in unicodedata.name(character, "")


_FOLDING = _Folding()
