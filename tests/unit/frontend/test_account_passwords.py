"""Which passwords are accepted, and why others are not."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bazar.frontend.domain.passwords import Weakness, WeakPassword, check_strength, normalised

ABOUT_ANN = ("Ann Lee", "ann.lee@books.example")


@pytest.mark.parametrize(
    "password",
    [
        "a-long-enough-password-1",
        "correct-horse-battery-42",
        "violet tables dance",
        "violettablesdance",
        "VIOLETTABLESDANCE",
        '~}{:?><|[];/.,`"',
        "ваше-слово-крепко",
        "月光下的猫在屋顶上唱着一首老歌呢",
        "📚🦉🌧🎻🍋🚲🕯🪁🧭🪐🐚🎲🧵🍄🪗",
        "q7" * 3 + "zkwm-vb3x",
        "a" * 200 + "-bcdefgh-unlike-words",
    ],
)
def test_a_long_password_of_any_characters_will_do(password: str) -> None:
    check_strength(password, ABOUT_ANN)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", Weakness.TOO_SHORT),
        ("gK7#mQ2!vX9$pL", Weakness.TOO_SHORT),
        ("violet tables dance " * 13, Weakness.TOO_LONG),
        ("correct horse battery staple", Weakness.COMMON),
        ("CorrectHorseBatteryStaple", Weakness.COMMON),
        ("correct-horse-battery-staple-1!", Weakness.COMMON),
        ("manchesterunited", Weakness.COMMON),
        ("2023youshallnotpass", Weakness.COMMON),
        (" " * 20, Weakness.REPETITIVE),
        ("aaaaaaaaaaaaaaaa", Weakness.REPETITIVE),
        ("abababababababab", Weakness.REPETITIVE),
        ("sesame7sesame7sesame7", Weakness.REPETITIVE),
        ("zebra zebra zebra zeb", Weakness.REPETITIVE),
        ("1234567890123456", Weakness.SEQUENCE),
        ("0987654321098765", Weakness.SEQUENCE),
        ("abcdefgh12345678", Weakness.SEQUENCE),
        ("qwertyuiop[12345]", Weakness.SEQUENCE),
        ("Aaaaa11111bbbbb!?", Weakness.SEQUENCE),
        ("MyPassword123456", Weakness.PREDICTABLE),
        ("admin-password-1234", Weakness.PREDICTABLE),
        ("bazar-bookshop-123456", Weakness.PREDICTABLE),
        ("annlee-annlee-annlee2", Weakness.PREDICTABLE),
        ("Ann.Lee@books.example", Weakness.PREDICTABLE),
    ],
)
def test_a_password_that_is_guessed_first_is_refused_with_the_reason(password: str, reason: Weakness) -> None:
    with pytest.raises(WeakPassword) as refused:
        check_strength(password, ABOUT_ANN)
    assert refused.value.reason is reason


def test_what_is_about_one_person_is_not_about_another() -> None:
    check_strength("wolfgang-amadeus", ("Ann Lee", "ann@books.example"))
    with pytest.raises(WeakPassword):
        check_strength("wolfgang-amadeus", ("Wolfgang Amadeus", "wam@salzburg.example"))


def test_length_is_counted_in_characters_not_bytes() -> None:
    with pytest.raises(WeakPassword) as refused:
        check_strength("ваше-слово-креп"[:14])
    assert refused.value.reason is Weakness.TOO_SHORT


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_is_accepted_or_refused_and_can_be_hashed(password: str) -> None:
    with suppress(WeakPassword):
        check_strength(password)
    assert isinstance(normalised(password), bytes)


@given(st.text(min_size=1, max_size=14))
def test_a_password_typed_on_two_keyboards_is_one_password(text: str) -> None:
    composed = "caf\u00e9 " + text
    decomposed = "cafe\u0301 " + text
    assert normalised(composed) == normalised(decomposed)
