"""The roofline chart: where the roof bends, where operators stand, and what is said of them."""

import numpy as np
import pytest

from dse import figures
from dse.chart import ROOF
from dse.roofline_chart import roofline
from dse.roofs import Ran, Roof

TOY = Roof(
    "toy",
    peak=100e12,
    bandwidth=1e12,
    ran=(
        Ran("product", "gemm", flops=1e12, moved=2e9, time=0.02),  # 500 FLOP/B, half of the peak
        Ran("norm", "norm", flops=1e9, moved=1e9, time=0.0025),  # 1 FLOP/B, 40 % of the bandwidth
        Ran("lookup", "embedding", flops=0.0, moved=1e9, time=0.0025),
    ),
    text="Starts are left out.",
)


def marks(series):
    frame = roofline(TOY).frame
    return frame[frame["series"] == series]


def test_the_roof_climbs_with_the_bandwidth_to_the_peak_and_bends_where_they_meet():
    line = marks(ROOF)
    x, y = line["intensity"].to_numpy(), line["achieved"].to_numpy()
    np.testing.assert_allclose(y, np.minimum(100e12, 1e12 * x))
    assert 100.0 in x
    assert x.min() < 1
    assert x.max() > 500


def test_operators_stand_at_their_intensity_and_rate():
    (product,), (norm,) = (marks(kind).to_dict("records") for kind in ("gemm", "norm"))
    assert (product["intensity"], product["achieved"]) == (500, 50e12)
    assert (norm["intensity"], norm["achieved"]) == (1, 4e11)
    assert product["label"] == "product: 20 ms, 80% of the pass, 50% of the roof"
    assert norm["label"] == "norm: 2.5 ms, 10% of the pass, 40% of the roof"


def test_the_caption_says_what_binds_and_what_is_not_drawn():
    assert roofline(TOY).caption == (
        "toy: the roof is 100 TFLOP/s and 1 TB/s, which meet at 100 FLOP/B. 10% of the time is "
        "spent left of that, bound by memory. Not drawn, since without arithmetic: lookup. "
        "Starts are left out."
    )
    assert len(marks("embedding")) == 0


def test_a_device_that_runs_nothing_shows_its_roof_alone():
    chart = roofline(Roof("idle", 1e12, 1e12, ()))
    assert set(chart.frame["series"]) == {ROOF}
    assert figures.plotly(chart).data


def test_both_renderers_draw_the_roof_as_a_line_and_operators_as_marks():
    traces = {
        trace.name: trace for trace in figures.plotly(roofline(TOY)).data if trace.mode != "none"
    }
    assert traces[ROOF].mode == "lines"
    assert traces["gemm"].mode == "markers"
    assert (traces["gemm"].x[0], traces["gemm"].y[0]) == pytest.approx((500, 50), rel=1e-12)
    assert "<svg" in figures.svg(roofline(TOY))
