"""A design as plain settings: URL and text round trips, and refusals in words."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import compared, design
from dse import interval, registry
from dse.errors import InputError
from dse.interval import Error
from dse.spec import knobs

from . import toy as toys

DEFAULTS = {
    "chip": "a100-sxm-80gb",
    "memory.bandwidth": 1e10,
    "memory.efficiency": 0.5,
    "requests": 4.0,
}


def test_a_config_flattens_to_slugs_and_si_numbers(toy):
    assert design.flatten(registry.starting_point(toy)) == DEFAULTS


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chip=st.sampled_from(["t4", "l4", "a100-sxm-80gb"]),
    bandwidth=st.floats(1e9, 1e11),
    requests=st.integers(1, 31),
)
def test_a_link_reproduces_a_design_to_the_last_bit(toy, chip, bandwidth, requests):
    given = {
        **DEFAULTS,
        "chip": chip,
        "memory.bandwidth": bandwidth,
        "requests": float(requests),
    }
    asked = design.read(design.query(toy, given), default="toy")
    assert asked.settings == given
    assert asked.problems == ()


def test_a_link_names_the_page_and_only_what_differs_from_its_defaults(toy):
    assert design.query(toy, DEFAULTS) == "?model=toy"
    assert design.query(toy, {**DEFAULTS, "requests": 2.0}) == "?model=toy&requests=2"


def test_a_link_may_carry_units(toy):
    asked = design.read("?model=toy&memory.bandwidth=3.2 GB/s&requests=2", default="toy")
    assert asked.settings["memory.bandwidth"] == 3.2e9
    assert asked.settings["requests"] == 2


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("?model=tai", "unknown model 'tai'; known: toy Showing toy instead."),
        ("?model=toy&reqests=3", "unknown knob 'reqests'; did you mean requests?"),
        ("?requests=three", "requests: 'three' is not a quantity in request"),
        ("?requests=nan", "requests: nan is not a quantity in request: it must be finite"),
        ("?memory.bandwidth=3 W", "'W' measures W, not B/s"),
        ("?chip=abacus", "chip: unknown choice 'abacus'"),
        ("?chip=<script>alert(1)</script>", "unknown choice '<script>"),
    ],
)
def test_what_a_link_gets_wrong_is_said_and_the_rest_stands(toy, search, words):
    asked = design.read(search, default="toy")
    assert words in " ".join(asked.problems)
    assert asked.page is toy
    assert asked.settings == DEFAULTS


@given(st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_whatsoever_raises(toy, text):
    assert design.read("?" + text, default="toy").settings.keys() == DEFAULTS.keys()


def test_an_empty_link_starts_from_the_runs_design(toy):
    start = {**DEFAULTS, "requests": 7.0}
    assert design.read("", default="toy", start=start).settings == start
    asked = design.read("?requests=2", default="toy", start=start)
    assert asked.settings == {**DEFAULTS, "requests": 2.0}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(1e-6, 1e15), st.sampled_from(["memory.bandwidth", "requests"]))
def test_what_a_box_shows_can_be_typed_again(toy, value, path):
    knob = knobs(toy.config)[path]
    # six digits are shown
    np.testing.assert_allclose(design.entered(knob, design.shown(knob, value)), value, rtol=1e-5)


def test_a_row_of_a_run_becomes_settings_with_the_fixed_knobs(context):
    snapshot = context.opened()
    found = design.row_settings(snapshot.study, snapshot.front, 0)
    assert found["chip"] == "p100-pcie-16gb"
    assert found["memory.efficiency"] == 0.5
    assert found.keys() == DEFAULTS.keys()


def test_a_priced_row_has_the_numbers_of_its_row(toy, context):
    snapshot = context.opened()
    found = design.row_settings(snapshot.study, snapshot.front, 3)
    answer = design.price(toy, found).answer
    assert answer["metrics"]["latency"]["value"] == snapshot.front["latency"][3]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("requests", 32.0, "`requests < 32` must hold; set requests to 31 or less"),
        ("requests", 1.5, "must be a whole number, got 1.5"),
        ("memory.bandwidth", -1.0, "greater than 0"),
    ],
)
def test_a_design_that_the_page_refuses_is_refused_in_words(toy, path, value, words):
    priced = design.price(toy, {**DEFAULTS, path: value})
    assert priced.answer is None
    assert words in priced.refusal


def test_missed_constraints_are_named_with_their_distance(toy):
    question = toys.study(constraints=["latency <= 12 ms", "cost <= 1 M$"])
    lines = design.missed(question, DEFAULTS)
    assert lines == ["'latency <= 12 ms' is missed by 1 of its limit."]


def test_an_unknown_metric_leaves_its_constraint_unjudged(toy):
    def unknown(config):
        found = toy.evaluate(config)
        return replace(found, metrics={**found.metrics, "latency": np.asarray(np.nan)})

    question = replace(toys.study(), page=replace(toy, evaluate=unknown))
    lines = design.missed(question, DEFAULTS)
    assert lines == ["'latency <= 60 ms' cannot be judged: latency is unknown."]


def test_a_bound_with_a_probability_is_judged_by_the_end_that_is_reached_so_surely(
    toy, monkeypatch
):
    # 24 ms with errors of a factor e^0.5 at one sigma: with 90 % below 24 ms e^(0.5 * 1.2816)
    error = Error(0.5, 9, 99, 0.0, "published", math.inf)
    monkeypatch.setattr(interval, "errors", lambda slug: {("latency", ""): error})
    loose = toys.study(constraints=["latency <= 60 ms with 90 %", "latency <= 30 ms"])
    assert design.missed(loose, DEFAULTS) == []
    tight = toys.study(constraints=["latency <= 30 ms with 90 %"])
    (line,) = design.missed(tight, DEFAULTS)
    assert line == (
        "'latency <= 30 ms with 90 %' is missed by 0.518 of its limit: "
        "with that probability it only reaches 45.6 ms."
    )


def test_a_link_holds_a_pinned_design_and_what_is_seen_beside(toy):
    held = {**DEFAULTS, "requests": 2.0, "memory.bandwidth": 3e9}
    link = design.query(toy, DEFAULTS, pinned=design.called(toy, held), metric="cost", roof="")
    asked = design.read(link, default="toy")
    assert (asked.settings, asked.pinned) == (DEFAULTS, held)
    assert (asked.metric, asked.roof, asked.problems) == ("cost", "", ())
    assert "roof" not in link


def test_a_design_is_called_as_compare_takes_it(toy):
    assert design.called(toy, DEFAULTS) == "toy"
    changed = {**DEFAULTS, "requests": 2.0, "chip": "t4"}
    assert design.called(toy, changed) == "toy:chip=t4,requests=2"
    link = design.beside(toy, DEFAULTS, changed)
    assert compared.asked(link.removeprefix("/compare")).names == ("toy:chip=t4,requests=2", "toy")


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("?pinned=dfx:fpgas=2", "the pinned design is of page 'dfx', not 'toy'"),
        ("?pinned=toy:requests=many", "requests: 'many' is not a quantity"),
        ("?pinned=toy:nonsense", "unknown knob 'nonsense'"),
        ("?metric=latncy", "unknown metric 'latncy'; did you mean latency?"),
    ],
)
def test_what_a_link_gets_wrong_beside_the_design_is_said(toy, search, words):
    asked = design.read(search, default="toy")
    assert words in " ".join(asked.problems)
    assert asked.settings == DEFAULTS


@pytest.mark.parametrize("slug", registry.slugs())
def test_no_page_has_a_knob_that_a_link_needs_for_itself(slug):
    assert not {"model", *design.VIEW} & knobs(registry.model(slug).config).keys()


def test_a_design_file_becomes_settings(toy):
    page, found = design.of_file("model: toy\nset: {requests: 2, chip: t4}", "mine.yaml")
    assert page is toy
    assert found == {**DEFAULTS, "requests": 2.0, "chip": "t4"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model: [toy", "mine.yaml:1: not readable as YAML"),
        ("- toy", "mine.yaml: a design file needs 'model' and 'set'"),
        ("model: tai", "unknown model 'tai'"),
        ("model: toy\nset: {reqests: 2}", "reqests"),
        ("model: toy\nset: {requests: 40}", "`requests < 32` must hold"),
        ("model: toy\nset: {chip: {power: 3}}", "chip is a row with numbers of its own"),
        ("model: toy\nset: {chip: ../../own.yaml}", "which the explorer does not open"),
    ],
)
def test_a_file_that_holds_no_design_of_menus_is_refused_in_a_line(toy, text, words):
    with pytest.raises(InputError) as raised:
        design.of_file(text, "mine.yaml")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_text_that_is_no_value_is_refused_with_the_knobs_name(toy):
    with pytest.raises(InputError, match=r"memory\.bandwidth: '5 ms' is not a quantity in B/s"):
        design.entered(knobs(toy.config)["memory.bandwidth"], "5 ms")
