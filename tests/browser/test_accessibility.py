"""axe-core finds nothing wrong with any page in any state, on a telephone and at a desk, light and dark."""

from collections.abc import Callable

import pytest

from browser.axe import findings
from browser.tour import WAYS, States
from browser.visitor import Visitor
from shop import Shop

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_found_on_any_page(shop: Shop, visitor: Visitor, way: Callable[[Visitor, Shop], States]) -> None:
    assert {state: found for state in way(visitor, shop) if (found := findings(visitor.page))} == {}


def test_what_is_wrong_with_a_page_is_found(visitor: Visitor) -> None:
    page = visitor.go("/")
    page.evaluate("document.querySelector('label[for=q]').remove(); document.querySelector('#q').placeholder = ''")
    page.evaluate("document.querySelector('.hero p').style.color = 'var(--line)'")
    found = {tuple(told.split(":")[0].split()) for told in findings(page)}
    assert found == {
        ("360", "light", "label"),
        ("360", "light", "color-contrast"),
        ("360", "dark", "color-contrast"),
        ("1280", "light", "label"),
        ("1280", "light", "color-contrast"),
        ("1280", "dark", "color-contrast"),
    }
