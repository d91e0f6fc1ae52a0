"""Templates loop and choose: what they choose by, and the limits that they name, stand in Python."""

import re
from pathlib import Path

import pytest

import bazar.frontend
from bazar.frontend.domain.errors import NotAllowed
from bazar.frontend.pages.refusals import REFUSALS, WORDS
from bazar.frontend.pages.staff.orders import REFUSED

TEMPLATES = sorted((Path(bazar.frontend.__file__).parent / "templates").glob("*.html"))
#: A limit as a number of its own, and the name of a type in quotes.
_LIMIT = re.compile(r'(?:max|maxlength|minlength)="\d+"|data-few-below="\d|quantity < \d')
_TYPE_NAME = re.compile(r"""(?:==|!=|\bin|[({,])\s*["']((?:[A-Z][a-z]+){2,})["']""")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_repeats_a_limit_or_chooses_by_the_name_of_a_type(template: Path) -> None:
    text = template.read_text()
    assert (_LIMIT.findall(text), _TYPE_NAME.findall(text)) == ([], [])


def test_a_limit_and_the_name_of_a_type_are_seen() -> None:
    assert _LIMIT.findall('<input maxlength="200">{% if book.quantity < 10 %}') == ['maxlength="200"', "quantity < 1"]
    assert _TYPE_NAME.findall("""{% if why == "TooBusy" or why in ('LastAdmin', "x") %}""") == ["TooBusy", "LastAdmin"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_what_is_imported_knows_no_page_and_so_is_made_once(template: Path) -> None:
    assert not re.search(r"import\b[^%]*\bwith context", template.read_text())


def test_each_refusal_of_an_account_form_has_a_word() -> None:
    assert set(WORDS) == {*REFUSALS, NotAllowed}


@pytest.mark.parametrize(
    ("template", "words"),
    [("_refusal.html", set(WORDS.values()) - {"field"}), ("staff_order.html", set(REFUSED.values()))],
)
def test_each_refusal_has_its_words(template: str, words: set[str]) -> None:
    (text,) = [path.read_text() for path in TEMPLATES if path.name == template]
    assert {word for word in words if f'"{word}"' not in text} == set()
