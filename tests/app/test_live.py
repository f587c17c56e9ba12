"""The design under the controls: changes, and what it is worth beside a pinned one."""

import pytest

from app import design, live
from app.context import Context
from app.live import Change
from dse import registry
from dse.certainty import span
from dse.errors import InputError

from .test_controls import walk
from .test_design import DEFAULTS
from .test_front import text_of

BARE = {"run": "", "pinned": None, "touched": "", "echo": [], "seen": 0, "born": ""}


@pytest.fixture
def state() -> live.State:
    return {**BARE, "model": "toy", "settings": DEFAULTS}


def starting(slug: str) -> live.State:
    """A page's defaults."""
    page = registry.model(slug)
    return {**BARE, "model": slug, "settings": design.flatten(registry.starting_point(page))}


def cells_of(context: Context, state: live.State) -> dict[str, list]:
    """Metric in words -> the cells beside it."""
    rows = [part for part in walk(live.result(context, state)) if part._type == "Tr"]
    return {row.children[0].children: row.children[1:] for row in rows[1:]}


def changed(context, state, kind, path, value) -> dict:
    after = live.applied(context, state, Change(kind, path, value))
    return {path: v for path, v in after.items() if v != state["settings"][path]}


def test_each_kind_of_change_sets_the_knob_it_is_for(context, state):
    assert changed(context, state, "range", "requests", "2") == {"requests": 3}
    assert changed(context, state, "text", "memory.bandwidth", "3.2 GB/s") == {
        "memory.bandwidth": 3.2e9
    }
    assert changed(context, state, "menu", "chip", "t4") == {"chip": "t4"}


def test_what_a_control_shows_of_a_value_is_no_change_of_it(context, state):
    exact = {**state, "settings": {**DEFAULTS, "memory.bandwidth": 1.23456789e10}}
    shown = live.boxes(live.control_of(context, exact, "memory.bandwidth"), 1.23456789e10)
    assert shown["text"] == "12.3457 GB/s"
    for kind, value in shown.items():
        assert changed(context, exact, kind, "memory.bandwidth", value) == {}


def test_text_that_is_no_value_is_refused(context, state):
    with pytest.raises(InputError, match="requests: 'many' is not a quantity in request"):
        live.applied(context, state, Change("text", "requests", "many"))


def test_a_knob_nobody_knows_is_refused(context, state):
    with pytest.raises(InputError, match="unknown knob 'reqests'"):
        live.applied(context, state, Change("text", "reqests", "3"))


def test_a_file_of_this_machine_is_no_choice_of_a_menu(context, state, tmp_path):
    (tmp_path / "own.yaml").write_text("power: 3 W\n")
    with pytest.raises(InputError, match="chip: unknown choice"):
        live.applied(context, state, Change("menu", "chip", str(tmp_path / "own.yaml")))
    hidden = {**state, "settings": {**DEFAULTS, "chip": str(tmp_path / "own.yaml")}}
    assert "which the explorer does not open" in live.result(context, hidden).children


def test_controls_show_the_design(context, state):
    boxes = {
        path: live.boxes(live.control_of(context, state, path), value)
        for path, value in DEFAULTS.items()
    }
    assert boxes == {
        "chip": {"menu": "a100-sxm-80gb"},
        "memory.bandwidth": {"text": "10 GB/s", "range": 100},
        "memory.efficiency": {"text": "0.5", "range": 89},
        "requests": {"text": "4 request", "range": 3},
    }


def test_a_result_names_every_metric_with_its_unit(context, state):
    text = text_of(live.result(context, state))
    for words in ("Latency", "24 ms", "Cost", "$14,000", "Power", "400 W", "Feasible", "yes"):
        assert words in text
    assert "Bottleneck: memory (20 ms), then compute (4 ms)." in text


def test_the_total_stands_first():
    assert next(iter(cells_of(Context(), starting("flashneuron")))) == "Iteration time"


def test_a_metric_shows_its_interval_its_tier_and_on_hover_what_they_rest_on():
    state = starting("dfx")
    metrics = design.price(registry.model("dfx"), state["settings"]).answer["metrics"]
    found, latency = cells_of(Context(), state), metrics["latency"]
    value, known = found["Latency"]
    assert span(latency["low"], latency["high"], "s") in text_of(value)
    assert (known.children, known.title) == (latency["tier"], latency["basis"])
    value, known = found["Cost"]
    assert (known.children, known.title) == ("unchecked", "nothing was checked")
    assert " to " not in text_of(value)


def test_a_pinned_design_stands_beside_with_what_is_better_and_worse(toy, state):
    pinned = {**state, "pinned": {**DEFAULTS, "requests": 2.0}}
    found = cells_of(Context(), pinned)
    _, _, before, change = found["Latency"]
    assert before.children == "22 ms"
    assert "x1.09" in text_of(change)
    assert "worse" in change.className
    assert found["Power"][3].className == "compare-change"
    assert len(cells_of(Context(), state)["Latency"]) == 2


def test_a_pinned_design_that_is_refused_says_so_and_leaves_the_other(toy, state):
    pinned = {**state, "pinned": {**DEFAULTS, "requests": 32.0}}
    text = text_of(live.result(Context(), pinned))
    assert "The pinned design: `requests < 32` must hold" in text
    assert "24 ms" in text


def test_raised_flags_and_knobs_beyond_their_range_are_cautions(context, state):
    state = {**state, "settings": {**DEFAULTS, "requests": 8.0, "memory.bandwidth": 2e11}}
    text = text_of(live.result(context, state))
    assert "Caution: batches over 6 were never measured" in text
    assert "Caution: memory.bandwidth = 200 GB/s lies outside 1 GB/s to 100 GB/s" in text


def test_an_infeasible_design_keeps_its_numbers_and_says_so(context, state):
    slow = {**DEFAULTS, "requests": 31.0, "memory.bandwidth": 1e8}
    text = text_of(live.result(context, {**state, "settings": slow}))
    assert live.CANNOT_RUN in text
    assert "'latency <= 60 ms' is missed by 32.9 of its limit." in text
    assert "2.03 s" in text


def test_a_design_beyond_the_pages_rules_is_refused_without_numbers(context, state):
    state = {**state, "settings": {**DEFAULTS, "requests": 32.0}}
    shown = live.result(context, state)
    assert shown.children == "`requests < 32` must hold; set requests to 31 or less"


def test_without_a_run_a_design_is_still_priced(toy, state):
    assert "24 ms" in text_of(live.result(Context(), state))


def test_a_page_nobody_knows_is_refused(context, state):
    with pytest.raises(InputError, match="unknown model 'tai'"):
        live.result(context, {**state, "model": "tai"})


def test_a_design_without_resources_has_no_bottleneck(toy):
    assert "names no resource" in live.bottleneck(toy, {"resources": {"memory": None}})
