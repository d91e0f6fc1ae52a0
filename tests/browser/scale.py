"""What a page costs the browser that sees the shop for the first time: bytes over the wire, and requests."""

from dataclasses import dataclass, field
from typing import Any

from browser.visitor import Visitor


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
