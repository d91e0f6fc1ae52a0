"""Latency against load: what becomes of an offer, its rows and its plot."""

import xml.etree.ElementTree as ET
from dataclasses import replace

from bench.latency import CLIENTS, HEADINGS, PARTS, PURCHASES, Answers, plot, rows_of
from load.generator import Answered, Offer

ANSWERS = Answers(asked=100, done=90, refused=10, failures=0, p50_ms=1, p99_ms=100, cpu=0.25)


def test_what_is_neither_done_nor_refused_is_a_failure_and_late_answers_make_the_rate_smaller() -> None:
    answers = [
        Answered(201, 10.0, False),
        Answered(201, 20.0, False),
        Answered(503, 1.0, True),
        Answered(0, 5.0, False),
    ]
    found = Answers.to(Offer(seconds=2.0, offered=6, answers=answers, unanswered=2), 4.0, cpu_seconds=1.0)
    assert (found.asked, found.done, found.refused, found.failures) == (3.0, 0.5, 0.25, 3)
    assert (found.p50_ms, found.cpu) == (15.0, 0.25)


def test_a_row_has_medians_over_the_rounds_and_all_failures() -> None:
    rounds = [replace(ANSWERS, p99_ms=ms, failures=1) for ms in (5.0, 70.0, 9.0)]
    (row,) = rows_of({(PURCHASES, 0.8): rounds})
    told = dict(zip(HEADINGS, row, strict=True))
    assert row[0] == "purchases, 80%"
    assert (told["p99 ms"], told["failures"]) == ("9.0", "3")


def test_the_plot_has_a_line_for_the_median_and_one_for_the_99th_percentile_of_each_kind() -> None:
    drawn = ET.fromstring(plot({(kind, part): [ANSWERS] for kind in CLIENTS for part in PARTS}))  # noqa: S314 - ours
    lines = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 2 * len(CLIENTS)
    # 1 ms is one of the three powers of ten from 0.1 ms to 100 ms, which is at the top.
    heights = [float(line.attrib["points"].split()[0].partition(",")[2]) for line in lines[:2]]
    assert heights[1] == 35
    assert round(heights[0]) == round(35 + 200 * 2 / 3)
