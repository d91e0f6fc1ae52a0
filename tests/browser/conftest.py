"""One open shop and one Chromium for each file; each test has visitors of its own."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from browser.chromium import ChromiumMissing, chromium, look
from browser.visitor import Visitor
from shop import Shop

NewVisitor = Callable[..., Visitor]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """With the sample catalogue. Each test brings its own books and customers."""
    opened = Shop(tmp_path_factory.mktemp("shop") / "var")
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def browser(shop: Shop) -> Iterator[Browser]:
    """Without Chromium the tests are skipped, but not where CI=true."""
    try:
        with chromium(shop) as opened:
            yield opened
    except ChromiumMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


@pytest.fixture
def new_visitor(browser: Browser, shop: Shop) -> Iterator[NewVisitor]:
    """Visitors, each with a browser of their own: ``new_visitor(width=360, script=False)``; none may complain."""
    visitors: list[tuple[BrowserContext, Visitor]] = []

    def come(*, script: bool = True, **how: object) -> Visitor:
        context = look(browser, shop, script=script, **how)  # type: ignore[arg-type]  # look checks them
        visitors.append((context, Visitor(context, script=script)))
        return visitors[-1][1]

    yield come
    for context, _ in visitors:
        context.close()
    assert [complaint for _, visitor in visitors for complaint in visitor.complaints] == []


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> Visitor:
    """One at a desk."""
    return new_visitor()
