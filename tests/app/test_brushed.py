"""Selected designs: opened, pinned and saved, and as lines; what is saved reads back the same."""

import base64
import io
import os

import numpy as np
import pandas as pd
import pytest
from dash.exceptions import PreventUpdate

from app import brushed, saved, sliders
from app.columns import Opened
from app.front import Axes
from dse import documents, registry
from dse.answers import answer, of_document
from dse.errors import InputError

BOTH = Axes("latency", "cost")
QUICK = {"by": "link", "ranges": {"latency": [[0.0, 0.02]]}}


@pytest.fixture
def opened(context) -> Opened:
    return context.opened()


@pytest.fixture
def limits(opened):
    return sliders.starting(sliders.bounds(opened))


def view(limits, selection):
    return {"run": "toy/first", "limits": limits, "selection": selection}


def test_a_selection_keeps_to_the_bounds(opened, limits):
    slow = {"ranges": {"latency": [[0.03, 0.1]]}}
    assert opened.column("latency")[brushed.rows(opened, limits, slow)].max() <= 0.06
    assert len(brushed.rows(opened, limits, {})) == 0


def test_a_selection_is_counted_in_words(opened, limits):
    rows = brushed.rows(opened, limits, QUICK)
    of_front = np.isin(opened.front["row"], rows).sum()
    said = brushed.said(opened, limits, rows)
    assert said == f"{len(rows)} of 96 designs are selected, {of_front} of the front."
    assert "Nothing is selected" in brushed.said(opened, limits, rows[:0])


def test_the_csv_holds_the_selected_designs_in_full(opened, limits, run):
    file = brushed.file(opened, view(limits, QUICK), BOTH, "explore-selection-csv")
    frame = pd.read_csv(io.StringIO(file["content"]))
    rows = brushed.rows(opened, limits, QUICK)
    stored = pd.read_parquet(run.path / "designs.parquet").iloc[rows]
    assert list(frame["row"]) == list(rows)
    np.testing.assert_array_equal(frame["latency [s]"], stored["latency"])
    np.testing.assert_array_equal(frame["memory.bandwidth [B/s]"], stored["memory.bandwidth"])
    assert list(frame["chip"]) == list(stored["chip"])


def test_without_a_selection_the_csv_holds_the_front(opened, limits):
    file = brushed.file(opened, view(limits, {}), BOTH, "explore-selection-csv")
    frame = pd.read_csv(io.StringIO(file["content"]))
    assert list(frame["row"]) == list(opened.front["row"])


def test_a_csv_that_no_browser_holds_is_refused_with_the_way_out(opened, monkeypatch):
    monkeypatch.setattr(saved, "MOST", 5)
    with pytest.raises(InputError, match=r"144 designs .* saves 5 at once; .*designs.parquet"):
        saved.designs(opened, np.arange(144))


def test_the_yaml_of_a_design_evaluates_to_its_stored_values(opened, limits):
    row = int(opened.front["row"][5])
    file = brushed.file(opened, view(limits, {"rows": [row]}), BOTH, "explore-selection-yaml")
    slug, settings = of_document(documents.parse(file["content"], name="x"), "x")
    page = registry.model(slug)
    metrics = answer(page, registry.configure(page, dict(settings)))["metrics"]
    for name in ("latency", "cost", "power"):
        assert metrics[name]["value"] == opened.column(name)[row]


@pytest.mark.parametrize(("count", "said"), [(0, "none is"), (2, "2 are")])
def test_a_yaml_needs_one_design(opened, limits, count, said):
    rows = opened.front["row"][:count].tolist()
    with pytest.raises(InputError, match=f"one design must be selected, {said}; tick one row"):
        brushed.file(opened, view(limits, {"rows": rows}), BOTH, "explore-selection-yaml")


@pytest.mark.parametrize("kind", ["front", "lines"])
def test_figures_are_saved_as_svg_and_as_pages_that_ask_nobody(opened, limits, kind):
    drawing = brushed.file(opened, view(limits, QUICK), BOTH, f"explore-{kind}-svg")
    assert drawing["content"].startswith("<?xml")
    assert drawing["filename"] == f"toy-first-{kind}.svg"
    page = brushed.file(opened, view(limits, QUICK), BOTH, f"explore-{kind}-html")["content"]
    assert "<html>" in page
    assert 'src="http' not in page


