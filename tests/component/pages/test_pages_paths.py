"""Paths in templates are remembered only where that is bounded."""

import pytest
from flask import url_for

from bazar.frontend.pages import paths as module
from bazar.frontend.pages.paths import LONGEST_TEXT_REMEMBERED, Paths
from shop_window import Reader, Shop


def test_paths_with_a_visitors_words_are_not_remembered(shop: Shop, guest: Reader) -> None:
    paths: Paths = shop.app.jinja_env.globals["url_for"]  # type: ignore[assignment]  # ours
    guest.get("/search?q=volume")
    before = paths.remembered.cache_info().currsize
    for words in ("Volume", "VOLUME", "vOLUME"):
        assert f"q={words}&amp;sort=" in guest.get(f"/search?q={words}").text
    assert paths.remembered.cache_info().currsize == before > 0


def test_texts_in_queries_are_remembered_only_if_they_are_short(shop: Shop) -> None:
    paths = Paths(shop.app)
    with shop.app.test_request_context("/"):
        paths("pages.search", q="never asked for before")
        known = module._short_quoted.cache_info()
        paths("pages.search", q="never asked for before")
        assert module._short_quoted.cache_info().misses == known.misses
        paths("pages.search", q="x" * (LONGEST_TEXT_REMEMBERED + 1))
        assert module._short_quoted.cache_info().misses == known.misses


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("pages.home", {}),
        ("pages.book", {"item_number": 7}),
        ("pages.subject", {"subject": "a/b ?&=#%ü"}),
        ("pages.search", {"q": "a b&c=d+e/%?#'\"<ü😀", "subject": None, "min_price": 5, "sort": ""}),
        ("pages.search", {"q": "é &" * LONGEST_TEXT_REMEMBERED}),
        ("pages.search", {"q": None}),
        ("pages.search", {"page": 2}),
        ("pages.search", {"q": "x", "_anchor": "there"}),
        ("pages.search", {"q": "x", "_external": True}),
    ],
)
def test_a_path_is_what_flask_makes_of_it(shop: Shop, endpoint: str, values: dict[str, object]) -> None:
    paths = Paths(shop.app)
    with shop.app.test_request_context("/"):
        for _ in range(2):
            assert paths(endpoint, **values) == url_for(endpoint, **values)  # type: ignore[arg-type]  # Flask's own are named
