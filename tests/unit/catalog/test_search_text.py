"""How texts are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bazar.catalog.domain.text import normalise, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jorge Luis Börges: Ficciones, d'après", "jorge luis borges ficciones d apres"),
        ("E\u0301lan", "elan"),
        ("Straße Łódź Ærø Œuvre İstanbul ISTANBUL", "strasse lodz aero oeuvre istanbul istanbul"),
        ("Ελληνικά ΕΛΛΗΝΙΚΆ", "ελληνικα ελληνικα"),
        ("Ёжик", "ежик"),
        ("한국어", "한국어"),
        ("हिन्दी में", "हिनदी में"),
        ("紅樓夢 1", "紅 樓 夢 1"),
        ("snake_case AND (100%) C++", "snake case and 100 c"),
        ("📚 ❤️ 3️⃣", "3"),
        ("\ud800 \x00", ""),
    ],
)
def test_words_have_no_case_no_accents_no_punctuation(text: str, expected: str) -> None:
    assert words(text) == expected.split()


@given(st.text())
def test_words_of_words_are_the_same_words(text: str) -> None:
    once = words(text)
    assert words(" ".join(once)) == once


@given(st.text())
def test_a_normalised_text_is_normal(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_a_subject_is_the_same_however_it_is_written() -> None:
    assert normalise("  Cafe\u0301\t&  STRASSE\n") == normalise("café & straße") == "café & strasse"
