"""Paths in templates are remembered only where that is bounded."""

from bazar.frontend.pages.paths import Paths
from shop_window import Reader, Shop


def test_paths_with_a_visitors_words_are_not_remembered(shop: Shop, guest: Reader) -> None:
    paths: Paths = shop.app.jinja_env.globals["url_for"]  # type: ignore[assignment]  # ours
    guest.get("/search?q=volume")
    before = paths.remembered.cache_info().currsize
    for words in ("Volume", "VOLUME", "vOLUME"):
        assert f"q={words}&amp;sort=" in guest.get(f"/search?q={words}").text
    assert paths.remembered.cache_info().currsize == before > 0
