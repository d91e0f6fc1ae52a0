"""Covers: for any title, the same every time, and readable."""

from dataclasses import dataclass
from xml.etree import ElementTree

import pytest
from flask import Flask, get_template_attribute
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from bazar.frontend.pages.covers import HEIGHT, LAYOUTS, MARGIN, PALETTES, WIDTH, Palette, cover_of, width_em, wrap

#: All that XML can hold: titles come with anything else only where no page could be written either.
TEXTS = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co"), exclude_characters="\ufffe\uffff"), max_size=120
)


@dataclass(frozen=True)
class Named:
    """A book, as far as covers care."""

    title: str
    authors: tuple[str, ...] = ()


@given(TEXTS, st.lists(TEXTS, max_size=4).map(tuple))
def test_any_title_gives_a_drawing_whose_text_stays_on_the_cover(title: str, authors: tuple[str, ...]) -> None:
    cover = cover_of(Named(title, authors))
    for block in (cover.title, cover.authors):
        for line in block.lines:
            assert width_em(line.text) * block.size <= WIDTH - MARGIN + 1
            assert 0 < line.y < HEIGHT
    assert cover == cover_of(Named(title, authors))


@given(TEXTS, st.floats(2, 30))
def test_wrapping_loses_nothing(text: str, widest: float) -> None:
    assert "".join("".join(wrap(text, widest)).split()) == "".join(text.split())


def test_a_long_title_is_cut_with_an_ellipsis() -> None:
    cover = cover_of(Named("word " * 100, ("Ada Quill",)))
    assert cover.title.lines[-1].text.endswith("…")


def test_the_drawing_is_well_formed_whatever_the_title_holds() -> None:
    app = Flask("bazar.frontend", static_folder=None)
    app.jinja_env.globals["cover_of"] = cover_of
    with app.app_context():
        draw = get_template_attribute("_cover.html", "cover")
        for number in range(60):
            hostile = f"</text></svg><script>\"&'{number}"
            drawn = draw(Named(hostile, (Markup("<b>A</b>") + hostile,)))
            drawing = ElementTree.fromstring(drawn)  # noqa: S314 - it is ours
            texts = [node.text for node in drawing.iter("text")]
            assert not drawing.findall(".//script")
            assert "".join("".join(text or "" for text in texts).split()).startswith("</text></svg><script>")


def test_all_layouts_and_palettes_are_used() -> None:
    covers = [cover_of(Named(f"Volume {number}")) for number in range(500)]
    assert {cover.layout.name for cover in covers} == {layout.name for layout in LAYOUTS}
    assert {cover.palette for cover in covers} == set(PALETTES)


@pytest.mark.parametrize("palette", PALETTES)
def test_titles_can_be_read_on_every_ground(palette: Palette) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 at least."""
    dark, light = sorted((luminance(palette.ground), luminance(palette.ink)))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Relative luminance, by WCAG 2.2."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
