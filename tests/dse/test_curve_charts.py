"""Curves, stacks and timelines are drawn alike on screen and in print."""

from dataclasses import replace

import numpy as np
import pytest

from dse import curve_charts, marks, traced
from dse.curves import Curve, Span, Timeline
from dse.draw import plotly, svg

CHIPS = Curve(
    title="Latency over the chips",
    knob="chips",
    metrics=("latency", "cost"),
    text="More is faster.",
    lines={"tiny": {"chip": "tiny"}, "large": {"chip": "large"}},
)
LINE = Timeline(title="A batch", text="One after the other.", spans=lambda config, result: [])
HAPPENING = [Span("chips", "compute", 0.0, 2e-3), Span("link", "transfer", 2e-3, 1e-3)]


def with_ends(found: traced.Trace, low: float, high: float) -> traced.Trace:
    """The same numbers with intervals about them."""
    ends = {name: (low * v, high * v) for name, v in found.metrics.items()}
    return replace(found, ends=ends)


def test_each_metric_is_a_chart_with_a_line_for_each_setting(toy):
    charts = curve_charts.curves(traced.trace(toy.TOY, CHIPS, {}))
    assert [chart.y for chart in charts] == ["latency", "cost"]
    assert all(chart.choices == ("tiny", "large") for chart in charts)
    assert "No interval: nothing of this was checked." in charts[0].caption
    assert charts[0].caption.startswith("More is faster.")


def test_a_band_is_drawn_behind_each_line_by_both_renderers(toy):
    found = with_ends(traced.trace(toy.TOY, CHIPS, {}), 0.5, 2.0)
    chart = curve_charts.curves(found)[0]
    figure = plotly(chart)
    filled = [trace for trace in figure.data if trace.fill == "toself"]
    lines = [trace for trace in figure.data if trace.mode.startswith("lines")]
    assert len(filled) == len(lines) == 2
    middle = np.array(lines[0].y, dtype=float)
    outline = np.array([y for y in filled[0].y if y is not None], dtype=float)
    assert outline[: len(middle)] == pytest.approx(2 * middle)
    assert outline[len(middle) :] == pytest.approx(0.5 * middle[::-1])
    assert svg(chart).count("FillBetweenPolyCollection") == 2
    assert "Bands are 90 % intervals" in chart.caption


def test_a_band_breaks_where_nothing_is_known(toy):
    found = with_ends(traced.trace(toy.TOY, replace(CHIPS, lines={"": {}}), {}), 0.5, 2.0)
    low, _ = found.ends["latency"]
    low[4] = np.nan
    (chart, _) = curve_charts.curves(found)
    stretches = marks.bands(chart, chart.frame)
    assert [len(x) for x, _, _ in stretches] == [4, 11]


def test_what_is_not_drawn_is_said_and_makes_no_room(toy):
    items = Curve(title="", knob="items", metrics=("latency",), text="")
    found = traced.trace(toy.TOY, items, {"chips": 1.0})  # 4 GB hold 20 items of 0.2 GB
    (chart,) = curve_charts.curves(found)
    assert chart.frame["across"].max() == found.levels[found.levels <= 20].max()
    lost = int(np.sum(found.levels > 20))
    assert f"{lost} of {len(found.levels)} designs are not drawn" in chart.caption


def test_extrapolation_reaches_the_pointer_and_the_caption(toy):
    clocks = Curve(title="", knob="clock", metrics=("latency",), text="", levels=(1e9, 1.9e9))
    (chart,) = curve_charts.curves(traced.trace(toy.TOY, clocks, {}))
    assert chart.frame["label"].tolist() == ["", "extrapolated"]
    assert "1 of 2 drawn ones extrapolate" in chart.caption


def test_a_metric_along_x_has_no_bands_but_tells_them(toy):
    found = with_ends(traced.trace(toy.TOY, replace(CHIPS, across="cost"), {}), 0.5, 2.0)
    chart = curve_charts.curves(found)[0]
    assert chart.frame["low"].isna().all()
    assert "90 % interval" in chart.frame["label"][0]
    assert "Chips" in chart.frame["label"][0]


def test_a_category_is_a_stack_of_parts(toy):
    chips = Curve(
        title="Where power goes", knob="chip", metrics=("power", "energy"), text="",
        levels=("tiny", "small"),
    )  # fmt: skip
    found = traced.trace(toy.TOY, chips, {"items": 4.0})
    (chart,) = curve_charts.curves(found)
    assert chart.kind == "stacked"
    assert chart.choices == ("Power", "Energy")
    second = chart.frame[chart.frame["series"] == "Energy"]
    assert second["base"].to_numpy() == pytest.approx(found.metrics["power"])
    assert "small" in svg(chart)
    assert len(plotly(chart).data) == 2


def test_a_timeline_has_a_lane_for_each_machine():
    chart = curve_charts.timeline(LINE, HAPPENING)
    assert chart.frame["lane"].tolist() == ["chips", "link"]
    assert chart.frame["base"].tolist() == [0.0, 2e-3]
    assert chart.caption.endswith("The last ends after 3 ms.")
    figure = plotly(chart, dark=True)
    assert [trace.name for trace in figure.data] == ["compute", "transfer"]
    assert "transfer" in svg(chart)


def test_a_timeline_on_which_nothing_happens_is_empty():
    chart = curve_charts.timeline(LINE, [])
    assert len(plotly(chart).data) == 0
    assert "A batch" in svg(chart)
