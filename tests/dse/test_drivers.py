"""Which error drives an interval: shares that are known from the errors' variances."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from dse import interval, registry
from dse.drivers import INNER, drivers
from dse.interval import Error
from dse.spec import Metric, Result, Uncertain


def error(scale: float, *, freedom: float = 1e6, own: float = 0.0) -> Error:
    return Error(scale=scale, groups=9, rows=9, own=own, tier="published", freedom=freedom)


ERRORS = {
    "near": error(0.05),
    "far": error(0.2),
    "shared": error(0.1, own=0.25),
    "few": error(0.1, freedom=1.0),
}
"""Page -> the error of its latency."""


@pytest.fixture
def page(toy: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the toy join pages: its metric `made` is the product of the knobs that hold errors."""
    monkeypatch.setattr(registry, "model", lambda _: toy.TOY)
    monkeypatch.setattr(
        interval,
        "own_errors",
        lambda slug: {("latency", ""): ERRORS[slug]} if slug in ERRORS else {},
    )

    def evaluate(config: Any) -> Result:
        made = config.efficiency * config.overhead * config.clock
        result = toy.price_machine(config)
        return replace(result, metrics={**result.metrics, "made": made, "still": np.array(3.0)})

    def joining(**uncertain: Uncertain[Any]) -> Any:
        told = {**toy.TOY.metrics, "made": Metric("1", "min", ""), "still": Metric("1", "min", "")}
        return replace(toy.TOY, evaluate=evaluate, metrics=told, uncertain=uncertain)

    return joining


def of(made: Any, **document: object) -> dict[str, float]:
    config = registry.configure(made, {"efficiency": 1, "overhead": 1, **document})
    found = drivers(made, config, ["made"], samples=4096)["made"]
    assert found.ln
    return dict(zip(found.inputs, found.total.tolist(), strict=True))


def test_the_wider_error_is_to_be_measured_first(page: Any) -> None:
    found = of(page(efficiency=Uncertain("near", "latency"), overhead=Uncertain("far", "latency")))
    # 0.05^2 and 0.2^2 of their sum; the estimator's error at 4,096 rows is below 0.03
    assert found == pytest.approx({"near latency": 1 / 17, "far latency": 16 / 17}, abs=0.03)


def test_one_error_in_two_places_is_one_input(page: Any) -> None:
    found = of(
        page(
            efficiency=Uncertain("near", "latency"),
            overhead=Uncertain("near", "latency"),
            clock=Uncertain("far", "latency"),
        )
    )
    # twice the same: (2 * 0.05)^2 against 0.2^2
    assert found == pytest.approx({"near latency": 0.2, "far latency": 0.8}, abs=0.03)


def test_rows_that_err_apart_share_what_they_have_in_common(page: Any) -> None:
    found = of(
        page(
            efficiency=Uncertain("shared", "latency", "chip"),
            overhead=Uncertain("shared", "latency"),
        )
    )
    # (1 - own) in common counts with (2)^2, own 0.25 of each alone: 3 to 0.25 to 0.25
    expected = {
        "shared latency in common": 3 / 3.5,
        "shared latency of small": 0.25 / 3.5,
        "shared latency": 0.25 / 3.5,
    }
    assert found == pytest.approx(expected, abs=0.03)


def test_an_error_without_finite_variance_counts_with_its_inner_part(page: Any) -> None:
    found = of(page(efficiency=Uncertain("few", "latency"), overhead=Uncertain("far", "latency")))
    shares = 0.5 + INNER * (np.linspace(0.0, 1.0, 20_001)[:-1] + 1 / 40_002 - 0.5)
    few = 0.01 * np.var(t.ppf(shares, 1.0))
    far = 0.04 * np.var(t.ppf(shares, 1e6))
    assert found["few latency"] == pytest.approx(few / (few + far), abs=0.03)


def test_an_error_that_nothing_was_checked_of_drives_nothing(page: Any) -> None:
    made = page(efficiency=Uncertain("unchecked", "latency"))
    assert drivers(made, registry.configure(made, {}), ["made"], samples=256) == {}


def test_a_metric_that_no_error_moves_is_refused(page: Any) -> None:
    made = page(efficiency=Uncertain("near", "latency"))
    found = drivers(made, registry.configure(made, {}), ["still"], samples=256)["still"]
    assert found.refusal == "constant"


def test_a_page_that_joins_no_other_has_nothing_to_rank(toy: Any) -> None:
    assert drivers(toy.TOY, registry.configure(toy.TOY, {}), ["latency"], samples=256) == {}


@pytest.mark.parametrize(
    "slug", [slug for slug in registry.slugs() if registry.model(slug).uncertain]
)
def test_every_page_that_joins_others_says_what_to_measure_first(slug: str) -> None:
    found = registry.model(slug)
    config = registry.configure(found, {})
    told = drivers(found, config, [found.total], samples=512)[found.total]
    assert told.refusal == ""
    assert told.total.sum() > 0.9  # errors multiply, so that they hardly interact in logarithms
    assert np.all(told.total >= 0)
