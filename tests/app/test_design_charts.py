"""The charts of a design: what its total is made of, its roof, single changes, and sources."""

from dataclasses import replace

import numpy as np
import pytest

from app import design, design_charts
from dse import registry, tornado
from dse.roofs import roofs
from dse.study import nest

from . import toy as toys
from .test_design import DEFAULTS


def starting(slug: str) -> dict:
    return design.flatten(registry.starting_point(registry.model(slug)))


def test_the_terms_of_a_design_are_drawn(toy):
    chart, said = design_charts.terms(toy, DEFAULTS)
    assert chart.frame["latency"].tolist() == [0.02, 0.004, 0.024]
    assert said == chart.caption


def test_a_total_is_drawn_with_its_interval():
    chart, _ = design_charts.terms(registry.model("dfx"), starting("dfx"))
    total = chart.frame[chart.frame["series"] == "total"]
    assert float(total["low"].iloc[0]) < float(total["latency"].iloc[0])
    assert chart.frame[chart.frame["series"] == "term"]["low"].isna().all()


def test_a_total_of_zero_says_that_there_is_nothing_to_break_down(monkeypatch):
    page = toys.install(monkeypatch)

    def idle(config):
        found = page.evaluate(config)
        return replace(found, metrics={**found.metrics, "latency": 0.0 * config.requests})

    monkeypatch.setattr(toys, "PAGE", replace(page, evaluate=idle))
    chart, said = design_charts.terms(toys.PAGE, DEFAULTS)
    assert chart is None
    assert "nothing to break down" in said


def test_a_design_that_is_refused_has_words_in_place_of_every_chart(toy):
    refused = {**DEFAULTS, "requests": 32.0}
    assert design_charts.terms(toy, refused) == (
        None,
        "`requests < 32` must hold; set requests to 31 or less",
    )
    assert design_charts.levers(toy, refused, "latency").said.startswith("`requests < 32`")
    assert design_charts.roofs_of(toy, refused) == ()
    assert design_charts.roofline((), "") is None


def test_a_roof_is_chosen_by_name_and_else_the_first():
    page = registry.model("codesign")
    settings = {**starting("codesign"), "train.mode": "train"}
    found = design_charts.roofs_of(page, settings)
    assert list(found) == list(roofs(page, registry.configure(page, nest(settings))))
    names = [roof.name for roof in found]
    assert len(names) == len(set(names)) == 3
    captions = [design_charts.roofline(found, name).caption for name in (*names, "gone")]
    assert [text.partition(":")[0] for text in captions] == [*names, names[0]]


def test_the_change_that_helps_most_is_that_of_the_tornado(toy):
    found = design_charts.levers(toy, DEFAULTS, "latency")
    drawn = tornado.around(toy, registry.starting_point(toy))
    best = drawn.best("latency")
    assert found.helps == {best.knob: best.setting}
    after = design.price(toy, {**DEFAULTS, **found.helps}).answer["metrics"]["latency"]["value"]
    assert after == pytest.approx(best.value)
    # reading 10 % faster saves 20 ms (1 - 1 / 1.1), a request less only 1 ms
    assert best.knob in ("memory.bandwidth", "memory.efficiency")
    np.testing.assert_allclose(best.value, 0.004 + 0.02 / 1.1)
    assert found.said.startswith(f"Helps most: {best.knob} = ")
    assert "which gives 22.2 ms (x0.924)" in found.said


def test_what_a_helpful_change_makes_worse_is_said(toy):
    found = design_charts.levers(toy, DEFAULTS, "cost")
    assert found.helps == {"requests": 3.0}
    assert found.said == "Helps most: requests = 3 request, which gives $13,000 (x0.929)."
    alone = {**DEFAULTS, "memory.efficiency": 1.0, "requests": 1.0}
    assert design_charts.levers(toy, alone, "latency").said == (
        "Helps most: memory.bandwidth = 11 GB/s, which gives 10.1 ms (x0.917); "
        "it worsens cost to $12,000 (x1.09)."
    )


def test_a_metric_that_nothing_moves_says_so(monkeypatch):
    page = toys.install(monkeypatch)

    def steady(config):
        found = page.evaluate(config)
        return replace(
            found, metrics={**found.metrics, "cost": np.full_like(config.requests, 9.0)}
        )

    monkeypatch.setattr(toys, "PAGE", replace(page, evaluate=steady))
    found = design_charts.levers(toys.PAGE, DEFAULTS, "cost")
    assert (found.said, found.chart, found.helps) == ("No single change moves cost.", None, {})


def test_single_changes_are_named_by_which_a_design_runs_that_cannot(toy):
    barely = {**DEFAULTS, "requests": 31.0, "memory.bandwidth": 6.8e8}
    assert design.price(toy, barely).answer["metrics"]["feasible"]["value"] is False
    found = design_charts.levers(toy, barely, "latency")
    assert found.chart is None
    assert "With one change it does: " in found.said
    assert "requests = 28 request." in found.said  # a tenth less
    stuck = {**barely, "memory.bandwidth": 1e7}
    assert "no single change lets it" in design_charts.levers(toy, stuck, "latency").said


def test_each_number_of_a_chosen_row_tells_where_it_is_from():
    found = design_charts.rows_of(registry.model("roofline"), starting("roofline"))
    told = found["device = v100-pcie-16gb"]
    number = registry.devices("gpus")["v100-pcie-16gb"]["memory_bandwidth"]
    assert f"Memory bandwidth 900 GB/s: {number.source.where} ({number.source.kind})" in told
    assert any(text.startswith("Price $") for text in told)
    assert any(text.startswith("Width 2 B: ") for text in found["precision = fp16"])
    assert not any(name.startswith("workload") for name in found)
