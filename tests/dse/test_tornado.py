"""One change at a time on the toy, worked by hand, and what holds of every change."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dse import registry
from dse.provenance import Number
from dse.spec import Metric, Result
from dse.tornado import Swing, Tornado, along, around, change
from tests.dse.toy import FITTED, known_latency


def drawn(toy: Any, document: dict[str, object] | None = None, **options: Any) -> Tornado:
    return around(toy.TOY, registry.configure(toy.TOY, document or {}), **options)


def swing(found: Tornado, metric: str, knob: str) -> Swing:
    return next(swing for swing in found.swings(metric) if swing.knob == knob)


def test_the_ends_of_a_swing_are_the_answers_at_its_settings(toy: Any) -> None:
    found = swing(drawn(toy), "latency", "clock")
    slow, fast = (known_latency(16, f, efficiency=0.5, overhead=2e-3) for f in (0.9e9, 1.1e9))
    assert (found.low, found.high) == pytest.approx((fast, slow), rel=1e-12)
    assert (found.low_at, found.high_at) == pytest.approx((1.1e9, 0.9e9))
    assert found.setting == 1e9


def test_elasticity_is_the_slope_between_the_ends_in_logarithms(toy: Any) -> None:
    found = swing(drawn(toy), "latency", "clock")
    expected = math.log(found.low / found.high) / math.log(1.1 / 0.9)
    assert found.elasticity == pytest.approx(expected, rel=1e-12)
    assert swing(drawn(toy), "power", "clock").elasticity is not None
    # needed = 2e8 items: proportional, so that its elasticity is 1 at any step
    assert swing(drawn(toy), "needed", "items").elasticity == pytest.approx(1.0, rel=1e-12)


def test_categories_and_switches_have_no_elasticity(toy: Any) -> None:
    found = drawn(toy)
    assert swing(found, "latency", "chip").elasticity is None
    assert swing(found, "cost", "cached").elasticity is None


def test_the_farthest_swing_comes_first_and_idle_knobs_have_none(toy: Any) -> None:
    found = drawn(toy).swings("latency")
    sizes = [swing.size for swing in found]
    assert sizes == sorted(sizes, reverse=True)
    assert {swing.knob for swing in found if swing.size == 0} >= {"cache"}


def test_the_best_change_is_the_best_of_all_that_run(toy: Any) -> None:
    found = drawn(toy)
    best = found.best("latency")
    assert best is not None
    assert best.value == np.nanmin(found.metrics["latency"][found.runs])
    assert (best.knob, best.setting) == ("chip", "unpriced")
    throughput = found.best("throughput")
    assert throughput is not None
    assert throughput.value == np.nanmax(found.metrics["throughput"][found.runs])


def test_the_best_change_tells_what_it_worsens_or_makes_unknown(toy: Any) -> None:
    best = drawn(toy).best("latency")
    assert best is not None
    assert list(best.worsens) == ["cost", "power", "utilisation"]
    assert math.isnan(best.worsens["cost"])  # a chip without a price
    assert best.worsens["power"] == pytest.approx(2 * 99 + 2 * 2)
    assert "latency" not in best.worsens


def test_a_metric_without_a_better_direction_has_no_best_change(toy: Any) -> None:
    assert drawn(toy).best("needed") is None


def test_no_change_helps_where_every_one_worsens(toy: Any) -> None:
    found = drawn(toy, {"chip": "unpriced"}, asked=["chip"])
    assert found.best("latency") is None


def test_a_fitted_constant_is_shown_and_never_proposed(toy: Any) -> None:
    found = drawn(toy, asked=["efficiency"])
    assert found.fixed == {"efficiency"}
    assert found.best("latency") is None
    assert swing(found, "latency", "efficiency").size > 0


def test_what_cannot_run_or_is_not_covered_is_skipped_and_counted(toy: Any) -> None:
    found = drawn(toy, {"items": 39})  # 7.8 GB of 8 GB: tiny chips hold 2 GB, one chip 4 GB
    assert found.counts("chip") == (3, 1)
    assert found.counts("chips") == (2, 1)
    assert found.counts("items") == (2, 1)
    assert swing(found, "latency", "items").high_at == 39.0
    assert np.isnan(found.metrics["latency"][~found.runs]).all()
    uncovered = drawn(toy, {"chips": 2, "link": {"lanes": 8}})
    assert uncovered.counts("chips") == (2, 1)  # lanes <= 4 chips


def test_a_design_that_cannot_run_tells_what_frees_it_and_nothing_else(toy: Any) -> None:
    found = drawn(toy, {"items": 42})
    assert not found.runs_here
    assert found.swings("latency") == []
    assert found.best("latency") is None
    assert set(found.frees()) == {
        ("chip", "large"),
        ("chip", "unpriced"),
        ("chips", 3.0),
        ("items", 38.0),
    }
    assert drawn(toy).frees() == []


def test_a_metric_unknown_here_has_no_swings(toy: Any) -> None:
    found = drawn(toy, {"chip": "unpriced"})
    assert math.isnan(found.here["cost"])
    assert found.swings("cost") == []
    assert found.best("cost") is None


def test_a_change_to_unknown_is_no_end_of_a_swing(toy: Any) -> None:
    found = swing(drawn(toy, {"items": 4}), "cost", "chip")
    assert (found.low_at, found.high_at) == ("tiny", "large")


def test_infinity_is_farther_than_any_number(toy: Any) -> None:
    def evaluate(config: Any) -> Result:
        result = toy.price_machine(config)
        life = np.where(config.cached > 0, 10.0 / config.clock, np.inf) + 0 * config.chips
        return replace(result, metrics={**result.metrics, "life": life})

    page = replace(
        toy.TOY,
        evaluate=evaluate,
        metrics={**toy.TOY.metrics, "life": Metric("s", "max", "until it wears out")},
    )
    found = around(page, registry.configure(page, {"cached": 1}))
    assert found.swings("life")[0].knob == "cached"
    assert found.swings("life")[0].size == math.inf
    best = found.best("life")
    assert best is not None
    assert (best.knob, best.value) == ("cached", math.inf)
    endless = around(page, registry.configure(page, {}))
    assert [s.knob for s in endless.swings("life") if s.size > 0] == ["cached"]
    assert endless.best("life") is None


def test_a_number_of_kind_fitted_is_what_makes_a_knob_no_choice(toy: Any) -> None:
    clock = Number(value=1e9, unit="Hz", source=FITTED, fitted_on=("f1",))
    data = replace(toy.TOY.data, parameters={**toy.TOY.data.parameters, "clock": clock})
    page = replace(toy.TOY, data=data)
    assert "clock" in around(page, registry.configure(page, {})).fixed


def test_changes_of_a_study_are_those_of_its_axes_from_one_design(toy: Any) -> None:
    study = toy.study()
    start = {"chip": 1.0, "chips": 2.0, "link.bandwidth": 8e9, "link.lanes": 4.0, "cached": 0.0}
    found = along(study, {**start, "cache": 1e6})
    assert found.start["chip"] == "small"
    assert set(found.knob) == set(start)
    assert found.here["latency"] == pytest.approx(
        4e9 * 8 / (400 * 1e9 * 2 * 0.5) + 8e6 * 8 / 32e9 + 2e-3, rel=1e-12
    )
    lanes = swing(found, "latency", "link.lanes")
    assert (lanes.low_at, lanes.high_at) == (7.0, 1.0)


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        (2.0, 3.0, 0.5),
        (-2.0, -3.0, -0.5),
        (0.0, 0.0, 0.0),
        (0.0, -1.0, -math.inf),
        (math.inf, math.inf, 0.0),
        (math.inf, 1.0, -math.inf),
        (1.0, math.inf, math.inf),
    ],
)
def test_a_relative_change_has_its_limits(here: float, there: float, expected: float) -> None:
    assert change(here, there) == expected


@pytest.mark.parametrize("slug", registry.slugs())
def test_every_pages_default_design_has_a_tornado(slug: str) -> None:
    page = registry.model(slug)
    found = around(page, registry.configure(page, {}))
    swings = found.swings(page.total)
    assert found.runs_here
    assert found.runs.sum() > 0.5 * len(found.runs)
    assert any(swing.size > 0 for swing in swings)
    for swing in swings:
        assert swing.low <= found.here[page.total] <= swing.high
    for name, metric in page.metrics.items():
        if name != "feasible" and metric.sense and (best := found.best(name)) is not None:
            better = best.value < best.here if metric.sense == "min" else best.value > best.here
            assert better, name
