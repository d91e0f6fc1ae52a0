"""What a question costs by the size of the catalogue: growth within each round, and its plot."""

import xml.etree.ElementTree as ET

from bench.bare_catalog import Cost
from bench.search_costs import HEADINGS, KINDS, Answers, plot, rows_of

SIZES = (1_000, 10_000)


def answers(*cpu_ms: float) -> list[Answers]:
    """One question a round."""
    return [Answers([Cost(wall_ms=2 * each, cpu_ms=each)], megabytes=50) for each in cpu_ms]


def test_growth_is_that_of_each_round_and_is_held_against_what_is_asked_at_the_largest() -> None:
    found = {(kind, size): answers(1, 2, 4) for kind in KINDS for size in SIZES}
    found["info", 10_000] = answers(3, 2, 4)
    rows = {row[:2]: dict(zip(HEADINGS, row, strict=True)) for row in rows_of(found, SIZES)}
    assert len(rows) == len(KINDS) * len(SIZES)
    assert (rows["info", "1,000"]["growth"], rows["info", "1,000"]["asked"]) == ("1", "")
    assert (rows["info", "10,000"]["growth"], rows["info", "10,000"]["asked"]) == ("1.0 (1.0 to 3.0)", "≤ 1.5")


def test_the_plot_has_a_line_for_each_kind_of_question() -> None:
    drawn = ET.fromstring(plot({(kind, size): answers(1, 2) for kind in KINDS for size in SIZES}, SIZES))  # noqa: S314 - ours
    assert len(drawn.findall("{http://www.w3.org/2000/svg}polyline")) == len(KINDS)
