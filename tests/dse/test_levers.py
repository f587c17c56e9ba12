"""Sensitivities in a terminal: what is said, what is only named, and how numbers read."""

from dataclasses import replace
from io import StringIO
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from dse import registry
from dse.levers import bar, sensitivity
from dse.sensitivity import Asked, of_design, of_study


def printed(toy: Any, document: dict[str, object], *, width: int = 160, **asked: Any) -> str:
    out = Console(width=width, highlight=False, record=True, file=StringIO())
    config = registry.configure(toy.TOY, document)
    sensitivity(out, of_design(toy.TOY, config, Asked(**{"samples": 256, **asked})))
    return out.export_text()


@pytest.mark.parametrize(
    ("share", "length"),
    [(-0.2, 0), (0.0, 0), (0.003, 0), (0.01, 1), (0.5, 10), (1.0, 20), (2, 20)],
)
def test_a_bar_is_as_long_as_its_share(share: float, length: int) -> None:
    assert len(bar(share)) == length


def test_a_few_metrics_are_shown_and_the_others_named(toy: Any) -> None:
    text = printed(toy, {})
    assert text.count("variance of") == 4
    assert "not shown: cost, utilisation; ask for them by --metric" in text
    assert text.count("\nutilisation, higher is better") == 0
    assert "\nutilisation, higher is better" in printed(toy, {}, metrics=("utilisation",))


def test_a_metric_that_nothing_moves_is_only_named(toy: Any) -> None:
    text = printed(toy, {}, metrics=("latency", "needed"), knobs=("clock", "chip"))
    assert "nothing moves: needed" in text
    assert "\nlatency, lower is better" in text


def test_without_a_number_there_are_changes_only(toy: Any) -> None:
    text = printed(toy, {}, knobs=("chip",))
    assert "toy: no number varies, so there are no indices" in text
    assert "variance of" not in text
    assert "total: share" not in text
    assert "chip" in text.split("one change at a time")[1]


def test_fitted_constants_are_marked(toy: Any) -> None:
    assert "efficiency (fitted)" in printed(toy, {}, metrics=("latency",))


def test_what_is_skipped_and_left_alone_is_said_with_its_reason(toy: Any) -> None:
    text = printed(toy, {"items": 39, "overhead": 0})
    assert "skipped, not covered or unable to run: chip 1 of 3, chips 1 of 2, items 1 of 2" in text
    assert "left alone, since it is 0: overhead" in text
    assert "no indices: only 75 of 256 rows" not in printed(toy, {"items": 39}, samples=1024)
    assert "designs hold no value" in printed(toy, {"items": 39}, samples=1024)


def test_no_zero_has_a_sign(toy: Any) -> None:
    text = printed(toy, {"items": 39}, metrics=("throughput",))
    assert "+0.00" in text  # items move a throughput that is bound by items per second
    assert "-0.00" not in text


def test_what_a_change_makes_unknown_is_said(toy: Any) -> None:
    text = printed(toy, {}, metrics=("latency",))
    assert "helps most: chip = unpriced, 26 ms (-84.7 %); worsens cost unknown, power" in text


def test_a_tenfold_change_reads_as_a_factor(toy: Any) -> None:
    # 4000 operations a cycle for 100
    text = printed(toy, {"chip": "tiny", "items": 4}, metrics=("throughput",))
    assert "helps most: chip = unpriced" in text
    assert "(x" in text


def test_the_error_to_measure_first_is_named_with_its_share(toy: Any) -> None:
    found = of_design(toy.TOY, registry.configure(toy.TOY, {}), Asked(samples=256))
    errors = replace(
        found.indices["latency"],
        inputs=("far", "near", "none"),
        total=np.array([0.05, 0.95, 0.001]),
    )
    out = Console(width=160, highlight=False, record=True, file=StringIO())
    sensitivity(out, replace(found, drivers={"latency": errors}))
    said = "measure near (0.95 of the variance) first; then far (0.05 of the variance)\n"
    assert f"unsure of latency: {said}" in out.export_text()


def test_a_study_in_which_nothing_runs_says_so(toy: Any) -> None:
    out = Console(width=160, highlight=False, record=True, file=StringIO())
    sensitivity(out, of_study(toy.study(set={"items": 1024}), Asked(samples=256)))
    text = out.export_text()
    assert "no design of the sample can run, so nothing was changed alone" in text
    assert "no indices: only 0 of 256 rows hold values to compare" in text


@pytest.mark.parametrize("width", [60, 80, 160])
def test_no_line_is_wider_than_the_terminal(toy: Any, width: int) -> None:
    assert max(map(len, printed(toy, {}, width=width).splitlines())) <= width
