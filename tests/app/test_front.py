"""The run's part of the page: facts in words, the front as points or as a density, and menus."""

import numpy as np
import pytest

from app import front
from app.context import Context
from app.front import Axes
from app.sliders import bounds, judged, starting
from dse import units
from dse.search import search
from dse.store import create

from . import toy as toys
from .test_controls import walk


def text_of(component) -> str:
    found = (part.children for part in walk(component) if hasattr(part, "children"))
    return " ".join(str(c) for c in found if isinstance(c, str)) + " ".join(
        item
        for c in walk(component)
        for item in getattr(c, "children", []) or []
        if isinstance(item, str) and not isinstance(c.children, str)
    )


@pytest.fixture
def opened(context):
    return context.opened()


@pytest.fixture
def refused(toy, tmp_path):
    question = toys.study(constraints=["latency <= 1 us"])
    run = search(question, create(question, output=tmp_path / "toy" / "none")).run
    return Context(run).opened()


def drawn(opened, axes: Axes, chosen=None, **limits):
    """A figure and its caption, at the study's bounds but for what is given."""
    held = {**starting(bounds(opened)), **{f"{name}<=": v for name, v in limits.items()}}
    return front.scatter(opened, axes, held, chosen, dark=False)


BOTH = Axes("latency", "cost")


def test_the_question_stands_first_with_the_runs_facts(opened):
    text = text_of(front.question(opened))
    assert "How fast is the toy, and what does it cost?" in text
    assert "144 designs priced · 96 feasible within the constraints · 12 on the front" in text
    assert "latency <= 60 ms" in text
    assert "method grid" in text


def test_a_run_where_nothing_is_feasible_says_which_constraint_binds(refused):
    text = text_of(front.question(refused))
    assert "'latency <= 1 us' is missed by" in text
    assert "0 on the front" in text


def test_a_run_where_nothing_is_feasible_still_draws_its_designs(refused):
    figure, caption = drawn(refused, BOTH)
    names = {trace.name for trace in figure.data if trace.customdata}
    assert names == {"rejected", "rejected, extrapolated"}
    assert "0 of 144 designs are feasible" in caption


def test_axes_start_at_the_first_two_objectives_and_offer_numbers_only(opened):
    assert front.axes_first(opened.study) == ["latency", "cost"]
    assert front.numeric(opened.study) == [
        "latency", "cost", "power", "memory.bandwidth", "requests",
    ]  # fmt: skip


def test_the_scatter_draws_the_front_in_the_chosen_metrics(opened):
    figure, caption = drawn(opened, Axes("power", "latency", "cost"))
    marks = next(trace for trace in figure.data if trace.name == "front")
    np.testing.assert_array_equal(marks.x, opened.front["power"])
    assert figure.layout.xaxis.title.text == "Power [W]"
    assert figure.layout.coloraxis.colorbar.title.text == "Cost [$]"
    assert caption.startswith("Predictions of the page 'toy'")


def test_every_mark_is_named_by_the_number_of_its_design(opened):
    figure, _ = drawn(opened, BOTH)
    for trace in figure.data:
        latency = opened.column("latency")[list(trace.customdata)]
        np.testing.assert_allclose(1e3 * latency, trace.x, rtol=1e-12)
    names = {trace.name for trace in figure.data}
    assert {"designs", "front", "best"} <= names


def test_moved_bounds_leave_out_designs_and_front_and_are_said(opened):
    figure, caption = drawn(opened, BOTH, latency=0.02)
    assert all((np.asarray(trace.x) <= 20.0).all() for trace in figure.data)
    left = int((opened.front["latency"] <= 0.02).sum())
    assert caption.startswith(f"Bounds are moved: {left} of 12 designs of the run's front remain")


def test_what_is_selected_is_ringed_the_front_first(opened):
    chosen = np.array([3, *opened.front["row"][:4], 7])
    figure, _ = drawn(opened, BOTH, chosen)
    (rings,) = (trace for trace in figure.data if trace.name == "selected")
    assert list(rings.customdata) == [*opened.front["row"][:4], 3, 7]
    np.testing.assert_allclose(
        1e-3 * np.array(rings.x), opened.column("latency")[list(rings.customdata)]
    )


def test_of_many_selected_designs_an_even_share_is_ringed_and_the_front_whole(opened, monkeypatch):
    monkeypatch.setattr(front, "RINGS", 30)
    rows = front.rings(opened, BOTH, np.arange(144))["rows"]
    assert len(rows) == 30
    assert set(opened.front["row"]) <= set(rows)


def test_beyond_what_a_screen_draws_the_front_stands_before_a_density(opened, monkeypatch):
    monkeypatch.setattr(front, "DRAWN", 50)
    figure, caption = drawn(opened, BOTH)
    cells, *marks = figure.data
    held = judged(opened, starting(bounds(opened))).count
    assert cells.type == "heatmap"
    assert np.nansum(cells.customdata) == held == 96
    assert {trace.name for trace in marks} >= {"front", "best"}
    assert "their density is drawn behind the whole front" in caption
    assert front.printed(front.drawn(opened, BOTH, starting(bounds(opened)))).startswith("<?xml")


def test_who_wins_what_stands_under_the_front(opened):
    section = front.panel(opened, BOTH)
    (listed,) = [
        part for part in walk(section) if getattr(part, "id", "") == "explore-winners-list"
    ]
    first, second = (item.children for item in listed.children)
    assert first.startswith("Best latency: ")
    assert second.startswith("Best cost: ")
    assert ", and then latency " in second
    assert units.show(float(opened.front["cost"].min()), "USD") in second
    assert "The winners differ: no design wins two objectives." in text_of(section)


def test_without_a_winner_nothing_stands_there(refused):
    assert front.won(refused) == []


def test_an_objective_that_tells_nothing_apart_is_a_warning(toy, tmp_path):
    space = {"chip": ["p100-pcie-16gb", "a100-sxm-80gb"]}  # which moves nothing but the power
    question = toys.study(space=space)
    run = search(question, create(question, output=tmp_path / "toy" / "flat")).run
    text = text_of(front.question(Context(run).opened()))
    assert "objective 'cost' is " in text
    assert "tells no designs apart" in text


def test_the_balanced_design_is_on_the_front_but_at_no_end(context):
    snapshot = context.opened()
    settings = front.balanced(snapshot)
    ends = {snapshot.front["memory.bandwidth"].min(), snapshot.front["memory.bandwidth"].max()}
    assert settings["memory.bandwidth"] not in ends


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [(0.00537, "s", "5.37 ms"), (None, "s", "unknown"), (True, "1", "yes"), (False, "1", "no")],
)
def test_a_metric_reads_in_words(value, unit, words):
    assert front.describe(value, unit) == words
