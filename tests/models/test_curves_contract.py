"""Every page declares its trade-off, and it can be drawn in both renderers."""

import numpy as np
import pytest

from dse import curve_charts, registry, traced
from dse.curves import Curve, Timeline, declared
from dse.draw import plotly, svg
from dse.spec import knobs

CURVES = [(slug, number) for slug in registry.slugs() for number in range(len(declared(slug)))]
EVERY_CURVE = pytest.mark.parametrize(("slug", "number"), CURVES)


@pytest.mark.parametrize("slug", registry.slugs())
def test_every_page_declares_a_curve(slug: str):
    assert any(isinstance(curve, Curve) for curve in declared(slug))


@EVERY_CURVE
def test_a_curve_is_finite_somewhere_on_every_line(slug: str, number: int):
    page, curve = registry.model(slug), declared(slug)[number]
    if isinstance(curve, Timeline):
        happening, total = traced.spans(page, curve, {})
        ends = [one.start + one.length for one in happening]
        assert max(ends) == pytest.approx(total, rel=1e-12)
        assert all(one.length > 0 <= one.start for one in happening)
        return
    found = traced.trace(page, curve, {})
    for values in found.metrics.values():
        for line in dict.fromkeys(found.line):
            assert np.isfinite(values[found.line == line]).any(), line


@EVERY_CURVE
def test_sliders_are_knobs_that_a_reader_can_move(slug: str, number: int):
    page, curve = registry.model(slug), declared(slug)[number]
    known = knobs(page.config)
    assert 2 <= len(curve.sliders) <= 5
    for path in curve.sliders:
        assert known[path].bounds is not None or known[path].catalog is not None
    assert curve.title
    assert curve.text.endswith(".")


@EVERY_CURVE
def test_both_renderers_draw_it(slug: str, number: int):
    page, curve = registry.model(slug), declared(slug)[number]
    if isinstance(curve, Timeline):
        charts = [curve_charts.timeline(curve, traced.spans(page, curve, {})[0])]
    else:
        charts = curve_charts.curves(traced.trace(page, curve, {}))
    for chart in charts:
        names = {trace.name for trace in plotly(chart).data}
        assert set(chart.choices) <= names
        assert svg(chart).startswith("<?xml")


@EVERY_CURVE
def test_every_slider_moves_it(slug: str, number: int):
    page, curve = registry.model(slug), declared(slug)[number]
    known = knobs(page.config)
    ranges = [known[path] for path in curve.sliders if known[path].bounds is not None]
    for knob in ranges:
        assert knob.bounds is not None
        inside = knob.bounds.low + 0.4 * (knob.bounds.high - knob.bounds.low)
        value = float(round(inside)) if knob.bounds.integer else inside
        assert moved(page, curve, {}) != moved(page, curve, {knob.path: value}), knob.path


def moved(page, curve, settings) -> list[float]:
    """The numbers of a curve; those that are unknown count as 0."""
    if isinstance(curve, Timeline):
        return [one.length for one in traced.spans(page, curve, settings)[0]]
    found = traced.trace(page, curve, settings)
    return np.nan_to_num(np.concatenate(list(found.metrics.values()))).tolist()
