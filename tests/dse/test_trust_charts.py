"""How far pages can be trusted, drawn: published points with intervals, and coverage by level."""

import numpy as np
import pytest

from dse import figures, registry, residuals, trust_charts
from dse.certainty import UNCHECKED
from dse.trust_charts import LEVELS, calibration, grounds_of, points

CHECKED = [slug for slug in registry.slugs() if residuals.coverage(slug).rows]


@pytest.mark.parametrize("slug", CHECKED)
def test_a_pages_line_is_the_coverage_of_its_intervals(slug: str) -> None:
    frame = calibration([slug]).frame
    assert frame["level"].tolist() == list(LEVELS)
    for row, level in zip(frame.itertuples(), LEVELS, strict=True):
        found = residuals.coverage(slug, level)
        assert (row.share, row.low, row.high) == (found.share, found.low, found.high)
        assert row.label == f"{found.covered:,} of {found.rows:,} rows"
        assert row.low <= row.share <= row.high
    assert frame["share"].is_monotonic_increasing  # a wider interval holds what a narrower does


def test_each_page_is_a_line_of_its_own_look_in_both_renderers() -> None:
    chart = calibration(CHECKED)
    lines = [trace for trace in figures.plotly(chart).data if trace.name != "equal"]
    assert [line.name for line in lines] == CHECKED
    assert len({(line.marker.color, line.marker.symbol) for line in lines}) == len(CHECKED)
    for line in lines:
        part = chart.frame[chart.frame["series"] == line.name]
        np.testing.assert_allclose(line.y, 100 * part["share"], rtol=1e-12)
        np.testing.assert_allclose(line.y + line.error_y.array, 100 * part["high"], rtol=1e-12)
    assert figures.svg(chart).count("LineCollection") == len(CHECKED)


def test_a_page_that_cannot_be_judged_is_named_and_draws_no_line() -> None:
    chart = calibration(["codesign"])
    assert len(chart.frame) == 0
    assert "No check rows that could be judged: codesign." in chart.caption
    assert figures.svg(chart)
    assert [trace.name for trace in figures.plotly(chart).data] == []


@pytest.mark.parametrize("slug", [s for s in registry.slugs() if registry.model(s).data.points])
def test_a_published_points_interval_holds_its_prediction(slug: str) -> None:
    chart = figures.validation(points(slug))
    barred = chart.frame[chart.frame["low"].notna()]
    assert (barred["low"] <= barred["predicted"]).all()
    assert (barred["predicted"] <= barred["high"]).all()
    assert figures.svg(chart)


def test_a_point_of_a_metric_that_was_never_checked_says_so() -> None:
    found = {row["id"]: row for row in points("oneshot")}
    bare = [name for name, row in found.items() if row["low"] is None]
    assert bare
    assert all(found[name]["tier"] == UNCHECKED for name in bare)
    assert all(np.isnan(grounds_of("oneshot")[name].low) for name in bare)
    labels = figures.validation(points("oneshot")).frame["label"]
    assert sum(label.endswith(UNCHECKED) for label in labels) == len(bare)


def test_rows_without_any_interval_draw_no_bars_and_say_so() -> None:
    row = {"model": "toy", "id": "a", "use": "check", "quantity": "latency", "unit": "s"}
    numbers = {"published": 1.0, "predicted": 1.1, "error": 0.1}
    chart = figures.validation([{**row, **numbers, "low": None, "high": None, "tier": UNCHECKED}])
    assert "No prediction has an interval" in chart.caption
    assert figures.plotly(chart).data[0].error_y.array is None
    assert "LineCollection" not in figures.svg(chart)


def test_the_levels_hold_the_one_that_is_shown_everywhere() -> None:
    assert trust_charts.LEVEL in LEVELS
    assert min(LEVELS) == 0.5
    assert max(LEVELS) == 0.99
