"""The figures of a benchmark, its ratios, and how they get onto a page and into a plot."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench.page import write_tables
from bench.results import Goal, Measured, Spread, percentiles, ratio, together
from bench.wrk import shared_out
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


def test_what_several_generators_found_adds_up_and_is_as_slow_as_the_slowest() -> None:
    quick = Measured(seconds=2, answers=10, failures=1, p50_ms=1, p99_ms=9, client_cpu=0.25)
    slow = Measured(seconds=3, answers=20, failures=2, p50_ms=2, p99_ms=8, client_cpu=0.5)
    both = Measured(seconds=3, answers=30, failures=3, p50_ms=2, p99_ms=9, client_cpu=0.75)
    assert together([quick, slow]) == both


def test_connections_are_shared_out_without_losing_one() -> None:
    assert shared_out(["a", "b", "c"], 64) == [("a", 22), ("b", 21), ("c", 21)]


def test_tables_and_plots_go_between_the_marks_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    (tmp_path / "images").mkdir()
    page.write_text("before\n<!-- make it -->\nold\n<!-- end -->\nafter\n")
    tables = [(("step", "a second"), [("one", "1")])]
    write_tables(page, "make it", "So it is.", tables, {"one.svg": ("One", "<svg/>")})
    table = "| step | a second |\n|---|---:|\n| one | 1 |"
    assert page.read_text() == (
        f"before\n<!-- make it -->\n\nSo it is.\n\n{table}\n\n![One](images/one.svg)\n\n<!-- end -->\nafter\n"
    )
    assert (tmp_path / "images" / "one.svg").read_text() == "<svg/>"


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
