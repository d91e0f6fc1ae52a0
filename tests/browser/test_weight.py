"""What a page costs at first sight: few requests, few bytes over the wire."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from browser.tour import WAYS, States
from browser.visitor import Visitor
from shop import Shop

pytestmark = pytest.mark.slow

MOST_REQUESTS = 5
MOST_BYTES = 60_000


@dataclass
class Load:
    """What was fetched for the page that is looked at: addresses and bytes by the number of the request."""

    addresses: dict[str, str] = field(default_factory=dict)
    sizes_bytes: dict[str, int] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """The icon of the page before may still be on its way: it is counted once."""
        return len(set(self.addresses.values()))

    @property
    def wire_bytes(self) -> int:
        """All of it, with headers."""
        return sum(self.sizes_bytes.values())


class Scale:
    """Weighs each page as if it were the first of the shop that this browser sees."""

    def __init__(self, visitor: Visitor) -> None:
        self.load = Load()
        self._is_loaded = False
        wire = visitor.context.new_cdp_session(visitor.page)
        wire.send("Network.enable")
        wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        wire.on("Network.requestWillBeSent", self._begins)
        wire.on("Network.loadingFinished", self._ends)
        visitor.page.on("load", lambda _page: self._loaded())

    def _begins(self, event: dict[str, Any]) -> None:
        if event.get("type") == "Document":
            self.load, self._is_loaded = Load(), False
        # What the script fetches later was asked for by what the visitor did.
        if not self._is_loaded or event.get("type") != "Fetch":
            self.load.addresses[event["requestId"]] = event["request"]["url"]

    def _ends(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self.load.addresses:
            self.load.sizes_bytes[event["requestId"]] = int(event["encodedDataLength"])

    def _loaded(self) -> None:
        self._is_loaded = True


@pytest.mark.parametrize("way", WAYS)
def test_every_page_is_light(shop: Shop, visitor: Visitor, way: Callable[[Visitor, Shop], States]) -> None:
    scale = Scale(visitor)
    loads = {}
    for state in way(visitor, shop):
        visitor.page.wait_for_load_state("networkidle")
        loads[state] = scale.load
        print(f"{scale.load.wire_bytes:7} bytes {scale.load.requests} requests  {state}")
    assert {
        state: (load.wire_bytes, sorted(load.addresses.values()))
        for state, load in loads.items()
        if load.wire_bytes > MOST_BYTES or load.requests > MOST_REQUESTS
    } == {}
    assert all(load.wire_bytes > 0 for load in loads.values())
