"""The table of how soon a new price is seen."""

from bench.freshness import rows_of


def test_each_front_end_has_a_row_with_the_slowest_change_last() -> None:
    rows = list(rows_of([[1.0] * 99 + [40.0], [20.0] * 100]))
    assert [row[1] for row in rows] == ["100", "100"]
    assert [row[2] for row in rows] == ["1", "20"]
    assert [row[-1] for row in rows] == ["40", "20"]
