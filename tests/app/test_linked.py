"""A view and its link: what one writes the other reads, and selections are those of pandas."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path as Polygon

from app import linked
from app.columns import Opened
from app.linked import View

START = {"latency<=": 0.06, "cost<=": None}


@pytest.fixture
def opened(context) -> Opened:
    return context.opened()


@pytest.fixture
def stored(run) -> pd.DataFrame:
    return pd.read_parquet(run.path / "designs.parquet")


def test_without_a_query_the_view_is_the_studys(opened):
    assert linked.read(opened, "") == View("latency", "cost", limits=START)
    assert linked.link(opened, View("latency", "cost", limits=START), "toy/first") == (
        "?run=toy/first",
        True,
    )


@pytest.mark.parametrize(
    "selection",
    [
        {},
        {"by": "link", "ranges": {"latency": [[0.01, 0.02]], "requests": [[1, 2], [4, 5]]}},
        {"by": "link", "ranges": {"chip": [[1, 1]]}},
        {"by": "link", "rows": [3, 0, 12]},
        {
            "by": "link",
            "lasso": {
                "x": "latency",
                "y": "cost",
                "log": [True, False],
                "points": [[0.01, 1e3], [0.1, 2e4], [0.02, 5e4]],
            },
        },
    ],
)
def test_a_link_reproduces_the_view(opened, selection):
    limits = {"latency<=": None, "cost<=": 12345.6}
    view = View("cost", "power", "requests", limits, selection, pins=(7, 3))
    query, whole = linked.link(opened, view, "toy/first")
    assert whole
    assert linked.read(opened, query) == view


def test_a_selection_that_no_link_holds_is_left_out(opened):
    view = View("latency", "cost", limits=START, selection={"rows": list(range(144)) * 40})
    assert linked.link(opened, view, "toy/first") == ("?run=toy/first", False)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?x=latencie", "unknown column 'latencie'"),
        ("?x=chip", "unknown column 'chip'"),
        ("?bound=latency", "'latency' must read like latency<=50 ms"),
        ("?bound=power<=3", "unknown bound 'power<='"),
        ("?bound=latency<=three", "Latency at most: 'three'"),
        ("?brush=latency", "'latency' must read column:low..high"),
        ("?brush=latency:1", "'1' must read low..high"),
        ("?brush=latency:a..b", "'a' is not a number"),
        ("?brush=latency:nan..1", "'nan' is not a number"),
        ("?brush=chip:t5", "unknown choice of chip 't5'"),
        ("?brush=nothing:1..2", "unknown column 'nothing'"),
        ("?lasso=latency;cost;1,2", "a lasso has 3 to 200 corners, got 1"),
        ("?lasso=latency;cost;1,2;3;4,5", "a corner of a lasso has two numbers"),
        ("?lasso=latency:log;cost;0,2;3,3;4,5", "lies above 0"),
        ("?lasso=latency", "a lasso names two columns"),
        ("?rows=1,x", "'x' is no design of this run; they count from 0 to 143"),
        ("?rows=144", "'144' is no design"),
        ("?rows=-1", "'-1' is no design"),
        ("?pin=%F0%9F", "is no design"),
        ("?tai=1", "unknown part 'tai'"),
        ("?x=" + "a" * 9000, "longer than 8,000 characters"),
    ],
)
def test_what_a_link_gets_wrong_is_said_and_left_out(opened, query, said):
    view = linked.read(opened, query)
    (problem,) = view.problems
    assert said in problem
    assert View(view.x, view.y, limits=view.limits) == View("latency", "cost", limits=START)
    assert view.selection == {}


def test_ranges_select_what_pandas_does(opened, stored):
    ranges = {"latency": [[0.01, 0.03], [0.05, 0.06]], "requests": [[2, 4]]}
    inside = stored["latency"].between(0.01, 0.03) | stored["latency"].between(0.05, 0.06)
    wanted = inside & stored["requests"].between(2, 4)
    np.testing.assert_array_equal(linked.chosen(opened, {"ranges": ranges}), wanted)
    assert wanted.any()


def test_a_choice_selects_its_designs(opened, stored):
    mask = linked.chosen(opened, {"ranges": {"chip": [[1, 1]]}})
    np.testing.assert_array_equal(mask, stored["chip"] == opened.table(["chip"]).labels["chip"][1])


@pytest.mark.parametrize("log", [[False, False], [True, False], [True, True]])
def test_a_lasso_selects_what_lies_inside_as_it_is_drawn(opened, stored, log):
    points = np.array([[0.004, 2000.0], [0.09, 9000.0], [0.03, 70_000.0], [0.008, 15_000.0]])
    both = stored[["latency", "cost"]].to_numpy()
    drawn = [
        np.stack([np.log10(a[:, i]) if on else a[:, i] for i, on in enumerate(log)], axis=1)
        for a in (points, both)
    ]
    wanted = Polygon(drawn[0]).contains_points(drawn[1])
    lasso = {"x": "latency", "y": "cost", "log": log, "points": points.tolist()}
    np.testing.assert_array_equal(linked.chosen(opened, {"lasso": lasso}), wanted)
    assert 5 < wanted.sum() < 100


def test_rows_select_themselves(opened):
    assert list(np.flatnonzero(linked.chosen(opened, {"rows": [5, 3]}))) == [3, 5]
