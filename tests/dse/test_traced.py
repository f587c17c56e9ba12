"""A curve's numbers are those of the single designs, priced in one batch."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import registry, traced
from dse.curves import Curve, Span, Timeline
from dse.errors import InputError
from dse.interval import spans as spans_of
from dse.spec import Result
from dse.study import nest

CHIPS = Curve(
    title="Latency over the chips",
    knob="chips",
    metrics=("latency", "cost"),
    text="",
    lines={"tiny": {"chip": "tiny"}, "fast large": {"chip": "large", "clock": 2e9}},
)


def alone(page, **settings: object) -> dict[str, float]:
    """Metrics of one design, priced by itself."""
    config = registry.starting_point(page, nest(settings))
    return {k: float(v) for k, v in page.evaluate(config).metrics.items()}


def test_every_design_of_a_curve_is_what_it_is_alone(toy):
    found = traced.trace(toy.TOY, CHIPS, {"items": 4.0})
    assert len(found.line) == 2 * 16
    for i in (0, 7, 20, 31):
        own = dict(CHIPS.lines[found.line[i]])
        expected = alone(toy.TOY, items=4.0, chips=found.levels[i], **own)
        for name in CHIPS.metrics:
            assert found.metrics[name][i] == pytest.approx(expected[name], rel=1e-12)


def test_a_curve_is_one_evaluation(toy, monkeypatch):
    calls = []

    def count(config):
        calls.append(config)
        return toy.price_machine(config)

    page = replace(toy.TOY, evaluate=count)
    traced.trace(page, CHIPS, {})
    assert len(calls) == 1


def test_what_cannot_run_or_breaks_a_rule_is_unknown(toy):
    lanes = Curve(title="", knob="link.lanes", metrics=("latency",), text="", levels=(4.0, 5.0))
    found = traced.trace(toy.TOY, lanes, {"chips": 1.0})
    assert np.isnan(found.metrics["latency"]).tolist() == [False, True]
    full = traced.trace(toy.TOY, replace(lanes, levels=(1.0,)), {"items": 1024.0})
    assert np.isnan(full.metrics["latency"]).all()


def test_a_line_comes_before_what_a_reader_moved(toy):
    found = traced.trace(toy.TOY, CHIPS, {"clock": 5e8})
    last = found.metrics["latency"][found.line == "fast large"][0]
    assert last == pytest.approx(alone(toy.TOY, chips=1.0, chip="large", clock=2e9)["latency"])


def test_lines_may_hang_on_the_design_and_hold_records(toy):
    def doubled(config):
        record = config.chip
        return {
            "own": {},
            "twice": {"chip": type(record)(**{**dict(record), "rate": 2 * record.rate})},
        }

    curve = replace(CHIPS, lines=doubled, metrics=("latency",), levels=(2.0,))
    own, twice = traced.trace(toy.TOY, curve, {"overhead": 0.0}).metrics["latency"]
    transfer = 8e6 * 16 / 16e9
    assert twice - transfer == pytest.approx((own - transfer) / 2)


def test_a_category_is_swept_by_its_rows(toy):
    curve = Curve(title="", knob="chip", metrics=("latency",), text="", levels=("tiny", "large"))
    found = traced.trace(toy.TOY, curve, {"items": 4.0})
    assert found.levels.tolist() == ["tiny", "large"]
    expected = [alone(toy.TOY, items=4.0, chip=slug)["latency"] for slug in found.levels]
    assert found.metrics["latency"] == pytest.approx(expected)


def test_a_metric_may_stand_in_the_knobs_place(toy):
    found = traced.trace(toy.TOY, replace(CHIPS, across="utilisation"), {})
    assert found.across is found.metrics["utilisation"]
    assert traced.trace(toy.TOY, CHIPS, {}).across is not None


def test_designs_beyond_the_range_are_told(toy):
    clocks = Curve(title="", knob="clock", metrics=("latency",), text="", levels=(1e9, 1.9e9))
    assert traced.trace(toy.TOY, clocks, {}).extrapolates.tolist() == [False, True]


def test_levels_go_from_bound_to_bound_and_stay_whole(toy):
    items = replace(CHIPS, knob="items")
    levels = traced.levels_of(toy.TOY, items)
    assert (levels[0], levels[-1]) == (1.0, 1024.0)
    assert all(level == round(level) for level in levels)
    assert len(set(levels)) == len(levels) <= traced.POINTS


def test_a_category_without_levels_is_refused(toy):
    with pytest.raises(TypeError, match="toy: the curve over chip must name levels"):
        traced.trace(toy.TOY, replace(CHIPS, knob="chip"), {})


def test_a_value_that_the_page_refuses_is_told_in_one_line(toy):
    with pytest.raises(InputError, match="clock") as caught:
        traced.trace(toy.TOY, CHIPS, {"clock": -1.0})
    assert "\n" not in str(caught.value)


def test_a_page_of_its_own_check_rows_has_their_intervals():
    page = registry.model("dfx")
    curve = Curve(title="", knob="fpgas", metrics=("latency",), text="", levels=(1.0, 4.0))
    low, high = traced.trace(page, curve, {}).ends["latency"]
    for i, boards in enumerate(curve.levels):
        config = registry.configure(page, {"fpgas": boards})
        ends = spans_of(page, page.evaluate(config))["latency"]
        assert (low[i], high[i]) == pytest.approx(tuple(map(float, ends)))


@settings(max_examples=3)
@given(st.floats(0.05, 0.3))
def test_bands_of_a_joining_page_hold_the_prediction(rate):
    page = registry.model("codesign")
    curve = Curve(
        title="",
        knob="request_rate",
        metrics=("latency", "devices"),
        text="",
        lines={"gpu": {"serve.gpu": "a100-sxm-80gb"}, "cpu": {"serve.target": "cpu"}},
        levels=(rate,),
    )
    found = traced.trace(page, curve, {})
    exact = registry.configure(page, nest({"request_rate": rate, "serve.gpu": "a100-sxm-80gb"}))
    value = found.metrics["latency"]
    assert value[0] == pytest.approx(float(page.evaluate(exact).metrics["latency"]))
    low, high = found.ends["latency"]
    assert np.all((low < value) & (value < high))
    assert np.isnan(found.ends["devices"][0]).all()  # no error moves a count


def test_a_category_whose_rows_err_apart_may_be_swept():
    page = registry.model("codesign")
    curve = Curve(
        title="", knob="serve.gpu", metrics=("service_time",), text="",
        levels=("a100-sxm-80gb", "h100-sxm-80gb"),
    )  # fmt: skip
    found = traced.trace(page, curve, {})
    lines = replace(curve, knob="request_rate", levels=(0.8,), lines={
        slug: {"serve.gpu": slug} for slug in curve.levels
    })  # fmt: skip
    same = traced.trace(page, lines, {})
    for one, other in zip(found.ends["service_time"], same.ends["service_time"], strict=True):
        assert one == pytest.approx(other)


def shifts(config, result: Result):
    return [Span("chips", "compute", 0.0, float(result.terms["compute"]))]


def test_a_timeline_is_of_one_design_and_tells_the_total(toy):
    line = Timeline(title="", text="", spans=shifts, given={"items": 2.0})
    happening, total = traced.spans(toy.TOY, line, {"chips": 4.0})
    assert happening[0].length == pytest.approx(4e9 * 2 / (400 * 1e9 * 4 * 0.5))
    assert total == pytest.approx(alone(toy.TOY, items=2.0, chips=4.0)["latency"])


def test_a_timeline_of_an_uncovered_design_is_refused(toy):
    line = Timeline(title="", text="", spans=shifts)
    with pytest.raises(InputError, match="lanes <= 4 chips"):
        traced.spans(toy.TOY, line, {"chips": 1.0, "link.lanes": 8.0})
