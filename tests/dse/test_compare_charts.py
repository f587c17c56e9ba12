"""Charts of designs side by side: bars that add up, gains that point the right way."""

import math
from typing import Any

import pytest

from dse import verbs
from dse.breakdown import Breakdown
from dse.chart import LINES
from dse.compare_charts import APART, METRICS, gains, made_of
from dse.draw import plotly, svg
from dse.spec import Metric, Model
from tests.app import toy as toys

NAMES = ("A", "B")


@pytest.fixture
def page() -> Model[Any]:
    return toys.PAGE


def two(parts: dict[str, tuple[float | None, float | None]]) -> Breakdown[Any]:
    whole = [sum(value or 0.0 for value in pair) for pair in zip(*parts.values(), strict=True)]
    return Breakdown("latency", whole, parts)


NONE = [(None, None), (None, None)]


def test_terms_lie_end_to_end_and_end_at_the_total(page):
    chart = made_of(page, NAMES, two({"memory": (0.02, 0.01), "compute": (0.004, 0.03)}), NONE)
    rows = chart.frame.set_index(["series", "design"])
    # compute has the largest single bar, so it comes first in both designs
    assert chart.choices == ("Compute", "Memory")
    assert rows.loc[("Memory", "A"), "base"] == 0.004
    assert rows.loc[("Memory", "B"), "base"] == 0.03
    ends = rows["base"] + rows["latency"]
    assert ends.loc["Memory"].tolist() == pytest.approx([0.024, 0.04])
    assert rows.loc[("Memory", "A"), "label"] == "A: memory 20 ms, 83% of 24 ms"


def test_the_interval_of_a_total_stands_at_the_end_of_its_bar(page):
    spans = [(0.02, 0.03), (None, None)]
    chart = made_of(page, NAMES, two({"memory": (0.02, 0.01), "compute": (0.004, 0.03)}), spans)
    drawn: Any = plotly(chart).data[-1]
    assert list(drawn.error_x.array) == pytest.approx([6, 0])  # ms, from 24 ms up to 30 ms
    assert list(drawn.error_x.arrayminus) == pytest.approx([4, 0])
    assert "90 % interval" in chart.caption
    assert "Nothing was checked of B" in chart.caption


def test_small_terms_are_joined_and_colours_never_repeat(page):
    parts = {f"part_{i}": (float(i), 1.0) for i in range(1, 13)}
    chart = made_of(page, NAMES, two(parts), NONE)
    assert len(chart.choices) == APART == len(LINES)
    assert chart.choices[-1] == "5 smaller terms"
    ends = chart.frame.groupby("design")["latency"].sum()
    assert ends.tolist() == [78.0, 12.0]
    assert len({chart.style(name).colour for name in chart.choices}) == APART


def test_an_unknown_term_is_counted_and_never_drawn_as_a_number(page):
    chart = made_of(page, NAMES, two({"memory": (0.02, None), "compute": (0.1, 0.1)}), NONE)
    row = chart.frame.set_index(["series", "design"]).loc[("Memory", "B")]
    assert row["label"].startswith("B: memory unknown")
    assert "1 of the terms are unknown and not drawn" in chart.caption


def test_a_gain_is_right_of_one_where_the_design_is_better_whichever_way_it_goes(page):
    metrics = {**page.metrics, "rate": Metric("1/s", "max", "answers a second")}
    turned = Model(**{**vars(page), "metrics": metrics})
    chart = gains(turned, NAMES, {"latency": (2.0, 1.0), "rate": (4.0, 1.0)})
    assert chart.frame["label"].tolist() == ["x2", "x0.25"]
    assert (chart.frame["base"] + chart.frame["gain"]).tolist() == [2.0, 0.25]


def test_metrics_without_a_ratio_or_a_difference_are_named_and_not_drawn(page):
    values = {"latency": (1.0, 1.0), "cost": (None, 3.0), "power": (0.0, 2.0)}
    chart = gains(page, NAMES, values)
    assert len(chart.frame) == 0
    assert "not above 0: cost, power." in chart.caption
    assert "equal in every design: latency." in chart.caption


def test_no_more_gains_are_drawn_than_can_be_read(page):
    metrics = {f"m{i}": Metric("s", "min", "") for i in range(METRICS + 2)}
    many = Model(**{**vars(page), "metrics": {**page.metrics, **metrics}})
    chart = gains(many, NAMES, dict.fromkeys(metrics, (1.0, 2.0)))
    assert chart.frame["metric"].nunique() == METRICS
    assert f"beyond the first {METRICS}: m8, m9." in chart.caption


def test_both_renderers_draw_both_charts_of_a_real_page():
    found = verbs.comparison(["dfx"], variants={"two": {"fpgas": 2}, "one": {"fpgas": 1}})
    broken = found.made_of()
    assert broken is not None
    totals = [held["metrics"][broken.metric] for held in found.answers]
    stack = made_of(found.page, found.names, broken, [(m["low"], m["high"]) for m in totals])
    values = {
        name: [held["metrics"][name]["value"] for held in found.answers]
        for name in ("latency", "tokens_per_second", "cost")
    }
    bars = gains(found.page, found.names, values)
    for chart in (stack, bars):
        text = svg(chart)
        assert text == svg(chart)
        assert all(f"<!-- {name} -->" in text for name in chart.choices)
        assert [trace.name for trace in plotly(chart).data] == list(chart.choices)
    layout: Any = plotly(bars).layout
    assert layout.barmode == "group"
    low, high = layout.xaxis.range
    assert low < 0 < high  # 1 lies inside, in decades
    assert math.isfinite(high)