def test_the_report_is_the_one_in_the_folder_while_it_is_new(opened, run):
    (run.path / "report.pdf").write_bytes(b"%PDF-1.7 kept")
    file = saved.report(opened)
    assert base64.b64decode(file["content"]) == b"%PDF-1.7 kept"
    assert file["filename"] == "toy-first.pdf"


def test_an_outdated_report_is_made_anew(opened, run, monkeypatch):
    old = run.path / "report.pdf"
    old.write_bytes(b"%PDF-1.7 old")
    os.utime(old, (0, 0))

    def report(subject, *, date, path):
        assert subject == run
        path.write_bytes(b"%PDF-1.7 new")
        return path

    monkeypatch.setattr(saved.verbs, "report", report)
    assert base64.b64decode(saved.report(opened)["content"]) == b"%PDF-1.7 new"
    assert (run.path / "report.pdf").read_bytes() == b"%PDF-1.7 old"


def test_pins_are_added_once_and_at_most_six():
    assert brushed.pinned([3], np.array([5, 3])) == [3, 5]
    with pytest.raises(InputError, match="no design is selected"):
        brushed.pinned([3], np.array([], dtype=int))
    with pytest.raises(InputError, match="7 designs are selected and 6 fit side by side"):
        brushed.pinned([], np.arange(7))
    with pytest.raises(InputError, match="6 designs fit side by side; drop a pin"):
        brushed.pinned([1, 2, 3, 4, 5], np.array([6, 7]))


def test_pins_lead_to_compare_by_their_numbers(opened):
    *_, link = brushed.pins_listed(opened, [3, 17])
    assert link.href == "/compare?run=toy/first&design=row:3&design=row:17"
    assert brushed.pins_listed(opened, []) == []


def test_a_click_opens_the_design_it_is_on(opened, limits):
    point = {"points": [{"customdata": 12}]}
    at = view(limits, {})
    assert brushed.opened_by(opened, at, "explore-front-graph", point) == 12
    cell = {"colId": "row", "value": 7}
    assert brushed.opened_by(opened, at, "explore-front-grid", cell) == 7
    row = int(opened.front["row"][2])
    only = view(limits, {"rows": [row]})
    assert brushed.opened_by(opened, only, "explore-selection-open", 1) == row
    assert brushed.design_link(opened, 12).startswith("/design?model=toy&")


@pytest.mark.parametrize(
    ("trigger", "value"),
    [
        ("explore-front-graph", None),
        ("explore-front-graph", {"points": [{"z": 2.0, "customdata": 100}]}),
        ("explore-front-graph", {"points": [{}]}),
        ("explore-front-grid", {"colId": "cost", "value": 3.0}),
    ],
)
def test_a_touch_that_names_no_design_opens_none(opened, limits, trigger, value):
    with pytest.raises(PreventUpdate):
        brushed.opened_by(opened, view(limits, {}), trigger, value)


def test_lines_are_the_designs_within_the_bounds_and_the_whole_front(opened, limits):
    chart = brushed.parallel(opened, limits, {})
    assert len(chart.look) == 96
    assert (chart.look == 1).sum() == len(opened.front)
    tight = {**limits, "latency<=": 0.02}
    count = sliders.judged(opened, tight).count
    assert len(brushed.parallel(opened, tight, {}).look) == count


def test_selected_lines_stand_out(opened, limits):
    chart = brushed.parallel(opened, limits, QUICK)
    assert (chart.look == 2).sum() == len(brushed.rows(opened, limits, QUICK))


def test_lines_say_how_a_brush_is_read(opened, limits):
    figure, caption = brushed.lines(opened, limits, QUICK, dark=True)
    names = [d["name"] for d in figure.layout.meta["dimensions"]]
    assert names == ["chip", "memory.bandwidth", "requests", "latency", "cost"]
    assert figure.layout.meta["dimensions"][0]["choice"]
    assert figure.data[0].dimensions[3].constraintrange
    assert "selected ones" in caption


def test_few_designs_within_tight_bounds_are_drawn_whole(opened, limits, monkeypatch):
    monkeypatch.setattr(brushed, "POOL", 10)
    assert len(brushed.parallel(opened, limits, {}).look) == 96
