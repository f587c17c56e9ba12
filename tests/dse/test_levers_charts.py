"""Charts of sensitivities: what the bars stand for, in both renderers."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dse import registry
from dse.chart import Chart
from dse.draw import plotly, svg
from dse.levers_charts import KNOBS, orders, tornado
from dse.sensitivity import Asked, Sensitivity, of_design, of_study


@pytest.fixture
def study(toy: Any) -> Sensitivity:
    return of_study(toy.study(), Asked(samples=512))


def whole(chart: Chart) -> dict[str, float]:
    """Knob -> where its bars end together."""
    parts = chart.frame.groupby("knob", sort=False)["index"].sum()
    return {str(knob): float(size) for knob, size in parts.items()}


def test_the_bars_of_a_knob_end_at_its_total_order_the_largest_first(study: Sensitivity) -> None:
    found = study.indices["latency"]
    ends = whole(orders(found))
    drawn = [i for i in found.ranked if found.total[i] >= 0.005]
    assert list(ends.values()) == pytest.approx(found.total[drawn].tolist(), rel=1e-12)
    assert next(iter(ends)) == "Chip"


def test_what_a_knob_does_alone_never_exceeds_its_whole(study: Sensitivity) -> None:
    frame = orders(study.indices["cost"]).frame
    assert (frame["index"] >= 0).all()
    assert (frame["base"] >= 0).all()


def test_whiskers_hold_the_interval_of_the_total_order(study: Sensitivity) -> None:
    found = study.indices["latency"]
    frame = orders(found).frame
    beyond = frame[frame["series"] == "with others"].iloc[0]
    first = found.ranked[0]
    assert (beyond["low"], beyond["high"]) == tuple(found.total_ends[:, first])
    drawn: Any = plotly(orders(found)).data[1]
    end = beyond["base"] + beyond["index"]
    assert drawn.error_x.array[0] == pytest.approx(beyond["high"] - end)
    assert drawn.error_x.arrayminus[0] == pytest.approx(end - beyond["low"])


def test_what_is_refused_is_an_empty_chart_that_says_why(study: Sensitivity) -> None:
    chart = orders(replace(study.indices["latency"], refusal="constant", total=np.full(6, np.nan)))
    assert len(chart.frame) == 0
    assert chart.caption == "There are no indices: constant."
    assert "<svg" in svg(chart)
    plotly(chart)


def test_the_caption_says_ln_counts_and_what_is_left_out(study: Sensitivity) -> None:
    found = replace(study.indices["cost"], ln=True)
    chart = orders(found)
    assert chart.x_label == "Share of the variance of ln(cost)"
    assert f"over {found.designs:,} designs" in chart.caption
    assert f"{found.left_out:,} designs hold no value and are left out" in chart.caption


def test_a_tornado_reaches_from_worse_to_better_around_the_design(toy: Any) -> None:
    page = toy.TOY
    found = of_design(page, registry.configure(page, {}), Asked(samples=256)).tornado
    assert found is not None
    for metric, better in (("latency", -1), ("throughput", 1)):
        frame = tornado(found, metric).frame
        sign = np.sign(frame["change"])
        assert set(sign[frame["series"] == "better"]) <= {0, better}
        assert set(sign[frame["series"] == "worse"]) <= {0, -better}
        assert frame["knob"].nunique() * 2 == len(frame)
        swing = found.swings(metric)[0]
        ends = frame[frame["knob"] == frame["knob"].iloc[0]]["change"] + found.here[metric]
        assert sorted(ends) == pytest.approx([swing.low, swing.high], rel=1e-12)
    plain = tornado(found, "needed").frame
    assert set(plain["series"]) == {"term"}


def test_a_tornado_counts_what_it_does_not_draw(toy: Any) -> None:
    page = toy.TOY
    found = of_design(page, registry.configure(page, {}), Asked(samples=256)).tornado
    assert found is not None
    text = tornado(found, "latency").caption
    assert "Of the changes 1 cannot run or is not covered." in text
    endless = replace(found, here={**found.here, "cost": math.inf})
    assert "to or from infinity" in tornado(endless, "cost").caption
    unknown = replace(found, here={**found.here, "cost": math.nan})
    assert len(tornado(unknown, "cost").frame) == 0
    assert "unknown" in tornado(unknown, "cost").caption


@pytest.mark.parametrize("slug", registry.slugs())
def test_every_pages_default_design_can_be_drawn_by_both_renderers(slug: str) -> None:
    page = registry.model(slug)
    found = of_design(page, registry.configure(page, {}), Asked(samples=256))
    assert found.tornado is not None
    for chart in (orders(found.indices[page.total]), tornado(found.tornado, page.total)):
        assert chart.frame["knob"].nunique() <= KNOBS
        assert svg(chart) == svg(chart)
        low, high = plotly(chart).layout.xaxis.range
        ends = (chart.frame[chart.x] + chart.frame["base"]).to_numpy() / chart.x_scale
        assert low <= np.min(ends, initial=0.0) <= np.max(ends, initial=0.0) <= high
