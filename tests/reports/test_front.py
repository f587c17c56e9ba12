from dataclasses import replace

import numpy as np

from reports import front
from reports.section import Context
from tests.reports import made
from tests.reports.conftest import Searched


def test_a_front_is_drawn_and_listed(answered: Context):
    blocks = front.build(answered)
    assert [figure.svg.count("<svg") for figure in made.figures(blocks)] == [1]
    assert answered.prices in made.figures(blocks)[0].caption
    assert made.tables(blocks)[0].header[:2] == ["Latency [ms]", "Cost [$]"]


def test_the_table_runs_from_the_best_to_the_worst_of_the_first_objective(answered: Context):
    latency = [
        float(row[0].replace(",", "")) for row in made.tables(front.build(answered))[0].rows
    ]
    assert latency == sorted(latency)
    ends = 1e3 * np.array([answered.front["latency"].min(), answered.front["latency"].max()])
    assert np.allclose([latency[0], latency[-1]], ends, rtol=5e-3)  # three digits are shown


def test_the_table_holds_no_two_rows_of_equal_objectives_and_fits_the_page(answered: Context):
    table = made.tables(front.build(answered))[0]
    distinct = front._distinct(answered.front, ["latency", "cost"])
    points = {(a, b) for a, b in zip(distinct["latency"], distinct["cost"], strict=True)}
    assert len(points) == len(distinct)
    assert len(table.rows) == min(len(distinct), front.ROWS)
    assert len(table.header) <= front.COLUMNS


def test_a_thinned_table_keeps_both_ends():
    column = np.arange(1000.0)[::-1]
    rows = front._spread(column)
    assert len(rows) == front.ROWS
    assert {0.0, 999.0} <= set(column[rows])


def test_every_objective_appears_in_some_view(answered: Context):
    for goals in (["latency"], ["latency", "cost"], list("abc"), list("abcdefg")):
        views = front._views(answered, goals)
        assert set(goals) <= {name for view in views for name in view}


def test_one_objective_is_drawn_against_another_metric(searched: Searched):
    blocks = front.build(made.context(searched(objectives=["cost"])))
    assert len(made.figures(blocks)) == 1


def test_without_a_front_the_nearest_designs_and_the_bound_to_loosen_are_named(empty: Context):
    blocks = front.build(empty)
    said = made.words(blocks)
    assert made.figures(blocks) == []
    assert "'latency <= 1 us' is missed by" in said
    assert "loosen 'latency <= 1 us'" in said
    assert "'energy <= 50 J'" not in said
    rows = made.rows(made.tables(blocks)[0])
    assert {"chips", "latency", "violation"} <= set(rows)
    assert len(rows["latency"]) == front.NEAREST


def test_the_last_column_is_the_chance_to_belong_on_the_front(boards: Context):
    table = made.tables(front.build(boards))[0]
    assert table.header[-1] == "Belongs here"
    chances = {f"{100 * share:.0f} %" for share in boards.front["chance_nondominated"]}
    assert {row[-1] for row in table.rows} <= chances


def test_the_figure_draws_the_intervals_of_the_front(boards: Context):
    (figure,) = made.figures(front.build(boards))
    assert "Bars are 90 % intervals" in figure.caption
    assert "No interval of cost: nothing was checked." in figure.caption
    assert "LineCollection" in figure.svg


def test_a_bound_with_a_probability_shows_what_is_reached_so_surely(searched: Searched):
    bound = next(c for c in made.context(searched()).study.constraints)
    assert front._judged(bound) == "energy"
    assert front._judged(replace(bound, confidence=0.95)) == "energy with 95 %"
