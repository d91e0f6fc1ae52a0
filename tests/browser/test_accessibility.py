"""axe-core finds nothing wrong with any page in any state, on a telephone and at a desk, light and dark."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from browser.chromium import DESK, HEIGHT, PHONE
from browser.tour import WAYS, States
from browser.visitor import Visitor
from shop import Shop

pytestmark = pytest.mark.slow

AXE = Axe()
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
#: All that the dark differs in is its colours.
RULES: dict[str, dict[str, Any]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}


def findings(page: Page) -> list[str]:
    """What axe-core finds, in each look; and whether the page is wider than the window."""
    found = []
    for width in (PHONE, DESK):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if overflow := page.evaluate(OVERFLOW):
            found.append(f"{width}: the page is {overflow} pixels wider")
        for scheme, rules in RULES.items():
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
            violations = AXE.run(page, options={**rules, "resultTypes": ["violations"]}).response["violations"]
            found += [
                f"{width} {scheme} {violation['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
                for violation in violations
                for node in violation["nodes"]
            ]
    return found


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
