"""What is taken apart: the total, or a metric with parts where no design has a total."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from dse import registry, show, side_by_side, verbs
from dse.breakdown import broken_down
from dse.spec import AnyModel, Metric, Result
from tests.dse import toy as toys

TRAINS = {
    **toys.TOY.metrics,
    "step_cost": Metric("USD", "min", "not in the unit of the total", parts=("power",)),
    "idle_time": Metric("s", "", "0 in every design", parts=("forward",)),
    "step": Metric("s", "min", "time of a step", parts=("forward", "backward")),
    "forward": Metric("s", "", "of it, forward"),
    "backward": Metric("s", "", "of it, backward"),
}


def price_training(config: toys.Machine) -> Result:
    """The toy that answers no request: a step of 1 ms forward and 2 ms back an item."""
    result, zero = toys.price_machine(config), 0.0 * config.items
    forward = 1e-3 * config.items
    step = {"step": 3 * forward, "forward": forward, "backward": 2 * forward}
    metrics = {**result.metrics, **step, "latency": zero, "step_cost": forward, "idle_time": zero}
    return replace(result, metrics=metrics, terms=dict.fromkeys(result.terms, zero))


def price_nothing(config: toys.Machine) -> Result:
    result = price_training(config)
    return replace(result, metrics={**result.metrics, "step": 0.0 * config.items})


@pytest.fixture
def trains(monkeypatch: pytest.MonkeyPatch) -> AnyModel:
    return known(monkeypatch, price_training)


def known(monkeypatch: pytest.MonkeyPatch, evaluate: Any) -> AnyModel:
    page = replace(toys.TOY, metrics=TRAINS, evaluate=evaluate)
    monkeypatch.setattr(toys, "TOY", page)
    toys.install(monkeypatch.setattr)
    return page


def printed(printer: Any, found: object) -> str:
    out = Console(width=100, highlight=False, record=True, file=io.StringIO())
    printer(out, found)
    return out.export_text()


def test_a_total_above_zero_is_taken_apart_whatever_else_has_parts(trains: AnyModel) -> None:
    metrics = dict.fromkeys(TRAINS, 1.0)
    found = broken_down(trains, metrics, {"a": 1.0})
    assert found is not None
    assert (found.metric, found.parts) == ("latency", {"a": 1.0})


def test_an_unknown_total_is_not_zero(trains: AnyModel) -> None:
    found = broken_down(trains, {**dict.fromkeys(TRAINS, 1.0), "latency": None}, {"a": None})
    assert found is not None
    assert found.metric == "latency"


def test_one_design_with_a_total_is_enough(trains: AnyModel) -> None:
    metrics = dict.fromkeys(TRAINS, np.ones(2)) | {"latency": np.array([0.0, 1.0])}
    found = broken_down(trains, metrics, {"a": np.array([0.0, 1.0])})
    assert found is not None
    assert found.metric == "latency"


def test_eval_takes_a_step_apart_where_no_request_is_answered(trains: AnyModel) -> None:
    text = printed(show.answer, verbs.evaluate("toy"))  # 16 items: 16 ms forward, 32 ms back
    assert "step is the sum of" in text
    rows = [line.split()[:5] for line in text.splitlines() if "█" in line]
    assert rows == [
        ["backward", "32", "ms", "66.7", "%"],
        ["forward", "16", "ms", "33.3", "%"],
    ]
    assert "compute" not in text


def test_compare_puts_the_parts_of_a_step_side_by_side(trains: AnyModel) -> None:
    found = verbs.comparison(["toy"], variants={"items=8": {"items": 8}})
    text = printed(side_by_side.comparison, found)
    after = text[text.index("step is the sum of") :].splitlines()
    assert after[1].split() == ["backward", "32", "ms", "16", "ms", "-16", "ms"]
    assert after[2].split() == ["forward", "16", "ms", "8", "ms", "-8", "ms"]
    assert "latency is" not in text


def test_nothing_to_break_down_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, price_nothing)
    said = "latency is 0 here, so there is nothing to break down"
    text = printed(show.answer, verbs.evaluate("toy"))
    assert text.count(said) == 1
    assert "is the sum of" not in text
    found = verbs.comparison(["toy"], variants={"items=8": {"items": 8}})
    assert printed(side_by_side.comparison, found).count(said) == 1


def test_a_platform_that_only_trains_has_its_step_taken_apart() -> None:
    answer = verbs.evaluate(
        "codesign", {"workload": "bert-large", "serve.target": "none", "train.mode": "train"}
    )
    metrics = {name: metric["value"] for name, metric in answer["metrics"].items()}
    found = broken_down(registry.model("codesign"), metrics, answer["terms"])
    assert found is not None
    assert found.metric == "step_time"
    assert sum(found.parts.values()) == pytest.approx(found.whole, rel=1e-9)
