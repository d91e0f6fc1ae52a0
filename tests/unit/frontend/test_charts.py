"""Bars of a chart: the highest reaches the top, nothing is no bar, and a little is seen."""

from bazar.frontend.pages.staff.charts import HEIGHT, LOWEST, bars_of


def test_bars_stand_on_the_ground_and_the_highest_reaches_the_top() -> None:
    bars = bars_of([0, 1, 500, 1000])
    assert [bar.height for bar in bars.bars] == [0, LOWEST, HEIGHT // 2, HEIGHT]
    assert all(bar.y + bar.height == bars.height for bar in bars.bars)
    assert bars.bars[-1].x + bars.bar_width == bars.width


def test_days_without_anything_draw_nothing() -> None:
    assert [bar.height for bar in bars_of([0, 0]).bars] == [0, 0]
    assert bars_of([]).bars == ()
