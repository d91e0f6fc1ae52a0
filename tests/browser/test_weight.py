"""What a page costs at first sight: few requests, few bytes over the wire."""

from collections.abc import Callable

import pytest

from browser.scale import Scale
from browser.tour import WAYS, States
from browser.visitor import Visitor
from shop import Shop

pytestmark = pytest.mark.slow

MOST_REQUESTS = 5
MOST_BYTES = 60_000


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
