"""Controls: every knob has one with a label, and sliders land where people expect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import design
from app.controls import Control, control, controls, grouped, panel, provenance
from dse import registry
from dse.errors import InputError
from dse.spec import knobs

from . import toy as toys

BANDWIDTH = knobs(toys.Toy)["memory.bandwidth"]
RANGES = [
    Control(BANDWIDTH, 1e9, 1e11, log=True),
    Control(BANDWIDTH, 0.0, 0.3),
    Control(BANDWIDTH, 1.0, 8.0, integer=True),
    Control(BANDWIDTH, 1.0, 4096.0, log=True, integer=True),
    Control(BANDWIDTH, 1.0, 5000.0, integer=True),
]


def walk(component):
    """A component and everything in it."""
    children = getattr(component, "children", None)
    inside = children if isinstance(children, list) else [children]
    yield component
    for child in inside:
        if hasattr(child, "to_plotly_json"):
            yield from walk(child)


@pytest.mark.parametrize("control", RANGES)
def test_the_ends_of_a_slider_are_the_exact_ends_of_the_range(control):
    assert control.value(0) == control.low
    assert control.value(control.steps) == control.high
    assert control.position(control.low) == 0
    assert control.position(control.high) == control.steps


@pytest.mark.parametrize("control", RANGES)
def test_moving_a_slider_up_never_lowers_the_value(control):
    values = [control.value(step) for step in range(control.steps + 1)]
    assert values == sorted(values)


@pytest.mark.parametrize("control", RANGES[:4])
def test_every_position_of_a_slider_holds_still(control):
    for step in range(control.steps + 1):
        assert control.position(control.value(step)) == step


@given(st.floats(1e-3, 1e20))
def test_values_beyond_the_range_stand_at_its_ends(value):
    control = RANGES[0]
    inside = min(max(value, control.low), control.high)
    assert control.position(value) == control.position(inside)


def test_whole_knobs_only_take_whole_values():
    for whole in RANGES[2:]:
        assert all(whole.value(step).is_integer() for step in range(whole.steps + 1))


def test_a_studys_range_comes_before_the_pages(toy):
    of_page, of_study = controls(toy, None), controls(toy, toys.study())
    assert (of_page["requests"].low, of_page["requests"].high) == (1, 32)
    assert (of_study["requests"].low, of_study["requests"].high) == (1, 8)
    assert of_study["memory.bandwidth"].log
    assert of_study["memory.efficiency"].high == 1


def test_a_menu_lists_the_rows_of_the_catalog(toy):
    choices = controls(toy, None)["chip"].choices
    assert set(choices) == set(registry.covered(toys.Chip, "gpus")[0])
    assert len(choices) > 10


SETTINGS = {"chip": "t4", "memory.bandwidth": 1e9, "memory.efficiency": 1.0, "requests": 2.0}


def groups_of(page, settings, clicks=None) -> dict[str, list]:
    """Summary of each group -> its rows; none where it is folded."""
    parts = panel(page, controls(page, None), settings, clicks)
    return {group.children[0].children: group.children[1].children for group in parts}


def test_every_control_has_a_label(toy):
    parts = [
        part
        for group in panel(toy, controls(toy, None), SETTINGS)
        for part in walk(group.children[1])
    ]
    labels = {p.htmlFor for p in parts if p._type == "Label"}
    inputs = [p for p in parts if isinstance(getattr(p, "id", None), dict) and p._type != "Div"]
    assert len(inputs) == 1 + 3 * 2
    for part in inputs:
        identity = part.id
        assert f'{{"index":"{identity["index"]}","type":"{identity["type"]}"}}' in labels


def test_controls_are_grouped_by_the_prefix_of_their_knob(toy):
    assert list(groups_of(toy, SETTINGS)) == ["Setting (2)", "Memory (2)"]


def test_a_folded_group_holds_no_controls_and_an_odd_click_unfolds_it(toy):
    folded = groups_of(toy, SETTINGS, {"Setting": 2, "memory": 1})
    assert folded["Setting (2)"] == []
    assert len(folded["Memory (2)"]) == 2


def test_errors_stand_apart_last_and_folded():
    page = registry.model("codesign")
    groups = groups_of(page, design.flatten(registry.starting_point(page)))
    *others, last = groups.items()
    assert last == (f"Errors held at 1 ({len(page.uncertain)})", [])
    assert [bool(rows) for _, rows in others] == [True, *[False] * (len(others) - 1)]
    assert set(grouped(page, controls(page, None))) >= {"train", "serve", "drive", "dfx"}


def test_a_slider_of_few_whole_numbers_stops_at_each():
    own = Control(BANDWIDTH, 1.0, 32.0, log=True, integer=True)
    assert [own.value(step) for step in range(own.steps + 1)] == list(range(1, 33))


def test_pointing_at_a_knob_tells_where_its_default_is_from():
    page = registry.model("dfx")
    told = provenance(page, knobs(page.config)["fpgas"])
    number = page.data.parameters["fpgas"]
    assert knobs(page.config)["fpgas"].text in told
    assert f"{number.source.where} ({number.source.kind})" in told
    assert "catalog fpgas" in provenance(page, knobs(page.config)["fpga"])


def test_one_control_is_that_of_all(toy):
    question = toys.study()
    assert control(toy, question, "requests") == controls(toy, question)["requests"]
    with pytest.raises(InputError, match="unknown knob 'reqests'; did you mean requests"):
        control(toy, question, "reqests")


@pytest.mark.parametrize("slug", registry.slugs())
def test_every_page_gets_a_control_for_every_knob(slug):
    page = registry.model(slug)
    found = controls(page, None)
    assert found.keys() == knobs(page.config).keys()
    bare = [p for p, c in found.items() if not c.slides and not c.choices and c.knob.bounds]
    assert bare == []
