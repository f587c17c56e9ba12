"""The Design page without a browser: what a change, a button, a file and a step back do."""

import base64
import json

import pytest

from app import design, designing, server
from app.context import Context
from app.controls import part
from app.designing import BACK, CHANGES, STORE, acted, layout
from app.runs import name_of
from dse import registry

from .test_controls import walk
from .test_design import DEFAULTS
from .test_front import text_of
from .test_live import BARE

GIVEN = {"search": "", "contents": None, "file": None, "helps": {}}


@pytest.fixture
def state(toy) -> dict:
    return {**BARE, "model": "toy", "settings": DEFAULTS}


def change(count: int, kind: str, path: str, value: object) -> dict:
    return {"count": count, "kind": kind, "path": path, "value": value}


def stores(page) -> dict[str, dict]:
    return {part.id: getattr(part, "data", None) for part in walk(page) if part._type == "Store"}


def test_a_change_sets_its_knob_and_what_stands_beside_it(state):
    turn = acted(Context(), state, [change(1, "range", "requests", 2)], CHANGES, GIVEN)
    assert turn.state["settings"] == {**DEFAULTS, "requests": 3.0}
    assert turn.state["echo"] == [{"kind": "text", "path": "requests", "value": "3 request"}]
    assert (turn.state["seen"], turn.state["touched"], turn.message) == (1, "requests", "")
    assert not turn.redrawn


def test_typed_text_is_answered_in_the_box_and_on_the_slider(state):
    turn = acted(Context(), state, [change(1, "text", "memory.bandwidth", "1e11")], CHANGES, GIVEN)
    assert {one["kind"]: one["value"] for one in turn.state["echo"]} == {
        "text": "100 GB/s",
        "range": 200,
    }


def test_changes_that_were_seen_are_not_made_again(state):
    changes = [change(1, "range", "requests", 0), change(2, "menu", "chip", "t4")]
    turn = acted(Context(), {**state, "seen": 1}, changes, CHANGES, GIVEN)
    assert turn.state["settings"] == {**DEFAULTS, "chip": "t4"}


def test_a_change_that_fails_is_told_and_the_others_are_made(state):
    changes = [change(1, "text", "requests", "many"), change(2, "menu", "chip", "t4")]
    turn = acted(Context(), state, changes, CHANGES, GIVEN)
    assert turn.state["settings"] == {**DEFAULTS, "chip": "t4"}
    assert "requests: 'many' is not a quantity" in turn.message
    assert turn.state["seen"] == 2


def test_a_change_that_a_button_overtakes_is_made_first(state):
    pending = [change(1, "text", "requests", "2")]
    turn = acted(Context(), state, pending, "design-pin-button", GIVEN)
    assert turn.state["pinned"] == turn.state["settings"] == {**DEFAULTS, "requests": 2.0}


def test_unpinning_leaves_the_design(state):
    turn = acted(Context(), {**state, "pinned": DEFAULTS}, [], "design-unpin-button", GIVEN)
    assert turn.state["pinned"] is None
    assert turn.state["settings"] == DEFAULTS


def test_defaults_are_those_of_the_page(state):
    moved = {**state, "settings": {**DEFAULTS, "requests": 9.0}}
    turn = acted(Context(), moved, [], "design-reset-button", GIVEN)
    assert turn.state["settings"] == DEFAULTS
    assert turn.redrawn


def test_the_change_that_helps_is_tried(state):
    turn = acted(Context(), state, [], "design-try-button", {**GIVEN, "helps": {"requests": 3.0}})
    assert turn.state["settings"] == {**DEFAULTS, "requests": 3.0}


def test_a_step_back_reads_the_address(state):
    search = "?model=toy&requests=2&pinned=toy:requests=8"
    turn = acted(Context(), state, [], BACK, {**GIVEN, "search": search})
    assert turn.state["settings"] == {**DEFAULTS, "requests": 2.0}
    assert turn.state["pinned"] == {**DEFAULTS, "requests": 8.0}
    assert turn.state["touched"] == ""
    assert turn.redrawn


@pytest.mark.parametrize(
    ("content", "words"),
    [("model: dfx", "a design of page 'dfx', not of 'toy'"), ("- 1", "own.yaml: a design file")],
)
def test_a_file_that_cannot_be_loaded_leaves_the_design(monkeypatch, state, content, words):
    monkeypatch.setattr(registry, "slugs", lambda: ("toy", "dfx"))
    contents = f"data:;base64,{base64.b64encode(content.encode()).decode()}"
    given = {**GIVEN, "contents": contents, "file": "own.yaml"}
    turn = acted(Context(), state, [], "design-file-upload", given)
    assert words in turn.message
    assert turn.state["settings"] == DEFAULTS
    assert not turn.redrawn


def test_a_link_opens_its_design_with_the_numbers_there_from_the_start(toy):
    page = layout(Context(), "?model=toy&requests=2&memory.bandwidth=20 GB/s&pinned=toy")
    state = stores(page)[STORE]
    assert state["settings"]["requests"] == 2
    assert state["pinned"] == DEFAULTS
    assert "12 ms" in text_of(page)
    assert "24 ms" in text_of(page)


def test_what_a_link_gets_wrong_is_said_on_the_page(toy):
    assert "unknown model 'tai'" in text_of(layout(Context(), "?model=tai"))


def test_a_run_gives_its_balanced_design_its_ranges_and_its_constraints(context):
    page = layout(context, "")
    state = stores(page)[STORE]
    assert design.price(registry.model("toy"), state["settings"]).answer
    assert state["run"] == ""
    assert "latency <= 60 ms. Sliders go over its ranges." in text_of(page)
    sliders = {part.id["index"]: part for part in walk(page) if _is_range(part)}
    assert sliders["requests"].max == 7


def _is_range(component) -> bool:
    identity = getattr(component, "id", None)
    return isinstance(identity, dict) and identity["type"] == part("range", "")["type"]


def test_a_run_that_a_link_names_stays_in_it(context, run, monkeypatch):
    monkeypatch.setattr("app.context.named", lambda name: run)
    page = layout(Context(), f"?run={name_of(run)}&requests=2")
    assert stores(page)[STORE]["run"] == "toy/first"


def test_a_report_is_offered_where_the_run_has_one(context, run):
    assert "Report of the run (PDF)" not in text_of(layout(context, ""))
    (run.path / "report.pdf").write_bytes(b"%PDF")
    assert "Report of the run (PDF)" in text_of(layout(context, ""))


def test_no_state_stays_in_the_server(toy):
    before = json.dumps(vars(designing), default=repr, sort_keys=True)
    state = {**BARE, "model": "toy", "settings": DEFAULTS}
    acted(Context(), state, [change(1, "range", "requests", 2)], CHANGES, GIVEN)
    assert state["settings"] == DEFAULTS
    assert json.dumps(vars(designing), default=repr, sort_keys=True) == before


@pytest.mark.parametrize("slug", registry.slugs())
def test_every_page_has_a_design_to_look_at(slug):
    text = text_of(layout(Context(), f"?model={slug}"))
    assert registry.model(slug).paper.question in text
    assert "Bottleneck: " in text


def test_the_explorer_has_the_page():
    assert "/design" in {page.path for page in server.pages()}
