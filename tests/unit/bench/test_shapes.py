"""With and without what makes the shop fast: what is gained, and the plots."""

import xml.etree.ElementTree as ET

from bench.results import Measured
from bench.shapes import BATCHES, CACHE, FRONT_ENDS, KINDS, of_front_ends, on_any_core, plots_of, tables_of


def measured(rate: int) -> Measured:
    return Measured(seconds=1, answers=rate, p50_ms=1, p99_ms=2)


def one_round(fast: int, slow: int) -> dict[str, Measured]:
    found = {name: measured(fast if name.endswith("on") else slow) for name in (*CACHE, *BATCHES)}
    found |= {of_front_ends(kind, count): measured(10 * count) for kind in KINDS for count in FRONT_ENDS}
    return found | {on_any_core(kind): measured(5) for kind in KINDS}


def test_what_is_gained_is_told_for_each_round() -> None:
    _, (_, gains) = tables_of([one_round(80, 10), one_round(60, 20), one_round(50, 10)])
    assert gains[0] == ("info, cache on / off", "5.0 (3.0 to 8.0)")
    assert [name for name, _ in gains] == [
        "info, cache on / off",
        "search, cache on / off",
        "purchases, batching on / off",
        "one hot book, batching on / off",
        "cached info, on one core / on any",
        "uncached info, on one core / on any",
        "purchases, on one core / on any",
    ]
    assert gains[-1][1] == "2.0 (2.0 to 2.0)"


def test_the_plot_of_front_ends_begins_with_one_of_them_being_one() -> None:
    plots = plots_of([one_round(2, 1)])
    assert list(plots) == ["bench-cache.svg", "bench-batching.svg", "bench-front-ends.svg"]
    for _, drawn in plots.values():
        ET.fromstring(drawn)  # noqa: S314 - ours
    lines = ET.fromstring(plots["bench-front-ends.svg"][1]).findall("{http://www.w3.org/2000/svg}polyline")  # noqa: S314 - ours
    assert len(lines) == len(KINDS)
    # From zero over a quarter of the width and of the height to the upper right corner.
    assert lines[0].attrib["points"] == "50.0,235.0 150.0,185.0 250.0,135.0 350.0,85.0 450.0,35.0"


def test_one_front_end_is_not_several() -> None:
    assert of_front_ends("purchases", 1) == "purchases, 1 front-end"
    assert of_front_ends("purchases", 2) == "purchases, 2 front-ends"
