"""The figures of a benchmark, its ratios, and how they get onto a page and into a plot."""

import xml.etree.ElementTree as ET

import pytest

from bench.results import Goal, Measured, Spread, percentiles, ratio
from marked import replaced
from svg import Bar, Line, Panel, bars, picture, polyline


def measured(answers: int, failures: int = 0, seconds: float = 2.0) -> Measured:
    return Measured(seconds=seconds, answers=answers, failures=failures, p50_ms=1, p99_ms=2)


def test_a_failure_counts_in_no_rate() -> None:
    assert measured(answers=10, failures=4).rate == 3.0
    assert measured(answers=10, failures=11).rate == 0.0


def test_a_ratio_is_that_of_each_round_not_of_the_medians() -> None:
    rounds = [
        {"ours": measured(10), "bound": measured(10)},
        {"ours": measured(20), "bound": measured(40)},
        {"ours": measured(30), "bound": measured(20)},
    ]
    goal = ratio("ours / bound", "ours", "bound", 0.9)
    assert goal.spread(rounds) == Spread(median=1.0, least=0.5, most=1.5)
    assert goal.is_reached(rounds)
    assert goal.asked == "≥ 90%"


def test_a_goal_may_be_a_most() -> None:
    goal = Goal(name="p99", figure=lambda each: each["ours"].p99_ms, bound=1.5, at_most=True, form=".1f")
    assert not goal.is_reached([{"ours": measured(1)}])
    assert goal.asked == "≤ 1.5"


def test_percentiles_of_few_and_of_many() -> None:
    assert percentiles([]) == (0.0, 0.0)
    assert percentiles([7.0]) == (7.0, 7.0)
    assert percentiles([float(number) for number in range(101)]) == (50.0, 99.0)


def test_only_what_is_between_the_marks_is_replaced() -> None:
    page = "before\n<!-- make it -->\nold\n<!-- end -->\nafter <!-- end -->\n"
    assert replaced(page, "make it", "new") == "before\n<!-- make it -->\n\nnew\n\n<!-- end -->\nafter <!-- end -->\n"
    with pytest.raises(ValueError, match="0 places"):
        replaced(page, "make another", "new")


def test_a_plot_is_xml_and_its_longest_bar_is_the_largest_figure() -> None:
    drawn = ET.fromstring(bars("A & B", [Bar("<one>", 1, 1, 1), Bar("two", 4, 2, 4)]))  # noqa: S314 - ours
    widths = [float(part.attrib["width"]) for part in drawn.iter("{http://www.w3.org/2000/svg}rect")][1:]
    assert widths[1] == pytest.approx(4 * widths[0], abs=0.5)


def test_a_line_goes_from_the_lower_left_to_the_upper_right_corner() -> None:
    line = Line([(0, 0), (10, 20)], 'stroke="#06c"')
    drawn = picture(100, 50, polyline(line, (10, 20), Panel(left=5, top=1, width=90, height=40)))
    assert 'points="5.0,41.0 95.0,1.0"' in drawn
