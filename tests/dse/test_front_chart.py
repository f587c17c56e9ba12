"""Intervals on the chart of a front: whose they are, both renderers alike, and what has none."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from dse import figures, front_chart, interval
from dse.chart import tidy
from dse.evaluate import Table
from dse.figures import Chart
from dse.interval import Error
from dse.marks import whiskers
from dse.spec import Model
from dse.study import Study
from tests.app import toy as toys

SCALE = 0.1
REACH = np.exp(SCALE * 1.6449)
"""Of a normal deviate's 95 % quantile: the groups are without number."""


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> Model[Any]:
    return toys.install(monkeypatch)


@pytest.fixture
def erring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy's latency was checked, its cost was not."""
    error = Error(SCALE, 9, 99, 0.5, "published", np.inf)
    monkeypatch.setattr(interval, "errors", lambda slug: {("latency", ""): error})


def charted(study: Study, **choice: str) -> Chart:
    designs, front = toys.searched(study)
    chances = np.linspace(0, 1, len(front))
    wide = Table({**front.columns, "chance_nondominated": chances}, front.units, front.labels)
    return figures.front(study, designs, wide, **{"x": "latency", "y": "cost", **choice})


def series(chart: Chart, name: str) -> Any:
    return chart.frame[chart.frame["series"] == name]


def spread_of(figure: Any) -> dict[str, Mapping[str, Any]]:
    return {trace.name: trace.error_x for trace in figure.data if trace.error_x.array is not None}


@pytest.mark.usefixtures("erring")
def test_every_design_of_a_small_front_carries_its_interval_once() -> None:
    chart = charted(toys.study())
    front, best = series(chart, "front"), series(chart, "best")
    np.testing.assert_allclose(best["x_high"] / best["latency"], REACH, rtol=1e-4)
    np.testing.assert_allclose(best["latency"] / best["x_low"], REACH, rtol=1e-4)
    again = front["row"].isin(best["row"])
    assert front[again]["x_low"].isna().all()
    assert front[~again]["x_low"].notna().all()
    assert chart.frame["low"].isna().all()  # nobody checked the cost
    assert series(chart, "designs")["x_low"].isna().all()
    assert "Bars are 90 % intervals of the front's designs." in chart.caption
    assert "No interval of cost: nothing was checked." in chart.caption


@pytest.mark.usefixtures("erring")
def test_of_a_large_front_only_the_best_designs_carry_intervals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(front_chart, "WHISKERS", 3)
    chart = charted(toys.study())
    assert series(chart, "front")["x_low"].isna().all()
    assert series(chart, "best")["x_low"].notna().all()
    assert "of the best designs" in chart.caption
    label = series(chart, "front")["label"].iloc[1]
    assert "chance to be non-dominated" in label
    assert "interval" not in label


@pytest.mark.usefixtures("erring")
def test_both_renderers_draw_the_same_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.axes import Axes

    printed = []
    bars = Axes.errorbar

    def spy(axes: Any, x: Any, y: Any, **look: Any) -> Any:
        printed.append((look["xerr"], look["yerr"]))
        return bars(axes, x, y, **look)

    monkeypatch.setattr(Axes, "errorbar", spy)
    chart = charted(toys.study())
    figures.svg(chart)
    shown = spread_of(figures.plotly(chart))
    assert list(shown) == ["front", "best"]
    for (across, up), error in zip(printed, shown.values(), strict=True):
        np.testing.assert_array_equal(across[0], error.arrayminus)
        np.testing.assert_array_equal(across[1], error.array)
        assert up is None


@pytest.mark.usefixtures("erring")
def test_the_hover_text_says_interval_tier_and_chance() -> None:
    lines = series(charted(toys.study()), "best")["label"].iloc[0].split("\n")
    assert lines[-3].startswith("chance to be non-dominated: ")
    assert lines[-2].startswith("Latency: 90 % interval ")
    assert lines[-2].endswith(", published")
    assert lines[-1] == "Cost: unchecked"


def test_a_knob_on_an_axis_has_no_interval_and_is_not_called_unchecked() -> None:
    chart = charted(toys.study(), x="requests")
    assert "Requests: unchecked" not in series(chart, "best")["label"].iloc[0]
    assert "No interval of cost: nothing was checked." in chart.caption


def test_without_any_interval_a_front_is_drawn_without_warnings_or_bars() -> None:
    chart = charted(toys.study())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert spread_of(figures.plotly(chart)) == {}
        assert figures.svg(chart)
    assert "Bars are" not in chart.caption
    assert "No interval of latency and cost: nothing was checked." in chart.caption


def test_an_axis_has_room_for_its_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not charted(toys.study(constraints=["latency <= 30 ms"])).log_x
    wide = Error(2.0, 9, 99, 0.5, "published", np.inf)
    monkeypatch.setattr(interval, "errors", lambda slug: {("latency", ""): wide})
    assert charted(toys.study(constraints=["latency <= 30 ms"])).log_x


def test_an_end_without_limit_is_drawn_as_far_as_anything_else() -> None:
    frame = tidy(
        2, a=[1.0, 4.0], b=[1.0, 2.0], x_low=[0.5, 3.0], x_high=[np.inf, 8.0], series="front"
    )
    chart = Chart("scatter", "t", "a", "b", "A", "B", frame, "", x_scale=2.0)
    distances = whiskers(chart, frame, "x")
    assert distances is not None
    assert distances.tolist() == [[0.25, 0.5], [3.5, 2.0]]
    assert np.isfinite(figures.plotly(chart).data[0].error_x.array).all()
    assert figures.svg(chart)


def test_a_front_without_chances_says_nothing_of_them() -> None:
    question = toys.study()
    designs, front = toys.searched(question)
    chart = figures.front(question, designs, front, x="latency", y="cost")
    assert "chance" not in series(chart, "best")["label"].iloc[0]
