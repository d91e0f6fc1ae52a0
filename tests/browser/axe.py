"""What axe-core finds on the page that is looked at: on a telephone and at a desk, light and dark."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from browser.chromium import DESK, HEIGHT, PHONE

AXE = Axe()
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
#: All that the dark differs in is its colours.
RULES: dict[str, dict[str, Any]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}


def findings(page: Page) -> list[str]:
    """What axe-core finds, in each look; and whether the page is wider than the window."""
    page.wait_for_load_state()  # after a click there may be a document with nothing in it yet
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
