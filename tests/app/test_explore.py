"""The explore page: its layout for a URL, and what a touch does."""

import pytest
from dash.exceptions import PreventUpdate

from app import explore, live
from app.context import Context
from app.live import Change
from dse.store import create

from . import toy as toys
from .test_controls import walk
from .test_design import DEFAULTS
from .test_front import text_of


def parts(component) -> dict:
    return {p.id: p for p in walk(component) if isinstance(getattr(p, "id", None), str)}


def test_a_link_sets_the_design_that_the_page_opens_with(context):
    page = explore.layout(context, "?model=toy&requests=3&memory.bandwidth=2 GB/s")
    settings = {**DEFAULTS, "requests": 3.0, "memory.bandwidth": 2e9}
    assert parts(page)[explore.STORE].data == {"model": "toy", "settings": settings}


def test_without_a_link_the_page_opens_with_the_balanced_design(context):
    settings = parts(explore.layout(context, ""))[explore.STORE].data["settings"]
    assert settings["requests"] == 1
    assert settings != DEFAULTS


def test_what_a_link_gets_wrong_is_said_on_the_page(context):
    page = explore.layout(context, "?model=toy&reqests=3")
    assert "unknown knob 'reqests'; did you mean requests?" in text_of(page)


def test_without_a_run_only_the_live_design_is_shown(toy):
    page = parts(explore.layout(Context(), ""))
    assert page[explore.STORE].data == {"model": "toy", "settings": DEFAULTS}
    cards = [p for p in walk(explore.layout(Context(), "")) if getattr(p, "hidden", None)]
    assert len(cards) == 3  # front, best designs, designs of the front


def test_a_run_that_cannot_be_read_still_leaves_a_live_design(toy, tmp_path):
    broken = create(toys.study(), output=tmp_path / "toy" / "broken")
    page = explore.layout(Context(broken), "")
    assert "the run holds no designs yet" in text_of(page)
    state = parts(page)[explore.STORE].data
    assert state == {"model": "toy", "settings": DEFAULTS}
    assert "24 ms" in text_of(live.result(Context(broken), state)[0])


def test_every_id_names_page_thing_and_kind(context):
    ids = [i for i in parts(explore.layout(context, "")) if i]
    assert ids
    assert all(len(i.split("-")) >= 3 and i.startswith("explore-") for i in ids)


@pytest.mark.parametrize(
    ("trigger", "value", "change"),
    [
        ("explore-front-graph", {"points": [{"customdata": 7}]}, Change("graph", "", 7)),
        ("explore-front-grid", [{"row": 3, "latency": 1.0}], Change("grid", "", 3)),
        ({"type": "explore-knob-range", "index": "a.b"}, "5", Change("range", "a.b", "5")),
        ({"type": "explore-knob-text", "index": "a.b"}, "5 ms", Change("text", "a.b", "5 ms")),
    ],
)
def test_a_touch_is_read_as_the_change_it_means(trigger, value, change):
    assert explore.change_of(trigger, value) == change


@pytest.mark.parametrize(
    ("trigger", "value"),
    [
        (None, None),
        ("explore-front-grid", []),
        ("explore-front-graph", None),
        ("explore-front-graph", {"points": [{"x": 1}]}),
        ({"type": "explore-knob-text", "index": "a"}, ""),
        ("explore-other-thing", 1),
    ],
)
def test_a_touch_that_names_no_design_changes_nothing(trigger, value):
    with pytest.raises(PreventUpdate):
        explore.change_of(trigger, value)


def test_an_edit_changes_the_design_and_a_mistake_leaves_it(context):
    state = {"model": "toy", "settings": DEFAULTS}
    after, message = explore.edit(context, state, Change("text", "requests", "2"))
    assert (after["settings"]["requests"], message) == (2.0, "")
    after, message = explore.edit(context, state, Change("text", "requests", "2 GB"))
    assert after == state
    assert message.startswith("requests: '2 GB' is not a quantity in request")
