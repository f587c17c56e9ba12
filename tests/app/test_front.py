"""The run's part of the page: facts in words, the scatter, the table, and picking a design."""

import json
from dataclasses import replace

import numpy as np
import pytest

from app import front
from app.context import Context
from dse import units
from dse.certainty import CHANCES
from dse.errors import InputError
from dse.evaluate import Table
from dse.search import search
from dse.store import Run, create

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
def refused(toy, tmp_path) -> Context:
    question = toys.study(constraints=["latency <= 1 us"])
    return Context(search(question, create(question, output=tmp_path / "toy" / "none")).run)


def test_the_question_stands_first_with_the_runs_facts(context):
    text = text_of(front.question(context))
    assert "How fast is the toy, and what does it cost?" in text
    assert "144 designs priced · 96 feasible within the constraints · 12 on the front" in text
    assert "latency <= 60 ms" in text
    assert "method grid" in text


def test_without_a_run_the_page_says_how_to_make_one(toy):
    text = text_of(front.question(Context()))
    assert "There is no run yet." in text
    assert "dse search STUDY" in text


def test_a_run_without_designs_is_explained_in_words(toy, tmp_path):
    empty = create(toys.study(), output=tmp_path / "toy" / "empty")
    section = front.question(Context(empty))
    assert "the run holds no designs yet; resume its search" in text_of(section)


def test_a_run_where_nothing_is_feasible_says_which_constraint_binds(refused):
    text = text_of(front.question(refused))
    assert "'latency <= 1 us' is missed by" in text
    assert "0 on the front" in text
    assert front.balanced(refused.snapshot()) is None


def test_a_run_where_nothing_is_feasible_still_draws_its_designs(refused):
    figure, caption = front.scatter(refused, "latency", "cost", None, dark=False)
    assert {trace.name for trace in figure.data} == {"rejected", "rejected, extrapolated"}
    assert "0 of 144 designs are feasible" in caption


def test_axes_start_at_the_first_two_objectives_and_offer_numbers_only(context):
    study = context.snapshot().study
    assert front.axes_first(study) == ["latency", "cost"]
    assert front.numeric(study) == ["latency", "cost", "power", "memory.bandwidth", "requests"]


def test_the_scatter_draws_the_front_in_the_chosen_metrics(context):
    figure, caption = front.scatter(context, "power", "latency", "cost", dark=True)
    marks = next(trace for trace in figure.data if trace.name == "front")
    np.testing.assert_array_equal(marks.x, context.snapshot().front["power"])
    assert figure.layout.xaxis.title.text == "Power [W]"
    assert figure.layout.coloraxis.colorbar.title.text == "Cost [$]"
    assert caption.startswith("Predictions of the page 'toy'")


def test_every_mark_of_the_scatter_picks_the_design_it_stands_for(context):
    figure, _ = front.scatter(context, "latency", "cost", None, dark=False)
    for trace in figure.data:
        x, mark = trace.x[-1], int(trace.customdata[-1])
        settings = front.picked(context, toys.PAGE, mark)
        latency = 1e8 / (settings["memory.bandwidth"] * 0.5) + 1e-3 * settings["requests"]
        np.testing.assert_allclose(latency * 1e3, x, rtol=1e-12)


def test_a_design_of_another_page_is_not_loaded(context):
    with pytest.raises(InputError, match="the front is of page 'toy'; choose that page"):
        front.picked(context, replace(toys.PAGE, slug="other"), 0)


@pytest.mark.parametrize("mark", [-1, 156, 10**9])
def test_a_mark_that_stands_for_no_design_is_refused(context, mark):
    with pytest.raises(InputError, match=f"no design {mark} in this run any more"):
        front.picked(context, toys.PAGE, mark)


def test_the_table_keeps_full_precision_and_shows_units_in_its_header(context):
    snapshot = context.snapshot()
    heads = {c["field"]: c["headerName"] for c in front.columns(snapshot.study, snapshot.front)}
    assert heads["latency"] == "Latency [ms]"
    assert heads["memory.bandwidth"] == "Memory bandwidth [GB/s]"
    assert heads["chance_nondominated"] == "Chance to be non-dominated [%]"
    assert list(heads)[:5] == ["latency", "cost", *CHANCES, "chip"]
    rows = front.rows(snapshot.front)
    assert [row["latency"] for row in rows] == list(snapshot.front["latency"])
    assert [row["row"] for row in rows] == list(range(12))
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_an_unknown_number_is_an_empty_cell(context):
    part = context.snapshot().front.take(np.array([0]))
    part.columns["latency"][0] = np.nan
    assert front.rows(part)[0]["latency"] is None


def test_the_front_is_listed_by_its_first_objective(context):
    latency = context.snapshot().front["latency"]
    assert list(latency) == sorted(latency)


def test_the_balanced_design_is_on_the_front_but_at_no_end(context):
    snapshot = context.snapshot()
    settings = front.balanced(snapshot)
    ends = {snapshot.front["memory.bandwidth"].min(), snapshot.front["memory.bandwidth"].max()}
    assert settings["memory.bandwidth"] not in ends


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [(0.00537, "s", "5.37 ms"), (None, "s", "unknown"), (True, "1", "yes"), (False, "1", "no")],
)
def test_a_metric_reads_in_words(value, unit, words):
    assert front.describe(value, unit) == words


def test_a_run_is_read_again_only_when_it_has_grown(context, run: Run):
    first = context.snapshot()
    assert context.snapshot() is first
    run.append(list(run.tables()))
    assert len(context.snapshot().designs) == 2 * len(first.designs)


def test_who_wins_what_stands_under_the_front(context):
    section = front.panel(context)
    snapshot = context.snapshot()
    (listed,) = [
        part for part in walk(section) if getattr(part, "id", "") == "explore-winners-list"
    ]
    first, second = (item.children for item in listed.children)
    assert first.startswith("Best latency: ")
    assert second.startswith("Best cost: ")
    assert ", and then latency " in second
    assert units.show(float(snapshot.front["cost"].min()), "USD") in second
    assert "The winners differ: no design wins two objectives." in text_of(section)


def test_without_a_winner_nothing_stands_there(refused):
    assert front.won(refused.snapshot()) == []
    assert front.panel(Context()).hidden


def test_an_objective_that_tells_nothing_apart_is_a_warning(toy, tmp_path):
    space = {"chip": ["p100-pcie-16gb", "a100-sxm-80gb"]}  # which moves nothing but the power
    question = toys.study(space=space)
    run = search(question, create(question, output=tmp_path / "toy" / "flat")).run
    text = text_of(front.question(Context(run)))
    assert "objective 'cost' is " in text
    assert "tells no designs apart" in text


def test_the_infinite_is_a_word_in_the_table_and_the_unknown_nothing():
    table = Table({"a": np.array([np.inf, np.nan, 1.0])}, {})
    assert [row["a"] for row in front.rows(table)] == ["infinite", None, 1.0]
