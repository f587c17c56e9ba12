from dataclasses import replace

import numpy as np

from dse import units
from reports import question, winners
from reports.section import Context
from tests.reports import made


def test_each_objective_has_one_row_with_its_best_value(answered: Context):
    (table,) = made.tables(winners.build(answered))
    assert [row[0] for row in table.rows] == ["Latency", "Cost"]
    front = answered.front
    for row, name in zip(table.rows, ("latency", "cost"), strict=True):
        assert row[1] == units.show(float(front[name].min()), front.units[name])
    assert table.rows[0][3].startswith("cost $")
    assert f"at the prices of {answered.prices}" in table.caption


def test_whether_the_winners_differ_is_a_sentence(answered: Context):
    said = made.words(winners.build(answered))
    assert "The winners differ: no design wins two objectives." in said


def test_a_front_of_one_design_has_one_winner(answered: Context):
    alone = replace(answered, front=answered.front.take(np.array([0])))
    said = made.words(winners.build(alone))
    assert "One design wins latency and cost at once." in said
    assert "the design of best latency" in said


def test_an_objective_that_tells_nothing_apart_is_a_warning_beside_the_answer(answered: Context):
    flat = replace(answered, environment={**answered.environment, "constant": ["cost"]})
    assert "Warning: objective 'cost' is $" in made.words(question.build(flat))
    assert "no design stands out" in made.words(winners.build(flat))
    assert "tells no designs apart" not in made.words(question.build(answered))


def test_nothing_wins_when_nothing_is_feasible(empty: Context):
    assert "Nothing wins" in made.words(winners.build(empty))
