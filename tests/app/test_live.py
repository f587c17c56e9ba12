"""The design under the controls: changes, results in words, and the figure of its breakdown."""

from dataclasses import replace

import pytest

from app import design, live
from app.context import Context
from app.live import Change
from dse import registry
from dse.certainty import span
from dse.errors import InputError

from . import toy as toys
from .test_controls import walk
from .test_design import DEFAULTS
from .test_front import text_of


@pytest.fixture
def state() -> live.State:
    return {"model": "toy", "settings": DEFAULTS}


def starting(slug: str) -> live.State:
    """A page's defaults."""
    page = registry.model(slug)
    return {"model": slug, "settings": design.flatten(registry.starting_point(page))}


def changed(context, state, kind, path, value) -> dict:
    after = live.applied(context, state, Change(kind, path, value))
    return {path: v for path, v in after.items() if v != state["settings"][path]}


def test_each_kind_of_change_sets_the_knob_it_is_for(context, state):
    assert changed(context, state, "range", "requests", "2") == {"requests": 3}
    assert changed(context, state, "text", "memory.bandwidth", "3.2 GB/s") == {
        "memory.bandwidth": 3.2e9
    }
    assert changed(context, state, "menu", "chip", "t4") == {"chip": "t4"}


def test_a_picked_design_replaces_every_knob(context, state):
    front = context.snapshot().front
    after = live.applied(context, state, Change("graph", "", 0))
    assert after["memory.bandwidth"] == front["memory.bandwidth"][0]
    assert after == live.applied(context, state, Change("grid", "", 0))


def test_text_that_is_no_value_is_refused(context, state):
    with pytest.raises(InputError, match="requests: 'many' is not a quantity in request"):
        live.applied(context, state, Change("text", "requests", "many"))


def test_controls_show_the_design(context, state):
    boxes = live.boxes(context, state)
    assert boxes["menu"] == {"chip": "a100-sxm-80gb"}
    assert boxes["text"]["memory.bandwidth"] == "10 GB/s"
    assert boxes["range"] == {"memory.bandwidth": 100, "memory.efficiency": 89, "requests": 3}


def test_a_result_names_every_metric_with_its_unit(context, state):
    shown, link = live.result(context, state)
    text = text_of(shown)
    for words in ("Latency", "24 ms", "Cost", "$14,000", "Power", "400 W", "Feasible", "yes"):
        assert words in text
    assert "Bottleneck: memory (20 ms), then compute (4 ms)." in text
    assert link == "?model=toy"


def test_a_metric_shows_its_interval_its_tier_and_on_hover_what_they_rest_on():
    state = {
        "model": "dfx",
        "settings": design.flatten(registry.starting_point(registry.model("dfx"))),
    }
    answer = design.price(registry.model("dfx"), state["settings"]).answer
    rows = [part for part in walk(live.result(Context(), state)[0]) if type(part).__name__ == "Tr"]
    found = {row.children[0].children: row.children for row in rows[1:]}
    latency, metric = found["Latency"], answer["metrics"]["latency"]
    assert span(metric["low"], metric["high"], "s") in text_of(latency[1])
    assert (latency[2].children, latency[2].title) == (metric["tier"], metric["basis"])
    cost = found["Cost"]
    assert (cost[2].children, cost[2].title) == ("unchecked", "nothing was checked")
    assert " to " not in text_of(cost[1])


def test_a_total_is_drawn_with_its_interval():
    state = {
        "model": "dfx",
        "settings": design.flatten(registry.starting_point(registry.model("dfx"))),
    }
    bars = {trace.name: trace for trace in live.breakdown(state, dark=False).data}
    assert bars["total"].error_x.array[0] > 0
    assert bars["term"].error_x.array is None


def test_the_breakdown_draws_the_terms_of_the_design(toy, state):
    figure = live.breakdown(state, dark=False)
    assert [list(trace.x) for trace in figure.data] == [[20, 4], [24]]


def test_a_total_of_zero_says_that_there_is_nothing_to_break_down(monkeypatch, state):
    page = toys.install(monkeypatch)

    def idle(config):
        found = page.evaluate(config)
        return replace(found, metrics={**found.metrics, "latency": 0.0 * config.requests})

    monkeypatch.setattr(toys, "PAGE", replace(page, evaluate=idle))
    figure = live.breakdown(state, dark=False)
    assert not figure.data
    assert "nothing to break down" in figure.layout.title.text


def test_raised_flags_and_knobs_beyond_their_range_are_cautions(context, state):
    state = {**state, "settings": {**DEFAULTS, "requests": 8.0, "memory.bandwidth": 2e11}}
    text = text_of(live.result(context, state)[0])
    assert "Caution: batches over 6 were never measured" in text
    assert "Caution: memory.bandwidth = 200 GB/s lies outside 1 GB/s to 100 GB/s" in text


def test_an_infeasible_design_keeps_its_numbers_and_says_so(context, state):
    slow = {**DEFAULTS, "requests": 31.0, "memory.bandwidth": 1e8}
    text = text_of(live.result(context, {**state, "settings": slow})[0])
    assert "Infeasible: the page says that this design cannot run." in text
    assert "'latency <= 60 ms' is missed by 32.9 of its limit." in text
    assert "2.03 s" in text


def test_a_design_beyond_the_pages_rules_is_refused_without_numbers(context, state):
    state = {**state, "settings": {**DEFAULTS, "requests": 32.0}}
    shown, _ = live.result(context, state)
    assert shown.children == "`requests < 32` must hold; set requests to 31 or less"
    assert not live.breakdown(state, dark=False).data


def test_without_a_run_a_design_is_still_priced(toy, state):
    assert "24 ms" in text_of(live.result(Context(), state)[0])


def test_a_page_nobody_knows_is_refused(context, state):
    with pytest.raises(InputError, match="unknown model 'tai'"):
        live.result(context, {**state, "model": "tai"})


def test_a_design_without_resources_has_no_bottleneck(toy):
    assert "names no resource" in live.bottleneck(toy, {"resources": {"memory": None}})
